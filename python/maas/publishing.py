# SPDX-License-Identifier: Apache-2.0
"""A Service -> the core's models and endpoints, which a server publishes all at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from maas import asgi, batching, handler, openapi, ops, streaming
from maas.errors import InvalidArgumentError, from_core
from maas.types import Tensor, closest

if TYPE_CHECKING:
    from maas import _core
    from maas.asgi import Mount
    from maas.endpoint import EndpointSpec
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


def prepare(
    service: Service, on: _core.Engine, lifespans: Mapping[Mount, asgi.Lifespan] | None = None
) -> Publication:
    """Makes everything a service needs on an engine; nothing is served yet if it fails.

    `lifespans` are those of its mounts, begun.
    """
    from maas import _core

    begun = lifespans or {}
    described = [(spec, spec.signature()) for spec in service.endpoints]
    operations, components = openapi.document(described)
    callables: dict[str, _core.Model] = {}
    endpoints = []
    try:
        for (spec, signature), operation in zip(described, operations, strict=True):
            if spec.model is None:
                callables[spec.path] = _callable(spec, signature, on)
                made = _plain(spec, signature, callables[spec.path], json.dumps(operation))
            else:
                made = _native(spec, signature, spec.model.core(on), json.dumps(operation))
            endpoints.append(made)
        models = [model.core(on) for model in service.models]
        mounts = [(item.path, _mounted(item, begun[item].state, on)) for item in service.mounts]
    except _core.CoreError as error:
        raise from_core(error) from None
    callables |= {path or "/": model for path, model in mounts}
    return Publication(models, endpoints, callables, mounts, json.dumps(components))


def _mounted(item: Mount, state: dict[str, Any], on: _core.Engine) -> _core.Model:
    from maas import _core

    return on.add_callable(
        asgi.serve_requests(item, state),
        name=item.path or "/",
        fields=[_core.Field(name) for name in asgi.COLUMNS],
        asynchronous=True,
        contexts=False,
        streaming=True,
        heads=True,
        batching=_core.BatchOptions(executors=asgi.MAX_CONCURRENCY),
    )


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
        fields=_fields(signature.parameters),
        asynchronous=asynchronous,
        contexts=signature.context is not None,
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
        fields=_fields(signature.parameters),
        timeout_s=spec.timeout_s,
        native=False,
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


def _fields(parameters: tuple[Parameter, ...]) -> list[_core.Field]:
    from maas import _core

    return [
        _core.Field(item.name, dtype=item.tensor.dtype, shape=item.tensor.shape)
        if item.tensor is not None
        else _core.Field(item.name, required=item.required)
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
    if given.kind == "json":
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
