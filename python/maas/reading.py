# SPDX-License-Identifier: Apache-2.0
"""Readers: a column that the core hands over -> one checked value for each row.

A reader is made once for each parameter of a handler and used by any thread.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

from maas.arrays import converted

if TYPE_CHECKING:
    from maas import _core
    from maas.schema import Parameter


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


def reader(parameter: Parameter) -> Reader:
    """The reader of a parameter."""
    if parameter.kind == "tensor":
        return TensorReader(parameter)
    if parameter.kind == "array":
        return ArrayReader(parameter)
    return JsonReader(parameter)


class TensorReader:
    """A tensor that the core has parsed: one array, whose leading dimension are the rows."""

    def __init__(self, parameter: Parameter) -> None:
        import numpy

        self._numpy = numpy
        self._text = parameter.tensor is not None and parameter.tensor.dtype == "bytes"

    def rows(self, column: _core.Tensor) -> Any:
        """The whole array."""
        if not self._text:
            return self._numpy.from_dlpack(column)
        array = self._numpy.empty(column.shape, dtype=object)
        array.reshape(-1)[:] = column.strings()
        return array

    def take(self, values: Any, rows: list[int]) -> Any:
        """The array itself when every row is wanted, so that a whole batch is never copied."""
        return values if len(rows) == len(values) else values[rows]


class ArrayReader:
    """An array whose shape is what each request sends, in nested lists."""

    def __init__(self, parameter: Parameter) -> None:
        import numpy

        self._numpy = numpy
        # One dtype whatever a request holds: an answer must not depend on its batch.
        self._dtype = numpy.dtype(parameter.dtype or "float64")
        self._parameter = parameter

    def rows(self, column: list[bytes]) -> list[Any]:
        """One value for each text."""
        return [self._value(raw) for raw in column]

    def take(self, values: list[Any], rows: list[int]) -> Any:
        """One array of the rows, which all have one shape."""
        chosen = [values[row] for row in rows]
        return self._numpy.stack(chosen) if self.shape(chosen[0]) is not None else chosen

    def shape(self, value: Any) -> tuple[int, ...] | None:
        """Rows of equal shape fit into one call; None for a default that is no array."""
        return value.shape if isinstance(value, self._numpy.ndarray) else None

    def _value(self, raw: bytes) -> Any:
        if not raw:
            return self._parameter.default
        try:
            return converted(self._numpy.asarray(json.loads(raw)), self._dtype)
        except (ValueError, TypeError, OverflowError):
            return Unreadable(
                [
                    {
                        "loc": ["body", self._parameter.name],
                        "msg": f"Input should be an array of {self._dtype.name}: numbers in "
                        "nested lists of equal length",
                        "type": "array",
                    }
                ]
            )


class JsonReader:
    """Any other value, checked by pydantic from the text that the request holds."""

    def __init__(self, parameter: Parameter) -> None:
        from pydantic import ValidationError

        assert parameter.adapter is not None
        self._validate = parameter.adapter.validator.validate_json
        self._strict = parameter.strict
        self._error = ValidationError
        self._parameter = parameter

    def rows(self, column: list[bytes]) -> list[Any]:
        """One value for each text."""
        return [self._value(raw) for raw in column]

    def take(self, values: list[Any], rows: list[int]) -> list[Any]:
        """The values of the rows."""
        return [values[row] for row in rows]

    def _value(self, raw: bytes) -> Any:
        if not raw:
            return self._parameter.default
        try:
            return self._validate(raw, strict=self._strict)
        except self._error as error:
            return Unreadable(
                [
                    {
                        "loc": ["body", self._parameter.name, *item["loc"]],
                        "msg": item["msg"],
                        "type": item["type"],
                    }
                    for item in error.errors(
                        include_url=False, include_input=False, include_context=False
                    )
                ]
            )
