# SPDX-License-Identifier: Apache-2.0
"""A Service -> the core's models and endpoints, which a server publishes all at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from maas import asgi, batching, endpoint_calls, handler, openapi, ops, streaming, workers
from maas.errors import InvalidArgumentError, from_core
from maas.types import Tensor, closest

if TYPE_CHECKING:
    from maas import _core
    from maas.asgi import Mount
    from maas.endpoint_spec import EndpointSpec
    from maas.schema import Parameter, Signature
    from maas.service import Service


@dataclass(frozen=True, slots=True)
class Publication:
    """What a server routes to: made as a whole, then swapped in."""

    models: list[_core.Model]
    endpoints: list[_core.Endpoint]
    callables: dict[str, _core.Model]  # by path
    mounts: list[tuple[str, _core.Model]]
    components: str
    pools: list[_core.WorkerPool]  # of the callables that run in workers
    targets: list[endpoint_calls.Target]  # for calls by handlers

    def announce(self) -> None:
        """From now on, calls of endpoints by handlers come here."""
        for target in self.targets:
            endpoint_calls.serve(target)

    def stop_workers(self) -> None:
        """Ends the worker processes; what is published is not served any more."""
        for pool in self.pools:
            pool.stop()


class Past:
    """What was served before; idle once the last request that came under it is answered."""

    def __init__(self, replaced: _core.Replaced, publication: Publication | None) -> None:
        self._replaced = replaced
        self._callables = list(publication.callables.values()) if publication else []

    def idle(self) -> bool:
        """Whether none of its requests is left, also none whose client has gone."""
        return self._replaced.gone and not any(
            item.statistics()["in_flight"] for item in self._callables
        )


def prepare(service: Service, on: _core.Engine) -> Publication:
    """Makes everything a service needs on an engine; nothing is served yet if it fails."""
    from maas import _core

    described = [(spec, spec.signature()) for spec in service.endpoints]
    operations, components = openapi.document(described)
    callables: dict[str, _core.Model] = {}
    endpoints = []
    targets = []
    try:
        remote, pools = _in_workers(described, on)
        for (spec, signature), operation in zip(described, operations, strict=True):
            if spec.model is None:
                callables[spec.path] = remote.get(spec.path) or _callable(spec, signature, on)
                made = _plain(spec, signature, callables[spec.path], json.dumps(operation))
            else:
                made = _native(spec, signature, spec.model.core(on), json.dumps(operation))
            endpoints.append(made)
            core = spec.model.core(on) if spec.model else callables[spec.path]
            targets.append(endpoint_calls.Target(spec, signature, core))
        models = [model.core(on) for model in service.models]
        mounts = [(item.path, _mounted(item, on)) for item in service.mounts]
    except _core.CoreError as error:
        raise from_core(error) from None
    callables |= {path or "/": model for path, model in mounts}
    return Publication(models, endpoints, callables, mounts, json.dumps(components), pools, targets)


def _mounted(item: Mount, on: _core.Engine) -> _core.Model:
    from maas import _core

    return on.add_callable(
        asgi.serve_requests(item),
        name=item.path or "/",
        fields=[_core.Field(name) for name in asgi.COLUMNS],
        asynchronous=True,
        contexts=False,
        streaming=True,
        heads=True,
        batching=_core.BatchOptions(executors=asgi.MAX_CONCURRENCY),
    )


def _in_workers(
    described: list[tuple[EndpointSpec, Signature]], on: _core.Engine
) -> tuple[dict[str, _core.Model], list[_core.WorkerPool]]:
    """The callables that run in workers, by path; the endpoints of a service share a pool."""
    groups: dict[int, list[workers.Remote]] = {}
    for spec, signature in described:
        if spec.workers:
            key = id(workers.service_of(spec) or spec)
            remote = workers.Remote(spec, signature, fields(signature.parameters))
            groups.setdefault(key, []).append(remote)
    models: dict[str, _core.Model] = {}
    pools = []
    for group in groups.values():
        pool, made = workers.start(group, on)
        pools.append(pool)
        models.update(made)
    return models, pools


def _callable(spec: EndpointSpec, signature: Signature, on: _core.Engine) -> _core.Model:
    adapter = handler.Adapter(spec, signature)
    asynchronous = signature.asynchronous
    kind = streaming if signature.streaming else handler
    make: Callable[[handler.Adapter], Callable[..., Any]] = (
        kind.asynchronous if asynchronous else kind.synchronous
    )
    return on.add_callable(
        make(adapter),
        name=spec.path,
        fields=fields(signature.parameters),
        asynchronous=asynchronous,
        contexts=signature.asks_origin,
        streaming=signature.streaming,
        batching=batching.core_options(spec, spec.concurrency),
    )


def _plain(
    spec: EndpointSpec, signature: Signature, model: _core.Model, operation: str
) -> _core.Endpoint:
    from maas import _core

    return _core.Endpoint(
        spec.path,
        model=model,
        fields=fields(signature.parameters),
        timeout_s=spec.timeout_s,
        native=False,
        asks_origin=signature.asks_origin,
        streams=signature.streaming,
        operation=operation,
    )


def _native(
    spec: EndpointSpec, signature: Signature, model: _core.Model, operation: str
) -> _core.Endpoint:
    from maas import _core

    post = spec.post if isinstance(spec.post, Mapping) else {"": spec.post}
    return _core.Endpoint(
        spec.path,
        model=model,
        fields=_native_fields(spec, signature, model),
        timeout_s=spec.timeout_s,
        native=True,
        pre=[op.core() for op in spec.pre],
        outputs=[
            ops.rendering(field, _checked_source(spec, chain, model))
            for field, chain in post.items()
        ],
        operation=operation,
    )


def fields(parameters: tuple[Parameter, ...]) -> list[_core.Field]:
    """The core's form of a handler's parameters."""
    from maas import _core

    return [
        _core.Field(item.name, dtype=item.tensor.dtype, shape=item.tensor.shape)
        if item.tensor is not None
        else _core.Field(
            item.name, required=item.required, media=item.media.takes if item.media else ()
        )
        for item in parameters
    ]


def _native_fields(
    spec: EndpointSpec, signature: Signature, model: _core.Model
) -> list[_core.Field]:
    """The fields in the order of the model's inputs; each needs one, but for optional inputs."""
    from maas import _core

    given = {item.name: item for item in signature.parameters}
    known = [item.name for item in model.inputs]
    needed = [item.name for item in model.inputs if not item.optional]
    if not set(needed) <= set(given) <= set(known):
        raise InvalidArgumentError(
            f"endpoint {spec.name} has the parameters {_listed(given)}, and model "
            f"{model.name!r} has the inputs {_listed(known)}; the names must be the same"
        )
    fields = []
    for item in model.inputs:
        if item.name not in given:
            continue  # optional: the model does without, or the batcher supplies it
        tensor = _native_tensor(spec, given[item.name], item)
        fields.append(_core.Field(item.name, dtype=tensor.dtype, shape=tensor.shape))
    return fields


def _checked_source(spec: EndpointSpec, chain: ops.Chain, model: _core.Model) -> ops.Chain:
    """The chain, after checking that it starts from one output that the model has."""
    known = [item.name for item in model.outputs]
    first = chain[0] if chain else None
    if isinstance(first, ops.Output):
        if first.name not in known:
            raise InvalidArgumentError(
                f"endpoint {spec.name}: model {model.name!r} has no output {first.name!r}"
                f"{closest(first.name, known) or f'; it has {_listed(known)}'}"
            )
    elif len(known) != 1:
        raise InvalidArgumentError(
            f"endpoint {spec.name}: model {model.name!r} has the outputs {_listed(known)}; start "
            f"each chain of post with one, such as maas.ops.output({known[0]!r})"
        )
    return chain


def _native_tensor(spec: EndpointSpec, given: Parameter, known: _core.TensorSpec) -> Tensor:
    place = f"endpoint {spec.name}: parameter {given.name!r}"
    if given.kind in ("json", "media"):
        raise InvalidArgumentError(
            f"{place} is no array, and a native endpoint takes arrays alone; annotate it as "
            'Annotated[np.ndarray, maas.Tensor("float32", [4])]'
        )
    declared = Tensor(known.dtype, known.shape) if known.dtype and known.shape is not None else None
    if given.tensor is None:
        if declared is None:
            raise InvalidArgumentError(
                f"{place} needs a dtype and shape: Annotated[..., maas.Tensor(...)]"
            )
        return declared
    if not spec.pre and declared is not None and not _fits(given.tensor, declared):
        raise InvalidArgumentError(
            f"{place} is {given.tensor}, and the model's input is {declared}; declare the same, or "
            "convert it with pre="
        )
    return given.tensor


def _fits(given: Tensor, declared: Tensor) -> bool:
    return (
        given.dtype == declared.dtype
        and len(given.shape) == len(declared.shape)
        and all(-1 in (a, b) or a == b for a, b in zip(given.shape, declared.shape, strict=True))
    )


def _listed(names: Any) -> str:
    return ", ".join(sorted(names)) or "none"
