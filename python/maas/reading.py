# SPDX-License-Identifier: Apache-2.0
"""Readers: a column that the core hands over -> one checked value for each row.

A reader is made once for each parameter of a handler and used by any thread. What is no tensor
comes as JSON text, or, from a form or a body that is no JSON, as a list of parts; see
`_core.Field`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

from maas.arrays import converted
from maas.files import OCTETS, File, InvalidValueError

if TYPE_CHECKING:
    from maas import _core
    from maas.schema import Parameter

# Form, data, content type, filename.
Part = tuple[str, bytes, str, str]
Raw = bytes | list[Part]


class Unreadable:
    """Stands for a value that breaks its declared type; `detail` says how."""

    __slots__ = ("detail",)

    def __init__(self, detail: list[dict[str, Any]]) -> None:
        self.detail = detail


class Reader(Protocol):
    """Reads one parameter."""

    def rows(self, column: Any) -> Any:
        """A value, or Unreadable, for each row of a batch."""

    def take(self, values: Any, rows: list[int]) -> Any:
        """The argument of a batched handler from these rows."""

    def own(self, value: Any) -> Any:
        """A value that code of this process gives; ValueError or TypeError when it does not fit."""


def reader(parameter: Parameter) -> Reader:
    """The reader of a parameter."""
    if parameter.kind == "tensor":
        return TensorReader(parameter)
    if parameter.kind == "array":
        return ArrayReader(parameter)
    if parameter.kind == "media":
        return MediaReader(parameter)
    return JsonReader(parameter)


def _unreadable(name: str, raw: Raw, problems: list[tuple[Any, str, str]]) -> Unreadable:
    place = "query" if isinstance(raw, list) and raw[0][0] == "q" else "body"
    return Unreadable(
        [{"loc": [place, name, *loc], "msg": msg, "type": kind} for loc, msg, kind in problems]
    )


def _json_text(raw: Raw) -> bytes:
    """The JSON of a lone value; of one from a form, its text."""
    if isinstance(raw, bytes):
        return raw
    return raw[0][1] if len(raw) == 1 else b"[" + b",".join(part[1] for part in raw) + b"]"


class TensorReader:
    """A tensor that the core has parsed: one array, whose leading dimension are the rows."""

    def __init__(self, parameter: Parameter) -> None:
        import numpy

        self._numpy = numpy
        self._text = parameter.tensor is not None and parameter.tensor.dtype == "bytes"
        self._shared: Any = numpy.from_dlpack
        if parameter.library == "torch":
            import torch

            self._shared = torch.from_dlpack  # type: ignore[attr-defined] # is public all the same

    def rows(self, column: _core.Tensor) -> Any:
        """The whole array, in the core's own memory."""
        if not self._text:
            return self._shared(column)
        array = self._numpy.empty(column.shape, dtype=object)
        array.reshape(-1)[:] = column.strings()
        return array

    def take(self, values: Any, rows: list[int]) -> Any:
        """The array itself when every row is wanted, so that a whole batch is never copied."""
        return values if len(rows) == len(values) else values[rows]

    def own(self, value: Any) -> Any:
        """The value: the core checks it."""
        return value


class ArrayReader:
    """An array or tensor whose shape is what each request sends, in nested lists."""

    def __init__(self, parameter: Parameter) -> None:
        import numpy

        self._numpy = numpy
        # One dtype whatever a request holds: an answer must not depend on its batch.
        default = "float32" if parameter.library == "torch" else "float64"
        self._dtype = numpy.dtype(parameter.dtype or default)
        self._parameter = parameter
        self._stack: Any = numpy.stack
        self._made: Any = lambda array: array
        if parameter.library == "torch":
            import torch

            self._stack, self._made = torch.stack, torch.from_numpy

    def rows(self, column: list[Raw]) -> list[Any]:
        """One value for each text."""
        return [self._value(raw) for raw in column]

    def take(self, values: list[Any], rows: list[int]) -> Any:
        """One array of the rows, which all have one shape."""
        chosen = [values[row] for row in rows]
        return self._stack(chosen) if self.shape(chosen[0]) is not None else chosen

    def shape(self, value: Any) -> tuple[int, ...] | None:
        """Rows of equal shape fit into one call; None for a default that is no array."""
        return tuple(value.shape) if hasattr(value, "__dlpack__") else None

    def own(self, value: Any) -> Any:
        """The array itself where it has the dtype already."""
        if hasattr(value, "detach") and self._parameter.library == "torch":
            return value
        array = self._numpy.asarray(value)
        return self._made(array if array.dtype == self._dtype else converted(array, self._dtype))

    def _value(self, raw: Raw) -> Any:
        if not raw:
            return self._parameter.default
        try:
            array = self._numpy.asarray(json.loads(_json_text(raw)))
            return self._made(converted(array, self._dtype))
        except (ValueError, TypeError, OverflowError):
            msg = (
                f"Input should be an array of {self._dtype.name}: numbers in nested lists of equal "
                "length"
            )
            return _unreadable(self._parameter.name, raw, [((), msg, "array")])


class ValueReader:
    """Values that are read one by one; a batched handler gets a list of them."""

    def rows(self, column: list[Raw]) -> list[Any]:
        """One value for each row."""
        return [self._value(raw) for raw in column]

    def take(self, values: list[Any], rows: list[int]) -> list[Any]:
        """The values of the rows."""
        return [values[row] for row in rows]

    def own(self, value: Any) -> Any:
        """The value itself."""
        return value

    def _value(self, raw: Raw) -> Any:
        raise NotImplementedError


class JsonReader(ValueReader):
    """Any other value, checked by pydantic from the text that the request holds."""

    def __init__(self, parameter: Parameter) -> None:
        from pydantic import ValidationError

        assert parameter.adapter is not None
        self._validate = parameter.adapter.validator.validate_json
        self._validate_text: Any = parameter.adapter.validator.validate_strings
        self._strict = parameter.strict
        self._error = ValidationError
        self._validate_object = parameter.adapter.validator.validate_python
        self._parameter = parameter

    def own(self, value: Any) -> Any:
        """The value as its type has it; pydantic's ValidationError is a ValueError."""
        return self._validate_object(value, strict=self._strict)

    def _value(self, raw: Raw) -> Any:
        if not raw:
            return self._parameter.default
        try:
            if isinstance(raw, bytes):
                return self._validate(raw, strict=self._strict)
            return self._of_parts(raw)
        except self._error as error:
            items = error.errors(include_url=False, include_input=False, include_context=False)
            problems = [(item["loc"], item["msg"], item["type"]) for item in items]
            return _unreadable(self._parameter.name, raw, problems)

    def _of_parts(self, parts: list[Part]) -> Any:
        """The text of a form says no type: "5" is a number where one is wanted."""
        form, data, content_type, _ = parts[0]
        if len(parts) > 1:
            return self._of_several(parts)
        if form == "j" or content_type.startswith("application/json"):
            return self._validate(data, strict=self._strict)
        try:
            return self._validate_text(data.decode(errors="replace"), strict=self._strict)
        except self._error:
            if not data.lstrip().startswith((b"[", b"{")):
                raise
        return self._validate(data, strict=self._strict)

    def _of_several(self, parts: list[Part]) -> Any:
        """A list of texts, or of what they are as JSON."""
        texts = [json.dumps(part[1].decode(errors="replace")).encode() for part in parts]
        try:
            return self._validate(b"[" + b",".join(texts) + b"]", strict=self._strict)
        except self._error:
            return self._validate(_json_text(parts), strict=self._strict)


class MediaReader(ValueReader):
    """Bytes, a file, an image or a table, or a list of them, however it was sent."""

    def __init__(self, parameter: Parameter) -> None:
        from pydantic_core import from_json

        assert parameter.media is not None
        self._parameter = parameter
        self._media = parameter.media
        self._from_json = from_json

    def _value(self, raw: Raw) -> Any:
        if not raw:
            return self._parameter.default
        try:
            if isinstance(raw, bytes):
                return self._of_json(self._from_json(raw, allow_inf_nan=False))
            return self._of_parts(raw)
        except InvalidValueError as error:
            return _unreadable(self._parameter.name, raw, error.problems)
        except ValueError:  # of from_json, on the text of a part
            problem = ((), "Input should be valid JSON", "json_invalid")
            return _unreadable(self._parameter.name, raw, [problem])

    def _of_json(self, value: Any) -> Any:
        if value is None and self._parameter.nullable:
            return None
        if not self._parameter.many:
            return self._media.from_json(value)
        if not isinstance(value, list):
            raise InvalidValueError("Input should be a list", "list_type")
        return self._each(self._media.from_json, value)

    def _of_parts(self, parts: list[Part]) -> Any:
        if self._parameter.many:
            return self._each(self._of_part, parts)
        if len(parts) > 1:
            raise InvalidValueError("Input should be given once", "repeated")
        return self._of_part(parts[0])

    def _of_part(self, part: Part) -> Any:
        form, data, content_type, name = part
        if form == "f":
            return self._media.from_file(File(data, name, content_type or OCTETS))
        if form == "j":
            return self._media.from_json(self._from_json(data, allow_inf_nan=False))
        return self._media.from_text(data.decode())

    @staticmethod
    def _each(read: Any, items: list[Any]) -> list[Any]:
        """A value for each; what is wrong with one says which."""
        values = []
        for index, item in enumerate(items):
            try:
                values.append(read(item))
            except InvalidValueError as error:
                error.problems = [((index, *loc), msg, kind) for loc, msg, kind in error.problems]
                raise
        return values
