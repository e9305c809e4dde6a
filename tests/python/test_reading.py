# SPDX-License-Identifier: Apache-2.0
from typing import Any

import numpy as np
import pydantic
import pytest

import maas
from maas import _core
from maas.reading import ArrayReader, JsonReader, TensorReader, Unreadable, reader
from maas.schema import Parameter


def json_reader(hint: Any, **about: Any) -> Any:
    return reader(Parameter("x", "json", adapter=pydantic.TypeAdapter(hint), **about))


def test_each_kind_of_parameter_has_its_reader() -> None:
    assert isinstance(
        reader(Parameter("x", "tensor", tensor=maas.Tensor("int8", [1]))), TensorReader
    )
    assert isinstance(reader(Parameter("x", "array")), ArrayReader)
    assert isinstance(json_reader(int), JsonReader)


def test_a_whole_batch_of_a_tensor_is_not_copied() -> None:
    read = reader(Parameter("x", "tensor", tensor=maas.Tensor("float32", [2])))
    column = np.arange(6, dtype=np.float32).reshape(3, 2)
    rows = read.rows(_core.Tensor.from_dlpack(column))
    assert np.shares_memory(read.take(rows, [0, 1, 2]), column)
    assert read.take(rows, [0, 2]).tolist() == [[0, 1], [4, 5]]


def test_a_tensor_of_bytes_is_an_array_of_objects() -> None:
    read = reader(Parameter("x", "tensor", tensor=maas.Tensor("bytes", [2])))
    rows = read.rows(_core.Tensor.from_strings([b"a", b"b"], [1, 2]))
    assert rows.tolist() == [[b"a", b"b"]]


def test_a_value_that_breaks_its_type_says_where_and_why() -> None:
    good, bad = json_reader(list[int]).rows([b"[1]", b'[1,"a"]'])
    assert good == [1]
    assert isinstance(bad, Unreadable)
    (item,) = bad.detail
    assert item["loc"] == ["body", "x", 1]
    assert set(item) == {"loc", "msg", "type"}


def test_an_absent_value_is_the_default() -> None:
    assert json_reader(int, required=False, default=7).rows([b""]) == [7]
    assert reader(Parameter("x", "array", required=False)).rows([b""]) == [None]


def test_a_free_array_has_one_dtype_whatever_is_sent() -> None:
    read = reader(Parameter("x", "array"))
    whole, broken = read.rows([b"[1,2]", b"[[1.5]]"])
    assert (whole.dtype, broken.dtype) == (np.float64, np.float64)
    assert reader(Parameter("x", "array", dtype="int32")).rows([b"[1]"])[0].dtype == np.int32


@pytest.mark.parametrize("text", [b'["a"]', b"[[1],[1,2]]", b"{}", b"null", b'"x"', b"[null]"])
def test_what_is_no_array_of_numbers_is_unreadable(text: bytes) -> None:
    (value,) = reader(Parameter("x", "array")).rows([text])
    assert isinstance(value, Unreadable)
    assert value.detail[0]["loc"] == ["body", "x"]


@pytest.mark.parametrize(
    ("dtype", "text"),
    [
        ("int64", b"[1.5]"),
        ("uint8", b"[300]"),
        ("uint8", b"[-1]"),
        ("int8", b"[128]"),
        ("float32", b"[1e39]"),
        ("float32", b"[true]"),
        ("bool", b"[1]"),
        ("int64", b"[18446744073709551616]"),
    ],
)
def test_a_number_outside_the_dtype_is_unreadable(dtype: str, text: bytes) -> None:
    (value,) = reader(Parameter("x", "array", dtype=dtype)).rows([text])
    assert isinstance(value, Unreadable)


def test_numbers_that_fit_a_narrow_dtype_are_read() -> None:
    (value,) = reader(Parameter("x", "array", dtype="uint8")).rows([b"[0, 255]"])
    assert value.tolist() == [0, 255]
    (empty,) = reader(Parameter("x", "array", dtype="uint8")).rows([b"[]"])
    assert empty.shape == (0,)


def test_arrays_of_one_shape_are_stacked() -> None:
    read = reader(Parameter("x", "array"))
    rows = read.rows([b"[1,2]", b"[3,4]"])
    assert read.take(rows, [0, 1]).tolist() == [[1, 2], [3, 4]]
