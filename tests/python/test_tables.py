# SPDX-License-Identifier: Apache-2.0
import io
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal
from sklearn.datasets import load_iris

import maas
from maas import tables
from maas.files import File, InvalidValueError
from maas.tables import ARROW_FILE, ARROW_STREAM, CSV, TableMedia

IRIS: pd.DataFrame = load_iris(as_frame=True).frame
PEOPLE = maas.Columns({"age": "float64", "name": "str", "id": "int64", "since": "datetime"})


def problems(read: Any, *arguments: Any) -> list[tuple[Any, str, str]]:
    with pytest.raises(InvalidValueError) as raised:
        read(*arguments)
    return raised.value.problems


@pytest.mark.parametrize("kind", [CSV, ARROW_STREAM, ARROW_FILE])
def test_a_real_table_goes_out_and_in_unchanged(kind: str) -> None:
    data = tables.encode(IRIS, kind)
    assert data is not None
    assert_frame_equal(TableMedia().from_file(File(data, content_type=kind + "; a=b")), IRIS)


def test_json_of_both_orientations_goes_out_and_in_unchanged() -> None:
    assert_frame_equal(TableMedia().from_json(tables.records(IRIS)), IRIS)
    assert_frame_equal(TableMedia().from_json(tables.split(IRIS)), IRIS)


def test_what_is_missing_is_null() -> None:
    table = pd.DataFrame({"a": [1.5, np.nan], "t": [pd.Timestamp("2024-01-02"), pd.NaT]})
    assert tables.records(table)[1] == {"a": None, "t": None}
    assert tables.split(table)["data"][1] == [None, None]


def test_records_need_distinct_names() -> None:
    with pytest.raises(ValueError, match="distinct"):
        tables.records(pd.DataFrame([[1, 2]], columns=["a", "a"]))


def test_arrow_carries_nothing_of_the_rows_that_are_not_answered() -> None:
    table = pd.DataFrame({"secret": ["shown", "hidden"]}).head(1)
    for kind in (ARROW_STREAM, ARROW_FILE):
        data = tables.encode(table, kind)
        assert data is not None
        assert b"shown" in data
        assert b"hidden" not in data


def test_a_file_of_unknown_type_is_read_by_its_name() -> None:
    assert TableMedia().from_file(File(b"a\n1\n", "t.csv"))["a"].tolist() == [1]
    assert TableMedia().from_file(File(b'[{"a":1}]', "t.json"))["a"].tolist() == [1]
    (problem,) = problems(TableMedia().from_file, File(b"a\n1\n", "t.xls"))
    assert problem[2] == "table_type"


def test_text_of_a_form_is_json_or_csv() -> None:
    assert TableMedia().from_text(' [{"a":1}]')["a"].tolist() == [1]
    assert TableMedia().from_text("a,b\n1,2\n")["b"].tolist() == [2]


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (5, ()),
        ([1], ()),
        ({"a": [1]}, ()),
        ({"columns": ["a"], "data": [[1]], "more": 1}, ()),
        ({"columns": ["a", "a"], "data": []}, ("columns",)),
        ({"columns": [1], "data": []}, ("columns",)),
        ({"columns": ["a"], "data": 5}, ("data",)),
        ({"columns": ["a"], "data": [[1], [1, 2]]}, ("data", 1)),
        ({"columns": ["a"], "data": [[1]], "index": [1, 2]}, ("index",)),
    ],
)
def test_json_that_is_no_table_says_where(value: Any, place: tuple[str, ...]) -> None:
    ((found, _, _),) = problems(TableMedia().from_json, value)
    assert found == place


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (CSV, b""),
        (CSV, b'a,b\n"1'),
        (CSV, b"a,b\n1,2,3,4\n1,2\n"),
        (CSV, b"\xff\xfe\x00"),
        ("application/json", b"[{]"),
        (ARROW_STREAM, b"not arrow"),
        (ARROW_STREAM, b""),
        (ARROW_FILE, b"ARROW1\x00\x00"),
    ],
)
def test_broken_bytes_are_refused(kind: str, data: bytes) -> None:
    assert problems(TableMedia().from_file, File(data, content_type=kind))


def test_damaged_arrow_is_read_or_refused() -> None:
    whole = tables.encode(IRIS.head(20), ARROW_STREAM)
    assert whole is not None
    random = np.random.default_rng(0)
    for _ in range(300):
        data = bytearray(whole)
        for place in random.integers(0, len(data), 3):
            data[place] = random.integers(0, 256)
        try:
            TableMedia().from_file(File(bytes(data), content_type=ARROW_STREAM))
        except InvalidValueError:
            continue


def test_columns_are_put_in_order_and_into_their_dtypes() -> None:
    found = PEOPLE.conform(
        pd.DataFrame(
            {"id": [1, 2], "since": ["2024-01-02", None], "name": ["a", "b"], "age": [None, 5]}
        )
    )
    assert list(found) == ["age", "name", "id", "since"]
    assert found["age"].dtype == np.float64
    assert np.isnan(found["age"][0])
    assert found["id"].dtype == np.int64
    assert found["since"].dt.year[0] == 2024


def test_every_wrong_column_is_told() -> None:
    table = pd.DataFrame({"id": [1.5], "age": ["5"], "name": [None], "other": [1]})
    found = problems(PEOPLE.conform, table)
    assert {place: kind for (place,), _, kind in found} == {
        "other": "extra",
        "age": "column_float64",
        "name": "column_str",
        "id": "column_int64",
        "since": "missing",
    }


@pytest.mark.parametrize("value", [True, "5", None])
def test_a_number_is_never_made_of_something_else(value: Any) -> None:
    assert problems(maas.Columns({"a": "int64"}).conform, pd.DataFrame({"a": [1, value]}))


def test_an_empty_table_has_its_dtypes() -> None:
    found = PEOPLE.conform(pd.DataFrame({name: [] for name in PEOPLE.dtypes}))
    assert found["id"].dtype == np.int64


@pytest.mark.parametrize("given", [{}, 5, {"a": "float"}, {"a": None}])
def test_columns_that_are_no_columns_are_refused_at_once(given: Any) -> None:
    with pytest.raises(maas.InvalidArgumentError):
        maas.Columns(given)


def test_an_unknown_dtype_has_a_suggestion() -> None:
    with pytest.raises(maas.InvalidArgumentError, match="did you mean 'float64'"):
        maas.Columns({"a": "flaot64"})


def test_arrow_without_pyarrow_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util
    import sys

    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, pa.schema([("a", pa.int64())])):
        pass
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert TableMedia().takes == (CSV,)
    ((_, message, _),) = problems(
        TableMedia().from_file, File(sink.getvalue(), content_type=ARROW_STREAM)
    )
    assert "pip install pyarrow" in message


def test_the_schema_shows_columns() -> None:
    records, split = TableMedia(PEOPLE).schema()["oneOf"]
    assert records["items"]["required"] == ["age", "name", "id", "since"]
    assert records["items"]["properties"]["id"] == {"type": "integer"}
    assert split["required"] == ["columns", "data"]
