# SPDX-License-Identifier: Apache-2.0
"""Handles of loaded models: what maas.load gives, what endpoints name and handlers call."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maas import arrays, batching, calls, declarations, engine, stored, warming
from maas.batching import BatchPolicy, OnBatchError
from maas.errors import InvalidArgumentError, NotFoundError, from_core
from maas.types import Tensor, closest

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable

    from maas import _core

# The models that are loaded while a target's file runs, when somebody wants to know.
_loaded: ContextVar[list[Model] | None] = ContextVar("maas_loaded", default=None)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
TIMEOUT_S = 30.0


def is_model_name(name: object) -> bool:
    """Whether this can name a model."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def check_name(name: object) -> None:
    """Raises an error when this cannot name a model."""
    if not is_model_name(name):
        raise InvalidArgumentError(
            f"model name {name!r} is not letters, digits and . _ - (at most 128)"
        )


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """How a model file is loaded: the arguments of maas.load."""

    path: str
    name: str
    inputs: Mapping[str, Tensor] | None
    outputs: Mapping[str, Tensor] | None
    batch_dim: bool
    max_batch_size: int
    batch_timeout_ms: float
    max_queue_size: int
    executors: int
    batch_policy: BatchPolicy
    on_batch_error: OnBatchError
    pad: Mapping[str, float] | None
    mask: str | None
    max_batch_tokens: int
    weight: float

    def __post_init__(self) -> None:
        check_name(self.name)
        for kind in ("inputs", "outputs"):
            declarations.check_tensors(self.name, kind, getattr(self, kind))
        place = f"model {self.name!r}"
        batching.check(place, self)
        batching.check_number(place, "executors", self.executors, int, 0)
        batching.check_weight(place, self.weight)
        padding = batching.Padding(self.pad, self.mask, self.max_batch_tokens)
        padding.check(place, self.inputs, self.outputs)
        if not self.batch_dim and (self.max_batch_size > 1 or self.pad):
            raise InvalidArgumentError(
                f"{place} has no batch dimension (batch_dim=False), so max_batch_size stays 1 and "
                "nothing is padded"
            )


@dataclass(frozen=True, slots=True)
class Loaded:
    """One version of a model, with what it has on each engine."""

    spec: ModelSpec
    version: int
    cores: dict[_core.Engine, _core.Model]
    held: stored.StoredModel | None  # keeps its files, and it from being deleted


class Model:
    """A loaded model. Calling it goes to the core's batcher, which all callers share.

    Arrays carry the leading batch dimension. `model(x)` and `model(name=x)` return a dict of
    arrays by output name; inside a running event loop they return an awaitable of it. `run` always
    waits for the result, also in a notebook cell. Any thread may call it. A handler's calls have
    the id, the priority and at most the deadline of the request it answers, and end when its client
    leaves.
    """

    def __init__(
        self,
        spec: ModelSpec,
        held: stored.StoredModel | None = None,
        reference: str | None = None,
        of_version: Collection[str] = (),
    ) -> None:
        self.follows = reference  # of the registry, when it may come to name another version
        self._of_version = of_version  # what of the spec each version says itself
        self._lock = threading.Lock()
        self._loaded = Loaded(spec, held.version if held else 1, {}, held)
        self.core(engine.default())

    def __repr__(self) -> str:
        return f"maas.Model({self.name!r}, version={self.version}, path={self.spec.path!r})"

    @property
    def spec(self) -> ModelSpec:
        """How the version that serves was loaded."""
        return self._loaded.spec

    @property
    def version(self) -> int:
        """The version that serves."""
        return self._loaded.version

    @property
    def name(self) -> str:
        """The name it answers at: /v2/models/{name}."""
        return self.spec.name

    @property
    def source(self) -> str:
        """Where it comes from, for errors."""
        return self.spec.path

    @property
    def inputs(self) -> dict[str, Tensor]:
        """The spec of one row of each input whose shape is known, in the model's order."""
        return declarations.row_specs(self.core(engine.default()).inputs)

    @property
    def outputs(self) -> dict[str, Tensor]:
        """The spec of one row of each output whose shape is known."""
        return declarations.row_specs(self.core(engine.default()).outputs)

    @property
    def signature(self) -> dict[str, Any]:
        """All that is known of its tensors, in the form of the registry's manifests."""
        return stored.signature_of(self.core(engine.default()))

    @property
    def stats(self) -> dict[str, Any]:
        """Live statistics of the model: requests, batches, times."""
        return self.core(engine.default()).statistics()

    def __call__(self, *args: Any, **inputs: Any) -> Any:
        """The outputs for these inputs; awaitable where an event loop runs."""
        loop = calls.running_loop()
        if loop is None:
            return self.run(*args, **inputs)
        return self._submit(loop, args, inputs)

    def run(self, *args: Any, **inputs: Any) -> dict[str, Any]:
        """The outputs for these inputs, by name; waits for them."""
        core = self.core(engine.default())
        outputs = calls.run(core, arrays.inputs_of(core, args, inputs), TIMEOUT_S)
        return arrays.outputs_of(core, outputs)

    def core(self, on: _core.Engine) -> _core.Model:
        """The core's model on an engine, loaded there when it is not yet."""
        with self._lock:
            now = self._loaded
            if on not in now.cores:
                now.cores[on] = load_core(now.spec, now.version, on)
            return now.cores[on]

    def replace(self, path: str) -> None:
        """Makes this handle a new version, of another file and no alias; the old one drains."""
        self.follows = None
        spec, on = replace(self.spec, path=path), engine.default()
        version = self.version + 1
        self.become(Loaded(spec, version, {on: load_core(spec, version, on)}, None))

    def prepare(self, held: stored.StoredModel) -> Loaded:
        """Loads another version of the registry wherever this one is, and warms it up."""
        said = {key: getattr(held, key) for key in self._of_version}
        spec = replace(self.spec, path=str(held.path), **said)
        cores = {on: load_core(spec, held.version, on) for on in list(self._loaded.cores)}
        for core in cores.values():
            warming.warm(core, spec.max_batch_size, held.sample)
        return Loaded(spec, held.version, cores, held)

    def become(self, loaded: Loaded) -> Loaded:
        """Makes this handle that version, from the next use on, and gives the one before."""
        with self._lock:
            before, self._loaded = self._loaded, loaded
            return before

    def reload(self, on: _core.Engine) -> None:
        """Reads the file again, as the same version; who runs the old one finishes with it."""
        self._loaded.cores[on] = load_core(self.spec, self.version, on)

    def release(self, on: _core.Engine) -> None:
        """Lets go of what it has on an engine; the next use loads it again."""
        self._loaded.cores.pop(on, None)

    def _submit(
        self, loop: asyncio.AbstractEventLoop, args: tuple[Any, ...], inputs: dict[str, Any]
    ) -> Awaitable[dict[str, Any]]:
        core = self.core(engine.default())
        return calls.submit(
            loop,
            core,
            arrays.inputs_of(core, args, inputs),
            TIMEOUT_S,
            lambda outputs: arrays.outputs_of(core, outputs),
        )


def load(  # noqa: PLR0913 - the settled public signature
    path: str | os.PathLike[str],
    name: str | None = None,
    inputs: Mapping[str, Tensor] | None = None,
    outputs: Mapping[str, Tensor] | None = None,
    max_batch_size: int = 1,
    batch_timeout_ms: float = 0.0,
    max_queue_size: int = 1024,
    executors: int = 0,
    batch_dim: bool = True,
    batch_policy: BatchPolicy = "eager",
    on_batch_error: OnBatchError = "split",
    pad: Mapping[str, float] | None = None,
    mask: str | None = None,
    max_batch_tokens: int = 0,
    weight: float = 1.0,
) -> Model:
    """Loads a model file, or a version of the registry (``iris``, ``iris:2``, ``iris@champion``).

    The handle's model is served at /v2/models/{name}.

    `inputs` and `outputs` name the tensors and describe one row of each; without them the core
    takes what the file tells. The name is the file's unless given. `executors` is how many threads
    run the one copy of the model; 0 takes what the core budget gives, and `weight` is its share of
    their time beside other models. With `pad`, such as ``{"input_ids": 0}``, requests of different
    lengths share batches: shorter ones are filled up, the input `mask` tells what is real, and rows
    times length stay within `max_batch_tokens` (0: no bound). docs/guide/batching.md explains every
    option. A relative path is looked for in the working directory, then beside the calling file.
    """
    caller = sys._getframe(1).f_globals
    # The package's own calls (a target, maas.yaml) name files for the working directory alone.
    ours = str(caller.get("__name__", "")).partition(".")[0] == "maas"
    file = None if ours else caller.get("__file__")
    of_version: list[str] = []
    held = None if os.path.exists(path) else stored.find(path)  # noqa: PTH110 - any kind of path
    if held is None:
        found = find_file(path, Path(file).parent if file else None)
    else:
        found = held.path
        name = held.name if name is None else name
        unsaid = {"inputs": not inputs, "outputs": not outputs, "batch_dim": batch_dim}
        of_version = [key for key, wanted in unsaid.items() if wanted]
        inputs, outputs = inputs or held.inputs, outputs or held.outputs
        batch_dim = batch_dim and held.batch_dim
    made = Model(
        ModelSpec(
            path=str(found),
            name=re.sub(r"[^A-Za-z0-9._-]", "-", found.stem) if name is None else name,
            inputs=inputs,
            outputs=outputs,
            batch_dim=batch_dim,
            max_batch_size=max_batch_size,
            batch_timeout_ms=batch_timeout_ms,
            max_queue_size=max_queue_size,
            executors=executors,
            batch_policy=batch_policy,
            on_batch_error=on_batch_error,
            pad=pad,
            mask=mask,
            max_batch_tokens=max_batch_tokens,
            weight=weight,
        ),
        held,
        os.fspath(path) if held is not None and stored.follows(os.fspath(path)) else None,
        of_version,
    )
    if (loaded := _loaded.get()) is not None:
        loaded.append(made)
    return made


@contextmanager
def loaded_meanwhile() -> Iterator[list[Model]]:
    """The models that maas.load makes inside the `with` block, bound to a name or not."""
    found: list[Model] = []
    token = _loaded.set(found)
    try:
        yield found
    finally:
        _loaded.reset(token)


def find_file(path: str | os.PathLike[str], beside: Path | None) -> Path:
    """The model file, in the working directory or beside the file that names it."""
    path = os.fspath(path)
    places = [Path.cwd(), *([beside.resolve()] if beside else [])]
    for place in places:
        candidate = place / Path(path).expanduser()
        if candidate.is_file():
            return candidate
        if candidate.is_dir():
            raise InvalidArgumentError(f"{path!r} is a folder; name the model file in it")
    looked = " or ".join(dict.fromkeys(str(place) for place in places))
    folders = [(place / Path(path).expanduser()).parent for place in places]
    siblings = [f.name for folder in folders if folder.is_dir() for f in folder.glob("*.[pt]*")]
    hint = closest(Path(path).name, siblings)
    where = "" if Path(path).is_absolute() else f" in {looked}"
    raise NotFoundError(
        f"model file {path!r} was not found{where}{hint or '; check the path or save it first'}"
    )


def load_core(spec: ModelSpec, version: int, on: _core.Engine) -> _core.Model:
    """Loads a model into an engine."""
    from maas import _core

    options = batching.core_options(
        spec,
        spec.executors,
        pad=dict(spec.pad or {}),
        mask=spec.mask or "",
        max_batch_tokens=spec.max_batch_tokens,
        weight=spec.weight,
    )
    try:
        return on.load_model(
            spec.path,
            name=spec.name,
            version=version,
            inputs=declarations.core_specs(spec.inputs, spec.mask),
            outputs=declarations.core_specs(spec.outputs),
            batch_dim=spec.batch_dim,
            batching=options,
        )
    except _core.CoreError as error:
        raise from_core(error) from None
