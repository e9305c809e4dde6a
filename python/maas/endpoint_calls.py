# SPDX-License-Identifier: Apache-2.0
"""Calls of an endpoint by code of this process.

Within a handler, calling the function of another endpoint is one request of one row: it goes to
that endpoint's batcher, with the id, deadline, priority and cancellation of the request that is
being answered. Values go by reference, but for workers, whose memory is their own. Where the
endpoint is not served (in a worker, in a script) its function runs at once, with a batch of one.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from maas import arrays, calls, encoding, engine, ops, schema
from maas.calls import LocalCall
from maas.context import running
from maas.files import File
from maas.reading import Reader, Unreadable, reader

if TYPE_CHECKING:
    from maas import _core
    from maas.endpoint_spec import EndpointSpec
    from maas.schema import Parameter, Signature

Function = Callable[..., Any]
Key = tuple[Function, int]


def routed(spec: EndpointSpec) -> Function:
    """What the decorator gives for a function.

    Within a handler it asks the endpoint, elsewhere it is the function; so it is within its own
    handler, where it is an ordinary recursion. A generator is always itself.
    """
    function = spec.function
    if not inspect.isfunction(function) or schema.is_generator(function):
        return function
    if spec.native:

        @functools.wraps(function)
        def ask(*args: Any, **named: Any) -> Any:
            return _ask(spec, args, named)

        return ask
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def ask_or_await(*args: Any, **named: Any) -> Any:
            if running.get() in (None, function):
                return await function(*args, **named)
            return await _ask(spec, args, named)

        return ask_or_await

    @functools.wraps(function)
    def ask_or_call(*args: Any, **named: Any) -> Any:
        if running.get() in (None, function):
            return function(*args, **named)
        return _ask(spec, args, named)

    return ask_or_call


class Target:
    """An endpoint that can be asked for one row."""

    def __init__(
        self, spec: EndpointSpec, signature: Signature, core: _core.Model | None = None
    ) -> None:
        self.spec = spec
        self.key = _key(spec.function)
        self._core = core  # None: nobody serves it
        self._signature = signature
        self._parameters = {item.name: item for item in signature.parameters}
        self._readers = {name: reader(item) for name, item in self._parameters.items()}
        self._bind = inspect.signature(spec.function).bind_partial

    def __call__(self, args: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
        """The answer to one row; awaitable where an event loop runs."""
        given = self._bind(*args, **named).arguments
        context = given.pop(self._signature.context or "", None)
        values = self._values(given)
        if self.spec.model is not None:
            return self._from_model(self._core or self.spec.model.core(engine.default()), values)
        if self._core is None:
            return self._from_function(values, context)
        if self.spec.workers:
            return self._from_core(
                self._core,
                [self._input(name, values, encoding.to_json) for name in self._parameters],
                self._read,
            )
        local = LocalCall(values)
        inputs = [self._input(name, values, lambda _: b"") for name in self._parameters]
        return self._from_core(self._core, inputs, lambda _: local.result, local)

    def _values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        values = {}
        for name, item in self._parameters.items():
            if name not in given:
                if item.required:
                    raise TypeError(f"endpoint {self.spec.name}: missing the argument {name!r}")
                values[name] = item.default
                continue
            try:
                values[name] = self._readers[name].own(given[name])
            except (ValueError, TypeError) as error:
                raise TypeError(
                    f"endpoint {self.spec.name}: the argument {name!r} does not fit: {error}"
                ) from None
        return values

    def _input(
        self, name: str, values: Mapping[str, Any], text: Callable[[Any], bytes]
    ) -> _core.Tensor:
        from maas import _core

        if self._parameters[name].kind == "tensor":
            assert self._core is not None
            spec = next(item for item in self._core.inputs if item.name == name)
            return arrays.to_core(_row(values[name]), spec, self._core)
        return _core.Tensor.from_strings([text(values[name])], (1,))

    def _from_core(
        self,
        core: _core.Model,
        inputs: list[_core.Tensor],
        finished: Callable[[list[_core.Tensor]], Any],
        local: LocalCall | None = None,
    ) -> Any:
        loop = calls.running_loop()
        if loop is None:
            return finished(calls.run(core, inputs, self.spec.timeout_s, local))
        return calls.submit(loop, core, inputs, self.spec.timeout_s, finished, local)

    def _read(self, outputs: list[_core.Tensor]) -> Any:
        """What a worker answered, as the handler's return hint has it."""
        from pydantic_core import from_json

        body, content_type = (item.strings()[0] for item in outputs)
        result = self._signature.result
        if content_type not in (b"", b"application/json"):
            file = File(body, "", content_type.decode())
            return result.media.from_file(file) if result and result.media else file
        if result is not None:
            read: Reader = reader(_as_array(result))
            value = read.rows([body])[0]
            if not isinstance(value, Unreadable):
                return value
        return from_json(body)  # no hint, or one that is not what the handler returns

    def _from_model(self, core: _core.Model, values: dict[str, Any]) -> Any:
        rows = {
            name: functools.reduce(lambda x, op: op(x), self.spec.pre, _row(value))
            for name, value in values.items()
            if value is not None
        }
        inputs = arrays.inputs_of(core, (), rows)

        def finished(outputs: list[_core.Tensor]) -> Any:
            found = arrays.outputs_of(core, outputs)
            post = self.spec.post
            if not isinstance(post, Mapping):
                return _rendered(post, found, rows)
            return {field: _rendered(chain, found, rows) for field, chain in post.items()}

        return self._from_core(core, inputs, finished)

    def _from_function(self, values: dict[str, Any], context: Any) -> Any:
        arguments = values
        batched = self.spec.max_batch_size > 1
        if batched:
            arguments = {
                name: read.take(
                    _row(values[name])
                    if self._parameters[name].kind == "tensor"
                    else [values[name]],
                    [0],
                )
                for name, read in self._readers.items()
            }
        if self._signature.context is not None:
            arguments = {**arguments, self._signature.context: [context] if batched else context}
        function = self.spec.function
        if self._signature.asynchronous:
            return _awaited(function, arguments, batched)
        if calls.running_loop() is not None:
            from asyncio import to_thread

            return _awaited(functools.partial(to_thread, function), arguments, batched)
        result = function(**arguments)
        return next(iter(result)) if batched else result


# By function and, of a method, by the id of its instance, which the target keeps.
_served: WeakValueDictionary[Key, Target] = WeakValueDictionary()
_alone: dict[Key, Target] = {}


def serve(target: Target) -> None:
    """From now on calls of its function come here, as long as somebody keeps the target."""
    _served[target.key] = target


def _ask(spec: EndpointSpec, args: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    owner = _owner(spec.function, args)
    key = (spec.function, 0 if owner is None else id(owner))
    target = _served.get(key) or _alone.get(key)
    if target is None:
        bound = spec if owner is None else spec.bound_to(owner)
        target = _alone[key] = Target(bound, bound.signature())
    return target(args if owner is None else args[1:], named)


def _owner(function: Function, args: tuple[Any, ...]) -> object | None:
    """The instance whose method was called."""
    if not args:
        return None
    name = getattr(function, "__name__", "")
    for base in type(args[0]).__mro__:
        if getattr(vars(base).get(name), "__wrapped__", None) is function:
            owner: object = args[0]
            return owner
    return None


def _key(function: Function) -> Key:
    owner = getattr(function, "__self__", None)
    return getattr(function, "__func__", function), 0 if owner is None else id(owner)


def _row(value: Any) -> Any:
    import numpy as np

    return value[None] if hasattr(value, "__dlpack__") else np.asarray(value)[None]


def _as_array(result: Parameter) -> Parameter:
    if result.kind != "tensor" or result.tensor is None:
        return result
    return replace(result, kind="array", dtype=result.tensor.dtype)


def _rendered(chain: ops.Chain, outputs: Mapping[str, Any], inputs: Mapping[str, Any]) -> Any:
    """The one row of an answer: what the core writes, as values."""
    first = chain[0] if chain else None
    steps = chain[1:] if isinstance(first, ops.Output) else chain
    value = outputs[first.name] if isinstance(first, ops.Output) else next(iter(outputs.values()))
    for op in steps:
        assert isinstance(op, ops.Op)
        context = {name: inputs[name] for name in op.arguments if name in inputs}
        value = op(value, **context)
    return value[0]


async def _awaited(function: Function, arguments: Mapping[str, Any], batched: bool) -> Any:
    result = await function(**arguments)
    return next(iter(result)) if batched else result
