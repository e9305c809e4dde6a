# SPDX-License-Identifier: Apache-2.0
from typing import Any

import numpy as np
import pydantic
import pytest
import torch

import maas
from maas import _core
from maas.files import BytesMedia
from maas.images import ImageMedia
from maas.reading import (
    ArrayReader,
    JsonReader,
    MediaReader,
    TensorReader,
    Unreadable,
    reader,
)
from maas.schema import Parameter
from maas.tables import TableMedia


def json_reader(hint: Any, **about: Any) -> Any:
    return reader(Parameter("x", "json", adapter=pydantic.TypeAdapter(hint), **about))


def test_each_kind_of_parameter_has_its_reader() -> None:
    assert isinstance(
        reader(Parameter("x", "tensor", tensor=maas.Tensor("int8", [1]))), TensorReader
    )
    assert isinstance(reader(Parameter("x", "array")), ArrayReader)
    assert isinstance(json_reader(int), JsonReader)
    assert isinstance(reader(Parameter("x", "media", media=BytesMedia())), MediaReader)


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


def test_a_tensor_of_torch_shares_the_cores_memory() -> None:
    parameter = Parameter("x", "tensor", tensor=maas.Tensor("float32", [2]), library="torch")
    column = np.arange(6, dtype=np.float32).reshape(3, 2)
    read = reader(parameter)
    rows = read.rows(_core.Tensor.from_dlpack(column))
    assert isinstance(rows, torch.Tensor)
    assert rows.data_ptr() == column.ctypes.data
    assert read.take(rows, [0, 1, 2]) is rows
    assert read.take(rows, [0, 2]).tolist() == [[0, 1], [4, 5]]


def test_free_tensors_of_torch_are_float32_and_stacked() -> None:
    read = reader(Parameter("x", "array", library="torch"))
    rows = read.rows([b"[1,2]", b"[3,4]"])
    assert rows[0].dtype == torch.float32
    assert torch.equal(read.take(rows, [0, 1]), torch.tensor([[1.0, 2], [3, 4]]))


def part(text: str, form: str = "t", content_type: str = "") -> Any:
    return [(form, text.encode(), content_type, "")]


@pytest.mark.parametrize(
    ("hint", "raw", "expected"),
    [
        (str, part("5"), "5"),
        (str, part('"5"'), '"5"'),
        (int, part("5"), 5),
        (float, part("2.5", "q"), 2.5),
        (bool, part("true"), True),
        (int | None, part("5"), 5),
        (list[int], part("[1,2]"), [1, 2]),
        (list[int], part("1") + part("2"), [1, 2]),
        (list[str], part("1") + part("b"), ["1", "b"]),
        (dict[str, int], part('{"a":1}'), {"a": 1}),
        (str, part('"5"', "j"), "5"),
        (int, part("5", "f", "application/json; charset=utf-8"), 5),
    ],
)
def test_the_text_of_a_form_is_read_by_the_hint(hint: Any, raw: Any, expected: Any) -> None:
    (value,) = json_reader(hint).rows([raw])
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("hint", "raw", "place"),
    [
        (int, part("x"), "body"),
        (int, part("x", "q"), "query"),
        (list[int], part("[1,"), "body"),
        (int, part("1") + part("2"), "body"),
        (int, part('"x"', "j"), "body"),
    ],
)
def test_text_that_breaks_the_hint_says_where_it_was(hint: Any, raw: Any, place: str) -> None:
    (value,) = json_reader(hint).rows([raw])
    assert isinstance(value, Unreadable)
    assert value.detail[0]["loc"][:2] == [place, "x"]


def media_reader(media: Any, **about: Any) -> Any:
    return reader(Parameter("x", "media", media=media, **about))


def test_media_come_from_json_and_from_parts() -> None:
    upload = [("f", b"\xff", "a/b", "n")]
    read = media_reader(BytesMedia(whole=True))
    from_json, from_part, from_text = read.rows([b'"aGk="', upload, part("hi")])
    assert from_json.data == from_text.data == b"hi"
    assert from_part == maas.File(b"\xff", "n", "a/b")
    assert media_reader(TableMedia()).rows([b'[{"a":1}]'])[0]["a"].tolist() == [1]
    assert read.take([1, 2, 3], [0, 2]) == [1, 3]


def test_many_and_absent_media() -> None:
    parts = [("f", b"a", "", ""), ("f", b"b", "", "")]
    many = media_reader(BytesMedia(), many=True)
    assert many.rows([parts, b'["YQ==","Yg=="]', b"[]"]) == [[b"a", b"b"], [b"a", b"b"], []]
    optional = media_reader(BytesMedia(), nullable=True, required=False)
    assert optional.rows([b"null", b""]) == [None, None]


@pytest.mark.parametrize(
    ("read", "raw", "loc"),
    [
        (media_reader(BytesMedia()), b"null", ["body", "x"]),
        (media_reader(BytesMedia()), b'"!"', ["body", "x"]),
        (media_reader(BytesMedia()), [("f", b"a", "", ""), ("f", b"b", "", "")], ["body", "x"]),
        (media_reader(BytesMedia(), many=True), b'["YQ==",5]', ["body", "x", 1]),
        (media_reader(BytesMedia(), many=True), b'"YQ=="', ["body", "x"]),
        (media_reader(ImageMedia()), [("f", b"text", "image/png", "")], ["body", "x"]),
        (media_reader(TableMedia()), part("[NaN]", "j"), ["body", "x"]),
        (media_reader(TableMedia()), part("[", "j"), ["body", "x"]),
        (
            media_reader(TableMedia(maas.Columns({"a": "int64"}))),
            b'[{"a":"1"}]',
            ["body", "x", "a"],
        ),
    ],
)
def test_media_that_cannot_be_read_say_where_and_why(read: Any, raw: Any, loc: Any) -> None:
    (value,) = read.rows([raw])
    assert isinstance(value, Unreadable)
    assert value.detail[0]["loc"] == loc
    assert value.detail[0]["msg"]
