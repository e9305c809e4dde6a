# SPDX-License-Identifier: Apache-2.0
"""Type hints of a handler -> its parameters: what each is read from and what it is checked by.

A hint describes one row. Four kinds: a tensor with declared dtype and shape, which the core
parses; a bare array, whose shape is what the request sends; media (bytes, files, images, tables),
which may be a body or a part of a form; any other JSON value, which pydantic checks. pydantic is
imported when the first handler with such a value is described.
"""

from __future__ import annotations

import functools
import inspect
import operator
import sys
import typing
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Generator,
    Iterable,
    Iterator,
    Mapping,
)
from dataclasses import dataclass, is_dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast, get_args, get_origin

from maas.context import Context
from maas.errors import InvalidArgumentError
from maas.files import Media
from maas.media import media_of
from maas.types import Tensor

if TYPE_CHECKING:
    import pydantic

_REMEDY = (
    "use str, int, float, bool, bytes, list, dict, a dataclass, a TypedDict, a pydantic model, "
    "maas.File, PIL.Image.Image, pandas.DataFrame, or "
    'Annotated[np.ndarray, maas.Tensor("float32", [4])]'
)


_ITERATORS = (Iterator, Generator, Iterable, AsyncIterator, AsyncGenerator, AsyncIterable)
Library = Literal["numpy", "torch"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One key of an endpoint's body."""

    name: str
    kind: Literal["tensor", "array", "json", "media"]
    tensor: Tensor | None = None  # of a tensor
    dtype: str = ""  # of an array, when its hint gives one
    library: Library = "numpy"  # whose arrays or tensors the handler gets
    media: Media | None = None  # of media
    many: bool = False  # a list of media
    nullable: bool = False  # media, or None
    adapter: pydantic.TypeAdapter[Any] | None = None  # of a JSON value
    strict: bool | None = None  # how its validator is called; None leaves it to the type
    required: bool = True
    default: Any = None


@dataclass(frozen=True, slots=True)
class Signature:
    """What a handler takes and gives."""

    parameters: tuple[Parameter, ...]
    result: Parameter | None  # None when no hint says what the answer looks like
    asynchronous: bool
    streaming: bool = False  # a generator; `result` is one of its items
    context: str | None = None  # the parameter that gets the request's context

    @property
    def gives(self) -> tuple[str, ...]:
        """The media types of the answer; it is the client's choice when there are several."""
        one = self.result if not self.streaming else None
        if one is None or one.media is None or one.many:
            return ("application/json",)
        return one.media.gives

    @property
    def asks_origin(self) -> bool:
        """Whether what calls the handler looks at the head of the request."""
        return self.context is not None or len(self.gives) > 1


def describe(
    function: Callable[..., Any], name: str, local_names: Mapping[str, Any] | None = None
) -> Signature:
    """The signature of a handler; an error names the handler, the parameter and the remedy.

    Raises NameError when a hint written as text names something that is not defined yet.
    """
    hints = _hints(function, dict(local_names or {}))
    items = _handler_parameters(function, name)
    contexts = [item.name for item in items if _is_context(hints.get(item.name))]
    if len(contexts) > 1:
        raise InvalidArgumentError(
            f"{name}: {' and '.join(map(repr, contexts))} are both a maas.Context; keep one"
        )
    parameters = tuple(
        _parameter(item, hints, f"{name}: parameter {item.name!r}")
        for item in items
        if item.name not in contexts
    )
    result = hints.get("return", inspect.Parameter.empty)
    streaming = is_generator(function)
    return Signature(
        parameters=parameters,
        context=contexts[0] if contexts else None,
        result=_result(_item(result) if streaming else result),
        asynchronous=is_async(function),
        streaming=streaming,
    )


def is_async(function: Callable[..., Any]) -> bool:
    """Whether a call gives a coroutine or an asynchronous generator."""
    return _is(inspect.iscoroutinefunction, function) or _is(inspect.isasyncgenfunction, function)


def is_generator(function: Callable[..., Any]) -> bool:
    """Whether a call gives a generator of either kind."""
    return _is(inspect.isgeneratorfunction, function) or _is(inspect.isasyncgenfunction, function)


def _is(what: Callable[[Any], bool], function: Any) -> bool:
    return what(function) or what(getattr(function, "__call__", None))  # noqa: B004 - asks what it is, not whether it is


def _item(hint: Any) -> Any:
    """What a generator with this hint yields."""
    arguments = get_args(hint)
    return arguments[0] if get_origin(hint) in _ITERATORS and arguments else inspect.Parameter.empty


def _hints(function: Callable[..., Any], local_names: dict[str, Any]) -> dict[str, Any]:
    target: Any = function.func if isinstance(function, functools.partial) else function
    target = target if inspect.isroutine(target) else type(target).__call__
    return typing.get_type_hints(target, localns=local_names, include_extras=True)


def _handler_parameters(function: Callable[..., Any], name: str) -> list[inspect.Parameter]:
    items = list(inspect.signature(function).parameters.values())
    if items and items[0].name == "self" and items[0].annotation is inspect.Parameter.empty:
        items = items[1:]
    for item in items:
        if item.kind in (item.VAR_POSITIONAL, item.VAR_KEYWORD):
            raise InvalidArgumentError(
                f"{name}: {item} cannot be served, because a body needs named keys; name each "
                "parameter, or take one dict"
            )
        if item.kind is item.POSITIONAL_ONLY:
            raise InvalidArgumentError(
                f"{name}: parameter {item.name!r} is positional-only, and the body is an object "
                "with keys; remove the `/`"
            )
    return items


def _is_context(hint: Any) -> bool:
    """Also `maas.Context | None`, for a function that is called without one elsewhere."""
    return hint is Context or (type(None) in get_args(hint) and Context in get_args(hint))


def _parameter(item: inspect.Parameter, hints: dict[str, Any], place: str) -> Parameter:
    if item.name not in hints:
        raise InvalidArgumentError(f"{place} has no type hint; add one, such as `{item.name}: str`")
    made = _described(item.name, hints[item.name], place)
    if item.default is item.empty:
        return made
    if made.kind == "tensor":
        raise InvalidArgumentError(
            f"{place} is a tensor, and a tensor is never optional; remove its default"
        )
    return replace(made, required=False, default=item.default)


def _result(hint: Any) -> Parameter | None:
    if hint is inspect.Parameter.empty:
        return None
    try:
        return _described("return", hint, "")
    except InvalidArgumentError:
        return None  # the answer is encoded by its value; only its schema stays unknown


def _described(name: str, hint: Any, place: str) -> Parameter:
    if Context in get_args(hint):
        raise InvalidArgumentError(
            f"{place}: annotate it maas.Context alone; a batched handler gets a list of them"
        )
    bare, notes = _unwrapped(hint)
    tensors = [note for note in notes if isinstance(note, Tensor)]
    if library := _library(bare):
        if not tensors:
            return Parameter(name, "array", dtype=_array_dtype(bare), library=library)
        if option := tensors[0].of_inputs_alone:
            raise InvalidArgumentError(
                f"{place}: {option}=True is for the inputs of maas.load; leave it out of the hint"
            )
        if tensors[0].dtype == _UNKNOWN[library]:
            raise InvalidArgumentError(
                f"{place}: {library} has no {tensors[0].dtype}; declare another dtype in the hint"
            )
        return Parameter(name, "tensor", tensor=tensors[0], library=library)
    if tensors or isinstance(hint, Tensor):
        raise InvalidArgumentError(
            f"{place}: a maas.Tensor annotates an array: "
            'Annotated[np.ndarray, maas.Tensor("float32", [4])]'
        )
    if (found := _media(name, hint, place)) is not None:
        return found
    return Parameter(
        name,
        "json",
        adapter=_adapter(hint, place),
        # A dataclass takes no configuration from here, and is not to be changed for it.
        strict=True if isinstance(hint, type) and is_dataclass(hint) else None,
    )


def _unwrapped(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    if get_origin(hint) is Annotated:
        bare, *notes = get_args(hint)
        return bare, tuple(notes)
    return hint, ()


# The dtype of maas.Tensor that each library lacks.
_UNKNOWN: dict[Library, str] = {"numpy": "bfloat16", "torch": "bytes"}


def _library(hint: Any) -> Library | None:
    """Whose array it is: a hint that names one means that whoever wrote it imported its library."""
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if numpy is not None and (hint is numpy.ndarray or get_origin(hint) is numpy.ndarray):
        return "numpy"
    # While torch is being imported it is there without its names.
    return "torch" if hint is not None and hint is getattr(torch, "Tensor", None) else None


def _media(name: str, hint: Any, place: str) -> Parameter | None:
    """The parameter of X, list[X] or either with None, X being media."""
    options = get_args(hint) if isinstance(hint, _UNION) or get_origin(hint) is typing.Union else ()
    nullable = type(None) in options
    others = [item for item in options if item is not type(None)]
    bare = others[0] if nullable and len(others) == 1 else hint
    many = get_origin(bare) is list
    found = media_of(get_args(bare)[0] if many else bare, place)
    # A list of bytes is a JSON value as ever: bytes are no upload that comes in several parts.
    if found is None or (many and get_args(bare)[0] is bytes):
        return None
    return Parameter(name, "media", media=found, many=many, nullable=nullable)


_UNION = type(int | str)


def _array_dtype(hint: Any) -> str:
    """The dtype of NDArray[np.float32]; "" when the hint leaves it open."""
    arguments = get_args(hint)
    scalars = get_args(arguments[1]) if len(arguments) == 2 else ()
    import numpy as np

    known = scalars and isinstance(scalars[0], type) and issubclass(scalars[0], np.generic)
    return np.dtype(scalars[0]).name if known else ""


def _adapter(hint: Any, place: str) -> pydantic.TypeAdapter[Any]:
    import pydantic
    import typing_extensions

    try:
        shaped = _modern(hint)
        if isinstance(shaped, type) and (
            is_dataclass(shaped)
            or issubclass(shaped, pydantic.BaseModel)
            or typing_extensions.is_typeddict(shaped)
        ):
            return pydantic.TypeAdapter(shaped)  # these bring a configuration of their own
        return pydantic.TypeAdapter(shaped, config=_VALUES)
    except pydantic.errors.PydanticUserError:
        shown = getattr(hint, "__name__", None) or str(hint)
        raise InvalidArgumentError(
            f"{place}: {shown} cannot be read from JSON; {_REMEDY}"
        ) from None


# Values are never bent to fit: "5" is no int and true is no 1. Bytes travel as base64.
_VALUES: Any = {
    "strict": True,
    "allow_inf_nan": False,  # 1e400 would else be read as infinity
    "val_json_bytes": "base64",
    "ser_json_bytes": "base64",
}


def _modern(hint: Any) -> Any:
    """The hint with each TypedDict of typing as one that pydantic reads on Python 3.11."""
    if typing.is_typeddict(hint) and type(hint).__module__ == "typing":
        return _modern_typed_dict(hint)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is None or origin is Literal or not arguments:
        return hint
    if origin is Annotated:
        return Annotated[_modern(arguments[0]), *arguments[1:]]
    changed = tuple(_modern(item) for item in arguments)
    if changed == arguments:
        return hint
    if origin is typing.Union or isinstance(hint, _UNION):
        return functools.reduce(operator.or_, changed)
    return origin[changed]


def _modern_typed_dict(hint: Any) -> Any:
    import typing_extensions

    fields: dict[str, Any] = {}
    for key, value in typing.get_type_hints(hint, include_extras=True).items():
        optional = key in hint.__optional_keys__
        marked = get_origin(value) in (typing.Required, typing.NotRequired)
        shaped = _modern(get_args(value)[0] if marked else value)
        fields[key] = typing_extensions.NotRequired[shaped] if optional else shaped
    made = cast(Any, typing_extensions).TypedDict(hint.__name__, fields)
    made.__doc__ = hint.__doc__
    made.__module__ = hint.__module__
    made.__pydantic_config__ = getattr(hint, "__pydantic_config__", _VALUES)
    return made
