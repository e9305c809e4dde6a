# SPDX-License-Identifier: Apache-2.0
"""Tables at the edge: pandas DataFrames from JSON records, split JSON, CSV and Arrow, and back.

pandas is imported only where a handler names it: whoever writes the hint has imported it.
"""

from __future__ import annotations

import importlib.util
import io
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from maas.arrays import converted
from maas.errors import InvalidArgumentError
from maas.files import File, InvalidValueError
from maas.types import closest

if TYPE_CHECKING:
    from pandas import DataFrame, Series

CSV = "text/csv"
ARROW_STREAM = "application/vnd.apache.arrow.stream"
ARROW_FILE = "application/vnd.apache.arrow.file"
JSON = "application/json"
SPLIT = "application/json; orient=split"

_SUFFIXES = {".csv": CSV, ".arrows": ARROW_STREAM, ".arrow": ARROW_FILE, ".json": JSON}
_DTYPES = (
    *("bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"),
    *("float32", "float64", "str", "datetime"),
)
_LEAVES: dict[str, dict[str, Any]] = {
    "bool": {"type": "boolean"},
    "str": {"type": "string"},
    "datetime": {"type": ["string", "null"], "format": "date-time"},
    "float32": {"type": ["number", "null"]},
    "float64": {"type": ["number", "null"]},
}


class Columns:
    """The columns of a table: ``Annotated[pd.DataFrame, maas.Columns({"age": "float64"})]``.

    A request must have exactly these, in any order. The dtypes are those of maas.Tensor, "str" and
    "datetime"; only floats and datetimes may be missing.
    """

    def __init__(self, dtypes: Mapping[str, str]) -> None:
        given: object = dtypes
        if not isinstance(given, Mapping) or not given:
            raise InvalidArgumentError(
                f'maas.Columns maps names to dtypes, such as {{"age": "float64"}}, not {dtypes!r}'
            )
        for name, dtype in dtypes.items():
            if dtype not in _DTYPES:
                hint = closest(str(dtype), _DTYPES) or f"; it is one of {', '.join(_DTYPES)}"
                raise InvalidArgumentError(f"column {name!r}: unknown dtype {dtype!r}{hint}")
        self.dtypes = dict(dtypes)

    def __repr__(self) -> str:
        return f"maas.Columns({self.dtypes})"

    def conform(self, table: DataFrame) -> DataFrame:
        """The table with these columns in this order and dtype; all that is wrong in one error."""
        problems = []
        made: dict[str, Any] = {}
        for name in table.columns:
            if name not in self.dtypes:
                problems.append(InvalidValueError("is no column of this table", "extra", (name,)))
        for name, dtype in self.dtypes.items():
            if name not in table.columns:
                problems.append(InvalidValueError("column is required", "missing", (name,)))
                continue
            try:
                made[name] = _column(table[name], dtype)
            except (ValueError, TypeError, OverflowError):
                problems.append(
                    InvalidValueError(f"column should be {dtype}", f"column_{dtype}", (name,))
                )
        if problems:
            problems[0].problems = [problem.problems[0] for problem in problems]
            raise problems[0]
        import pandas as pd

        return pd.DataFrame(made, index=table.index)


class TableMedia:
    """pandas.DataFrame."""

    name = "table"
    decodes = True

    def __init__(self, columns: Columns | None = None) -> None:
        self._columns = columns
        arrow = (ARROW_STREAM, ARROW_FILE) if importlib.util.find_spec("pyarrow") else ()
        self.takes: tuple[str, ...] = (CSV, *arrow)
        self.gives: tuple[str, ...] = (JSON, CSV, *arrow, SPLIT)

    def from_file(self, file: File) -> DataFrame:
        """Read by its content type, or by its name when that says nothing."""
        kind = file.content_type.partition(";")[0].strip().lower()
        if kind not in _READERS:
            kind = next((t for end, t in _SUFFIXES.items() if file.name.endswith(end)), "")
        if kind not in _READERS:
            known = ", ".join((JSON, *self.takes))
            raise InvalidValueError(f"Input should be a table: {known}", "table_type")
        return self._conform(_READERS[kind](file.data))

    def from_json(self, value: Any) -> DataFrame:
        """Records, a list of objects; or split, an object of columns, data and perhaps an index."""
        return self._conform(_from_json(value))

    def from_text(self, text: str) -> DataFrame:
        """JSON when it looks like it, else CSV."""
        looks = text.lstrip().startswith(("[", "{"))
        return self.from_file(File(text.encode(), content_type=JSON if looks else CSV))

    def schema(self) -> dict[str, Any]:
        """Records or split."""
        record: dict[str, Any] = {"type": "object"}
        if self._columns is not None:
            dtypes = self._columns.dtypes
            record["properties"] = {name: _leaf(dtype) for name, dtype in dtypes.items()}
            record["required"] = list(dtypes)
            record["additionalProperties"] = False
        split = {
            "type": "object",
            "properties": {
                "columns": {"type": "array", "items": {"type": "string"}},
                "data": {"type": "array", "items": {"type": "array"}},
                "index": {"type": "array"},
            },
            "required": ["columns", "data"],
            "additionalProperties": False,
        }
        return {"oneOf": [{"type": "array", "items": record}, split]}

    def _conform(self, table: DataFrame) -> DataFrame:
        return table if self._columns is None else self._columns.conform(table)


def encode(table: DataFrame, content_type: str) -> bytes | None:
    """The bytes of a table; None for records, which are plain JSON."""
    if content_type == CSV:
        text: str = table.to_csv(index=False)
        return text.encode()
    if content_type in (ARROW_STREAM, ARROW_FILE):
        return _to_arrow(table, content_type)
    return None


def records(table: DataFrame) -> list[dict[str, Any]]:
    """A list of objects, null for what is missing."""
    if not table.columns.is_unique:
        raise ValueError("the columns of a table that is answered have distinct names")
    return [
        {str(name): value for name, value in row.items()}
        for row in _plain(table).to_dict("records")
    ]


def split(table: DataFrame) -> dict[str, Any]:
    """Columns, index and data: each name once."""
    return {
        "columns": [str(name) for name in table.columns],
        "index": table.index.tolist(),
        "data": _plain(table).to_numpy(dtype=object).tolist(),
    }


def _plain(table: DataFrame) -> DataFrame:
    return table.astype(object).where(table.notna(), None)


def _leaf(dtype: str) -> dict[str, Any]:
    return dict(_LEAVES.get(dtype, {"type": "integer"}))


def _from_json(value: Any) -> DataFrame:
    import pandas as pd

    if isinstance(value, list) and all(isinstance(row, dict) for row in value):
        return pd.DataFrame.from_records(value)
    if isinstance(value, dict) and {"columns", "data"} <= set(value) <= {
        "columns",
        "data",
        "index",
    }:
        return _from_split(**value)
    raise InvalidValueError(
        "Input should be a list of objects, or an object with columns and data", "table_type"
    )


def _from_split(columns: Any, data: Any, index: Any = None) -> DataFrame:
    import pandas as pd

    named = isinstance(columns, list) and all(isinstance(name, str) for name in columns)
    if not named or len(set(columns)) != len(columns):
        raise InvalidValueError("Input should be distinct names", "table_columns", ("columns",))
    if not isinstance(data, list):
        raise InvalidValueError("Input should be a list of rows", "table_data", ("data",))
    for number, row in enumerate(data):
        if not isinstance(row, list) or len(row) != len(columns):
            raise InvalidValueError(
                f"Input should be a row of {len(columns)} values", "table_row", ("data", number)
            )
    if index is not None and not (isinstance(index, list) and len(index) == len(data)):
        raise InvalidValueError(
            f"Input should be a list of {len(data)} labels", "table_index", ("index",)
        )
    return pd.DataFrame(data, columns=columns, index=index)


def _from_csv(data: bytes) -> DataFrame:
    import pandas as pd

    try:
        table = pd.read_csv(io.BytesIO(data))
    except (ValueError, pd.errors.ParserError) as error:
        raise InvalidValueError(f"Input should be CSV in UTF-8: {error}", "table_csv") from None
    if not isinstance(table.index, pd.RangeIndex):  # the values that are too many
        raise InvalidValueError(
            f"Input should be CSV whose rows have the {len(table.columns)} values of its header",
            "table_csv",
        )
    return table


def _from_json_bytes(data: bytes) -> DataFrame:
    try:
        value = json.loads(data)
    except ValueError as error:
        raise InvalidValueError(f"Input should be JSON: {error}", "json_invalid") from None
    return _from_json(value)


def _from_arrow(data: bytes, content_type: str) -> DataFrame:
    try:
        import pyarrow as pa
    except ImportError:
        raise InvalidValueError(
            "Arrow needs pyarrow on the server (pip install pyarrow); send JSON or CSV",
            "table_arrow",
        ) from None
    opened = pa.ipc.open_stream if content_type == ARROW_STREAM else pa.ipc.open_file
    try:
        with opened(pa.BufferReader(data)) as reader:
            found = reader.read_all()
            found.validate(full=True)  # what comes from outside may point beyond its buffers
            table: DataFrame = found.to_pandas()
    except Exception as error:  # metadata that is broken, too, raises anything
        raise InvalidValueError(
            f"Input should be whole Arrow IPC: {type(error).__name__}", "table_arrow"
        ) from None
    return table


def _to_arrow(table: DataFrame, content_type: str) -> bytes:
    import pyarrow as pa

    found = pa.Table.from_pandas(table)
    # A view into a larger table would carry the bytes of rows that are no part of the answer.
    found = found.take(pa.array(range(found.num_rows), pa.int64()))
    made = pa.ipc.new_stream if content_type == ARROW_STREAM else pa.ipc.new_file
    sink = pa.BufferOutputStream()
    with made(sink, found.schema) as writer:
        writer.write_table(found)
    data: bytes = sink.getvalue().to_pybytes()
    return data


_READERS: dict[str, Any] = {
    CSV: _from_csv,
    ARROW_STREAM: lambda data: _from_arrow(data, ARROW_STREAM),
    ARROW_FILE: lambda data: _from_arrow(data, ARROW_FILE),
    JSON: _from_json_bytes,
}


def _column(series: Series[Any], dtype: str) -> Any:
    """A column in its dtype; ValueError or TypeError when a value would change."""
    import numpy as np
    import pandas as pd

    if dtype == "str":
        if not all(isinstance(value, str) for value in series):
            raise ValueError("not text")
        return series
    if dtype == "datetime":
        if len(series) and pd.api.types.is_numeric_dtype(series):
            raise ValueError("a number is no date")
        return pd.to_datetime(series, format="ISO8601")
    wanted = np.dtype(dtype)
    values = series.to_numpy()
    if values.dtype == object:
        values = _numbers(values, wanted)
    return pd.Series(converted(values, wanted), index=series.index)


def _numbers(values: Any, wanted: Any) -> Any:
    """Numbers with None between, as JSON has a float column with values missing."""
    import numpy as np

    missing = wanted.kind == "f"
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float | None if missing else int):
            raise ValueError("not a number")
    return np.array([np.nan if value is None else value for value in values])
