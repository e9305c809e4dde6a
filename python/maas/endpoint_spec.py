# SPDX-License-Identifier: Apache-2.0
"""What is known of an endpoint: the EndpointSpec that the decorator records on its function.

A spec is pure data, checked when it is made; nothing here touches the core.
"""

from __future__ import annotations

import dis
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from maas import batching, ops, schema
from maas.batching import BatchPolicy, OnBatchError
from maas.errors import InvalidArgumentError

if TYPE_CHECKING:
    from maas.model import Model

RECORD = "__maas_endpoint__"
_PATH = re.compile(r"/[A-Za-z0-9._~/-]*")
_RESERVED = ("/v2", "/livez", "/readyz", "/metrics", "/docs", "/openapi.json")
# A thread costs a stack and a turn at the GIL, a waiting coroutine next to nothing.
DEFAULT_THREADS = 4
DEFAULT_COROUTINES = 256
# A generator's thread is held for as long as its client reads.
DEFAULT_STREAM_THREADS = 32
# One batch at a time: what arrives meanwhile becomes the next one. With more, each free thread or
# coroutine would get a batch of its own, of few rows, and gain nothing under the GIL.
DEFAULT_BATCHES = 1


@dataclass(frozen=True, slots=True)
class EndpointSpec:
    """One endpoint as data: what the decorator records, and what a Service without one takes.

    `max_concurrency` is how many calls may run at once: threads of a `def` (4 unless told
    otherwise, 32 when it is a generator), waiting coroutines of an `async def` (256), batches of a
    batched handler (1). With `workers` there is at least one for each of them.
    """

    path: str
    function: Callable[..., Any]
    max_batch_size: int = 1
    batch_timeout_ms: float = 0.0
    max_queue_size: int = 1024
    max_concurrency: int | None = None
    timeout_s: float = 30.0
    model: Model | None = None
    pre: tuple[ops.Op, ...] = ()
    post: ops.Post = ()
    batch_policy: BatchPolicy = "eager"
    on_batch_error: OnBatchError = "split"
    workers: int = 0
    idempotent: bool = False
    local_names: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        _check_function(self)
        _check_path(self)
        place = f"endpoint {self.name}"
        batching.check(place, self)
        batching.check_number(place, "timeout_s", self.timeout_s, float, 0)
        if self.max_concurrency is not None:
            batching.check_number(place, "max_concurrency", self.max_concurrency, int, 1)
        _check_workers(self)
        object.__setattr__(self, "pre", ops.checked_pre(self.pre))
        object.__setattr__(self, "post", ops.checked_post(self.post))
        _check_body(self)

    @property
    def name(self) -> str:
        """The handler's name, for errors and logs."""
        return getattr(self.function, "__qualname__", type(self.function).__name__).replace(
            "<locals>.", ""
        )

    @property
    def native(self) -> bool:
        """Whether the core answers it without Python."""
        return self.model is not None

    @property
    def place(self) -> str:
        """The file and line of the handler."""
        code = getattr(inspect.unwrap(self.function), "__code__", None)
        return f"{code.co_filename}:{code.co_firstlineno}" if code else self.name

    @property
    def concurrency(self) -> int:
        """`max_concurrency`, or the default of its kind of function."""
        if self.workers and not schema.is_async(self.function):
            return self.workers  # each runs one call at a time
        if self.max_concurrency is not None:
            return max(self.max_concurrency, self.workers)
        if self.max_batch_size > 1:
            return max(DEFAULT_BATCHES, self.workers)
        if schema.is_async(self.function):
            return DEFAULT_COROUTINES
        return DEFAULT_STREAM_THREADS if schema.is_generator(self.function) else DEFAULT_THREADS

    def signature(self) -> schema.Signature:
        """The handler's parameters and result, from its hints."""
        try:
            return _described(self)
        except NameError as error:
            raise InvalidArgumentError(
                f"endpoint {self.name}: a type hint names {error.name!r}, which is not defined"
            ) from None

    def bound_to(self, instance: object) -> EndpointSpec:
        """The same endpoint, its function a method of this instance."""
        return replace(self, function=self.function.__get__(instance))


def spec_of(thing: object) -> EndpointSpec | None:
    """What the decorator recorded on a function or a bound method."""
    function = getattr(thing, "__func__", thing) if inspect.ismethod(thing) else thing
    recorded = inspect.getattr_static(function, RECORD, None)
    return recorded if isinstance(recorded, EndpointSpec) else None


def _check_function(spec: EndpointSpec) -> None:
    function: object = spec.function
    if isinstance(function, type):
        raise InvalidArgumentError(
            f"{function.__name__} is a class: decorate it with @maas.service, and its methods "
            "with @maas.endpoint"
        )
    if isinstance(function, staticmethod | classmethod | property):
        raise InvalidArgumentError(
            f"@maas.endpoint cannot serve a {type(function).__name__}; decorate a plain function "
            "or method"
        )
    if not callable(function):
        raise InvalidArgumentError(
            f"@maas.endpoint decorates a function, and {function!r} cannot be called"
        )
    try:
        inspect.signature(function)
    except (TypeError, ValueError):
        raise InvalidArgumentError(
            f"endpoint {spec.name} does not tell its parameters; wrap it in a function with type "
            "hints"
        ) from None


def _check_path(spec: EndpointSpec) -> None:
    path: object = spec.path
    if not isinstance(path, str) or not _PATH.fullmatch(path):
        raise InvalidArgumentError(
            f"endpoint {spec.name}: the path {path!r} is not like '/predict': a slash, then "
            "letters, digits and . _ ~ - /"
        )
    if path == "/" or "//" in path or (path.endswith("/")):
        raise InvalidArgumentError(
            f"endpoint {spec.name}: the path {path!r} has an empty part; use one like '/predict'"
        )
    if path in _RESERVED or path.startswith("/v2/"):
        raise InvalidArgumentError(
            f"endpoint {spec.name}: the path {path!r} belongs to the server; choose another"
        )


def _check_body(spec: EndpointSpec) -> None:
    empty = _has_no_body(spec.function)
    if spec.native and not empty:
        raise InvalidArgumentError(
            f"endpoint {spec.name}: with model= the core answers, so its body must be `...`; "
            "remove model= to run the body"
        )
    if not spec.native and (spec.pre or spec.post):
        raise InvalidArgumentError(
            f"endpoint {spec.name}: pre and post belong to a native endpoint; add model="
        )
    result = getattr(spec.function, "__annotations__", {}).get("return")
    if not spec.native and empty and result not in (None, "None"):
        raise InvalidArgumentError(
            f"endpoint {spec.name}: its body is `...`; write one, or name the model= that answers"
        )


def _check_workers(spec: EndpointSpec) -> None:
    batching.check_number(f"endpoint {spec.name}", "workers", spec.workers, int, 0)
    if not isinstance(spec.idempotent, bool):
        raise InvalidArgumentError(
            f"endpoint {spec.name}: idempotent is True or False, not {spec.idempotent!r}"
        )
    if not spec.workers:
        return
    if schema.is_generator(spec.function):
        raise InvalidArgumentError(
            f"endpoint {spec.name}: a generator streams from the server's own process; remove "
            "workers=, or return a list"
        )
    if spec.native:
        raise InvalidArgumentError(
            f"endpoint {spec.name}: with model= the core answers, and there is no Python to run in "
            "workers; remove workers="
        )
    if spec.max_concurrency is not None and not schema.is_async(spec.function):
        raise InvalidArgumentError(
            f"endpoint {spec.name}: each of its workers runs one call at a time; remove "
            "max_concurrency, or use more workers"
        )


def _has_no_body(function: Callable[..., Any]) -> bool:
    code = getattr(function, "__code__", None)
    if code is None or code.co_flags & inspect.CO_COROUTINE:
        return False
    steps = [i for i in dis.get_instructions(code) if i.opname not in ("RESUME", "NOP")]
    if len(steps) == 2 and steps[1].opname == "RETURN_VALUE":
        return steps[0].opname == "LOAD_CONST" and steps[0].argval is None
    return len(steps) == 1 and steps[0].opname == "RETURN_CONST" and steps[0].argval is None


def check_hints(spec: EndpointSpec) -> None:
    """Hints that can be read now are checked now; a name defined later waits until serving."""
    try:
        _described(spec)
    except NameError:
        return


def _described(spec: EndpointSpec) -> schema.Signature:
    signature = schema.describe(spec.function, f"endpoint {spec.name}", spec.local_names)
    if spec.native and signature.context is not None:
        raise InvalidArgumentError(
            f"endpoint {spec.name}: {signature.context!r} is a maas.Context, and a native endpoint "
            "has no code to read it; remove the parameter, or model= and write a body"
        )
    return signature
