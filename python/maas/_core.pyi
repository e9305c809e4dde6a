"""The compiled core. Private: the public face is the package `maas`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

__version__: str

def error_codes() -> list[str]: ...

@final
class CoreError(Exception):
    """Raised by the core; `errors.py` turns it into the public class of its code.

    Its args are the code's name, the HTTP status (0: the code decides), the message, and the detail
    as a JSON array (or nothing).
    """

@final
class Tensor:
    """A tensor of the core. numpy and torch read it through DLPack without a copy."""

    @staticmethod
    def from_dlpack(array: object) -> Tensor: ...
    # an optional input that is not given
    @staticmethod
    def absent() -> Tensor: ...
    @staticmethod
    def from_strings(values: Sequence[bytes], shape: Sequence[int]) -> Tensor: ...
    @property
    def dtype(self) -> str: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    def strings(self) -> list[bytes]: ...
    def to_json(self) -> bytes: ...
    def __dlpack__(
        self,
        *,
        stream: object = None,
        max_version: object = None,
        dl_device: object = None,
        copy: bool | None = None,
    ) -> Any: ...
    def __dlpack_device__(self) -> tuple[int, int]: ...

@final
class Actor:
    """Who changes something in a registry."""

    def __init__(self, *, who: str, request_id: str = "") -> None: ...

@final
class Lease:
    """Keeps a version from being deleted until it is given back or dropped."""

    @property
    def held(self) -> bool: ...
    def give_back(self) -> None: ...

@final
class BlobWriter:
    """Bytes that come piece by piece; dropped unless finished."""

    def write(self, bytes: bytes) -> None: ...
    # SHA-256 and size; an error when another SHA-256 is expected
    def finish(self, expected: str = "") -> tuple[str, int]: ...

@final
class Store:
    """A model registry in a folder. Rows are dictionaries, pages (rows, where the next begins)."""

    def __init__(self, folder: str, *, read_only: bool = False, create: bool = True) -> None: ...
    @property
    def read_only(self) -> bool: ...
    def publish(
        self, name: str, *, manifest: str, state: str, reason: str, actor: Actor
    ) -> dict[str, Any]: ...
    # version 0 takes the alias away; expect 0: it is nowhere now
    def move_alias(
        self, name: str, alias: str, version: int, *, expect: int | None, actor: Actor
    ) -> dict[str, Any]: ...
    def roll_back(
        self, name: str, alias: str, *, expect: int | None, actor: Actor
    ) -> dict[str, Any]: ...
    def remove(self, name: str, version: int, *, actor: Actor) -> dict[str, Any]: ...
    # version 0 is the model
    def annotate(
        self,
        name: str,
        version: int,
        *,
        description: str | None,
        tags: dict[str, str],
        removed: Sequence[str],
        actor: Actor,
    ) -> None: ...
    def find(self, reference: str) -> dict[str, Any]: ...
    def manifest(self, name: str, version: int) -> str: ...
    def verify(self, name: str, version: int) -> None: ...
    def model(self, name: str) -> dict[str, Any] | None: ...
    def models(self, after: str, limit: int) -> tuple[list[dict[str, Any]], str]: ...
    def search(self, filter: str, after: str, limit: int) -> tuple[list[dict[str, Any]], str]: ...
    def history(self, name: str, alias: str, limit: int) -> list[dict[str, Any]]: ...
    def audit(self, name: str, after: int, limit: int) -> list[dict[str, Any]]: ...
    # rows, the hash of the last one, what is wrong
    def verify_audit(self) -> tuple[int, str, str]: ...
    def outbox(self, limit: int) -> list[dict[str, Any]]: ...
    def mark_delivered(self, id: int) -> None: ...
    def put_file(self, path: str) -> tuple[str, int]: ...
    def writer(self) -> BlobWriter: ...
    def blob_path(self, digest: str) -> str: ...
    def lease(self, name: str, version: int) -> Lease: ...
    def fsck(self, quick: bool) -> dict[str, Any]: ...
    def collect(self, *, grace_ms: int, dry_run: bool) -> dict[str, Any]: ...
    def back_up(self, folder: str) -> dict[str, Any]: ...

def recover_store(folder: str, *, actor: Actor) -> dict[str, Any]: ...

@final
class TensorSpec:
    def __init__(
        self,
        name: str,
        dtype: str,
        shape: Sequence[int] | None,
        *,
        optional: bool = False,
        shape_tensor: bool = False,
        labels: Sequence[str] = (),
    ) -> None: ...
    @property
    def name(self) -> str: ...
    @property
    def dtype(self) -> str: ...
    @property
    def shape(self) -> list[int] | None: ...
    @property
    def optional(self) -> bool: ...
    @property
    def shape_tensor(self) -> bool: ...

@final
class BatchOptions:
    def __init__(
        self,
        *,
        max_batch_size: int = 1,
        batch_timeout_ms: float = 0.0,
        max_queue_size: int = 1024,
        executors: int = 0,
        batch_policy: str = "eager",
        on_batch_error: str = "split",
        pad: dict[str, float] = ...,
        mask: str = "",
        max_batch_tokens: int = 0,
        weight: float = 1.0,
    ) -> None: ...

@final
class Op:
    """One transformation of tensors, applied row by row of the leading dimension."""

    @staticmethod
    def scale(factor: float, shift: float = 0.0) -> Op: ...
    @staticmethod
    def normalise(mean: Sequence[float], std: Sequence[float], factor: float) -> Op: ...
    @staticmethod
    def softmax() -> Op: ...
    @staticmethod
    def argmax() -> Op: ...
    @staticmethod
    def l2_normalise() -> Op: ...
    @staticmethod
    def mean_pool(mask: str) -> Op: ...
    @property
    def name(self) -> str: ...
    def __call__(self, x: Tensor, context: dict[str, Tensor] = ...) -> Tensor: ...

def top_k(x: Tensor, k: int) -> tuple[Tensor, Tensor]: ...

@final
class Output:
    """One field of a native endpoint's answer: a model output, transformed, then written as JSON.

    An empty field is the whole answer, an empty source the model's only output; render is "values"
    or "top_k".
    """

    def __init__(
        self,
        *,
        field: str,
        source: str,
        ops: Sequence[Op],
        render: str = "values",
        k: int = 0,
        labels: Sequence[str] = (),
    ) -> None: ...

@final
class Field:
    """One key of a typed endpoint's body. dtype "" = any JSON value, kept as its text.

    With media, such as "image/*", a body of such a type may be the field as a whole, and the
    endpoint takes forms: the column of the field has, for what did not come in JSON, a list of
    (form, data, content type, filename), form being t(ext), q(uery), j(son) or f(ile).
    """

    def __init__(
        self,
        name: str,
        *,
        dtype: str = "",
        shape: Sequence[int] = (),
        required: bool = True,
        media: Sequence[str] = (),
    ) -> None: ...

@final
class Engine:
    """Executor threads, clock and core budget; the models it loads share them."""

    def __init__(
        self,
        *,
        cores: int = 0,
        io_threads: int = 0,
        executors: int = 0,
        intra_op_threads: int = 0,
        max_held_bytes: int = 1073741824,
        manual_clock: bool = False,
        log: Callable[[int, str, str, str], None] | None = None,
    ) -> None: ...
    @property
    def budget(self) -> str: ...
    def advance(self, seconds: float) -> None: ...
    # waits until nothing more can happen before time passes; False when `patience_s` was too short
    def settle(self, patience_s: float) -> bool: ...
    def load_model(
        self,
        path: str,
        *,
        name: str,
        version: int,
        inputs: Sequence[TensorSpec] | None,
        outputs: Sequence[TensorSpec] | None,
        batch_dim: bool,
        batching: BatchOptions,
    ) -> Model: ...
    def add_callable(
        self,
        function: Callable[..., Any],
        *,
        name: str,
        fields: Sequence[Field],
        asynchronous: bool,
        contexts: bool,
        streaming: bool,
        heads: bool = False,
        batching: BatchOptions,
    ) -> Model: ...
    def close(self, timeout_s: float = 5.0) -> bool: ...

@final
class Model:
    """A live model with its batcher. Dropping the last reference drains and unloads it."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def platform(self) -> str: ...
    @property
    def inputs(self) -> list[TensorSpec]: ...
    @property
    def outputs(self) -> list[TensorSpec]: ...
    @property
    def batch_dim(self) -> bool: ...
    @property
    def max_batch_size(self) -> int: ...
    # inputs in signature order, each with its leading batch dimension
    # without a caller: on behalf of the requests whose callable runs on this thread
    # local_call: the number that a callable finds in its RequestInfo
    def run(
        self,
        inputs: Sequence[Tensor],
        timeout_s: float,
        caller: Caller | None = None,
        local_call: int = 0,
    ) -> list[Tensor]: ...
    # done(outputs, None) or done(None, error), from a thread of the core that holds the GIL
    def submit(
        self,
        inputs: Sequence[Tensor],
        timeout_s: float,
        done: Callable[[list[Tensor] | None, Exception | None], None],
        caller: Caller | None = None,
        local_call: int = 0,
    ) -> None: ...
    def statistics(self) -> dict[str, Any]: ...

# the descriptor that a worker process finds open
WORKER_FD: int

@final
class WorkerPool:
    """Processes that run `command` and serve the same callables. Made when all are ready."""

    def __init__(
        self,
        engine: Engine,
        *,
        name: str,
        workers: int,
        command: Sequence[str],
        environment: Sequence[str],
        setup: str,
        most_in_flight: int,
    ) -> None: ...
    # the callable at `index` of what the workers serve, as a model
    def add(
        self,
        index: int,
        *,
        name: str,
        fields: Sequence[Field],
        asynchronous: bool,
        idempotent: bool,
        batching: BatchOptions,
    ) -> Model: ...
    @property
    def pids(self) -> list[int]: ...
    def stop(self) -> None: ...

@final
class WorkerSession:
    """The side of a worker process.

    `serve` runs what the server sends until it says stop (True) or has gone (False).
    """

    def __init__(self, fd: int) -> None: ...
    @property
    def setup(self) -> bytes: ...
    def fail(self, reason: str) -> None: ...
    def log(self, level: int, message: str, request_id: str, trace: str) -> None: ...
    # function, fields, asynchronous, contexts: as of Engine.add_callable
    def serve(
        self, callables: Sequence[tuple[Callable[..., Any], Sequence[Field], bool, bool]]
    ) -> bool: ...

@final
class Stage:
    """A model in a pipeline: the name of the tensor for each input and output, "" for none."""

    def __init__(self, model: Model, *, inputs: Sequence[str], outputs: Sequence[str]) -> None: ...

# Models wired together, as a model that needs no executors; options.executors bounds the requests
# that are under way.
def make_pipeline(
    engine: Engine,
    *,
    name: str,
    version: int,
    stages: Sequence[Stage],
    inputs: Sequence[str],
    outputs: Sequence[str],
    batching: BatchOptions,
) -> Model: ...

@final
class RequestInfo:
    """One request of a batch, for a callable that was added with contexts=True; live.

    Every callable gets one for a call by code of this process.
    """

    @property
    def id(self) -> str: ...
    # the client left, or the deadline passed
    @property
    def cancelled(self) -> bool: ...
    # 0 when the deadline has passed, infinity without one
    def remaining_s(self) -> float: ...
    # on the engine's clock, which is time.monotonic() unless it is manual
    @property
    def deadline(self) -> float | None: ...
    # these are empty unless the endpoint was made with asks_origin=True
    @property
    def target(self) -> str: ...
    @property
    def headers(self) -> list[tuple[str, str]]: ...
    @property
    def identity(self) -> str: ...
    # the number that Model.run or submit was given; 0 for a request from outside
    @property
    def local_call(self) -> int: ...

@final
class Caller:
    """The requests that a callable answers, for calls that are made on their behalf."""

@final
class Done:
    """Takes the answers of one asynchronous batch, once."""

    def __call__(self, answers: list[Any]) -> None: ...
    @property
    def caller(self) -> Caller: ...

@final
class LoopEvents:
    """How threads without the GIL wake an event loop: a file that becomes readable."""

    def __init__(self) -> None: ...
    def fileno(self) -> int: ...
    # the numbers of those whom it concerns, each as often as it was told
    def take(self) -> list[int]: ...

@final
class StreamWriter:
    """The writing end of one row's stream; one thread at a time."""

    # 0: there is room for more; 1: wait first, the item was taken; 2: the client left
    def offer(self, item: bytes) -> int: ...
    # until there is room; False when the client left
    def wait(self) -> bool: ...
    @property
    def full(self) -> bool: ...
    @property
    def closed(self) -> bool: ...
    # nothing follows; a failure is (code, status, message, detail). Only the first call counts
    def end(self, failure: tuple[Any, ...] | None = None) -> None: ...
    # `number` is added to the events when there is room again, and when the client leaves
    def watch(self, events: LoopEvents, number: int) -> None: ...

@final
class StreamReader:
    """The reading end of what one row's client sends; one thread at a time."""

    # the bytes that have come and whether they were the last; None when nothing has
    def take(self) -> tuple[bytes, bool] | None: ...
    # `number` is added to the events when something has come
    def watch(self, events: LoopEvents, number: int) -> None: ...

@final
class BatchStreams:
    """The streams of one batch, for a callable that was added with streaming=True."""

    def writers(self) -> list[StreamWriter]: ...
    # of what each row's client sends meanwhile; None where it is nothing
    def readers(self) -> list[StreamReader | None]: ...
    # answers the batch: a failure for a row without a stream, None for the others; with heads=True
    # the heads of the rows
    def begin(self, failures: list[Any], heads: list[bytes] | None = None) -> None: ...
    # the batch is over; what has not ended fails
    def end(self) -> None: ...
    @property
    def caller(self) -> Caller: ...

@final
class Endpoint:
    def __init__(
        self,
        path: str,
        *,
        model: Model,
        fields: Sequence[Field],
        timeout_s: float,
        native: bool,
        asks_origin: bool = False,
        streams: bool = False,
        pre: Sequence[Op] = (),
        outputs: Sequence[Output] = (),
        operation: str = "{}",
        text_model: str = "",
        text_field: str = "",
    ) -> None: ...

@final
class PendingCall:
    """A request that was begun. Dropping it is a client that leaves."""

    # whether wait() returns at once; a deadline that has passed is noticed here
    def done(self) -> bool: ...
    # status, headers and body; the same each time
    def wait(self) -> tuple[int, list[tuple[str, str]], bytes]: ...
    # the same if it is there
    def poll(self) -> tuple[int, list[tuple[str, str]], bytes] | None: ...
    # the next bytes of a stream's body; none at its end
    def read(self) -> bytes: ...
    # adds the number to the events whenever done() may have become true
    def watch(self, events: LoopEvents, number: int) -> None: ...
    # seconds until done() is true in any case; None when it is, or nothing limits it
    def remaining(self) -> float | None: ...
    # as a client that leaves
    def cancel(self) -> None: ...

@final
class Replaced:
    """What was served before a publication."""

    # no request that came under it is left
    @property
    def gone(self) -> bool: ...

# name, default, least, most, what breaking it is answered with, and what it bounds
def limits() -> list[tuple[str, float, float, float, str, str]]: ...

@final
class Repository:
    """The models that clients may load, and the callable that does it when they ask."""

    def __init__(
        self, *, unloaded: Sequence[tuple[str, int]] = (), control: Model | None = None
    ) -> None: ...

@final
class Server:
    def __init__(
        self,
        engine: Engine,
        *,
        host: str = "127.0.0.1",
        port: int = 8000,
        limits: Mapping[str, float] = {},
        request_timeout_s: float = 30.0,
        allowed_hosts: Sequence[str] = (),
        cors_origins: Sequence[str] = (),
        make_traces: bool = False,
        access_log: str = "",
        access_log_json: bool = False,
        compression: str = "asked",
        compress_min_bytes: int = 1024,
        docs_page: str = "",
        title: str = "maas",
    ) -> None: ...
    @property
    def port(self) -> int: ...
    def publish(
        self,
        *,
        models: Sequence[Model],
        endpoints: Sequence[Endpoint],
        mounts: Sequence[tuple[str, Model]] = (),
        components: str = "{}",
        repository: Repository = ...,
    ) -> Replaced: ...
    # not ready, for this reason, until it is told an empty one
    def set_unready(self, reason: str) -> None: ...
    def start(self) -> None: ...
    # readiness off, no new connections, wait for what runs; at the limit the rest is answered with
    # 503 and it is False
    def drain(self, timeout_s: float) -> bool: ...
    def stop(self) -> None: ...
    # one request through the real router, without a socket; it is in its queue when this returns
    def begin(
        self, method: str, target: str, headers: Sequence[tuple[str, str]], body: bytes
    ) -> PendingCall: ...
    # the same, to its answer
    def handle(
        self, method: str, target: str, headers: Sequence[tuple[str, str]], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]: ...
