# SPDX-License-Identifier: Apache-2.0
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NotRequired, Required, TypedDict

import numpy as np
import numpy.typing as npt
import pandas as pd
import pydantic
import pytest
import torch
from PIL.Image import Image as Image_

import maas
from maas import schema

Image = Annotated[np.ndarray, maas.Tensor("float32", [8, 8])]


class Point(TypedDict):
    x: int
    y: float


class Named(TypedDict, total=False):
    name: Required[str]
    nick: NotRequired[str]
    points: list[Point]


@dataclass
class Box:
    low: int
    high: int = 9


class Plain:
    pass


class Model(pydantic.BaseModel):
    a: int


def describe(function: Callable[..., Any]) -> schema.Signature:
    return schema.describe(function, "endpoint f")


def parameter(hint: Any) -> schema.Parameter:
    def function(x: Any) -> None: ...

    function.__annotations__["x"] = hint
    return describe(function).parameters[0]


def read(hint: Any, text: str) -> Any:
    adapter = parameter(hint).adapter
    assert adapter is not None
    return adapter.validate_json(text, strict=parameter(hint).strict)


def test_an_annotated_array_is_a_tensor_that_the_core_parses() -> None:
    item = parameter(Image)
    assert (item.kind, item.tensor, item.adapter) == (
        "tensor",
        maas.Tensor("float32", [8, 8]),
        None,
    )


@pytest.mark.parametrize(
    ("hint", "dtype"),
    [(np.ndarray, ""), (npt.NDArray[np.float32], "float32"), (npt.NDArray[Any], "")],
)
def test_a_bare_array_keeps_the_dtype_that_its_hint_gives(hint: Any, dtype: str) -> None:
    item = parameter(hint)
    assert (item.kind, item.dtype) == ("array", dtype)


@pytest.mark.parametrize(
    ("hint", "text", "expected"),
    [
        (str, '"a"', "a"),
        (int, "5", 5),
        (float, "5", 5.0),
        (bool, "true", True),
        (list[int], "[1,2]", [1, 2]),
        (dict[str, int], '{"a":1}', {"a": 1}),
        (int | None, "null", None),
        (int | None, "3", 3),
        (Literal["a", "b"], '"b"', "b"),
        (Point, '{"x":1,"y":2}', {"x": 1, "y": 2.0}),
        (list[Point], '[{"x":1,"y":2}]', [{"x": 1, "y": 2.0}]),
        (Point | None, '{"x":1,"y":2}', {"x": 1, "y": 2.0}),
        (
            Named,
            '{"name":"a","points":[{"x":1,"y":2}]}',
            {"name": "a", "points": [{"x": 1, "y": 2.0}]},
        ),
        (Box, '{"low":1}', Box(1, 9)),
        (list[Box], '[{"low":1}]', [Box(1, 9)]),
        (Model, '{"a":1}', Model(a=1)),
        (Annotated[int, pydantic.Field(ge=1)], "1", 1),
    ],
)
def test_a_value_is_read_by_its_hint(hint: Any, text: str, expected: Any) -> None:
    assert read(hint, text) == expected


@pytest.mark.parametrize(
    ("hint", "text"),
    [
        (int, '"5"'),
        (int, "true"),
        (int, "2.5"),
        (float, '"1"'),
        (bool, "1"),
        (str, "1"),
        (list[int], '["1"]'),
        (Point, '{"x":1}'),
        (Point, '{"x":true,"y":1}'),
        (Named, '{"nick":"a"}'),
        (Box, '{"low":true}'),
        (list[Box], '[{"low":true}]'),
        (Annotated[int, pydantic.Field(ge=1)], "0"),
    ],
)
def test_a_value_is_never_bent_to_fit(hint: Any, text: str) -> None:
    with pytest.raises(pydantic.ValidationError):
        read(hint, text)


def test_a_default_makes_a_parameter_optional() -> None:
    def function(a: int, b: str = "x") -> None: ...

    a, b = describe(function).parameters
    assert (a.required, b.required, b.default) == (True, False, "x")


def test_self_is_no_parameter() -> None:
    class Service:
        def method(self, a: int) -> None: ...

    assert [item.name for item in describe(Service.method).parameters] == ["a"]
    assert [item.name for item in describe(Service().method).parameters] == ["a"]


def test_a_tensor_has_no_default() -> None:
    def function(x: Image = np.zeros((8, 8))) -> None: ...  # noqa: B008

    with pytest.raises(maas.InvalidArgumentError, match="parameter 'x' is a tensor, and a tensor"):
        describe(function)


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (Annotated[list, maas.Tensor("float32", [1])], "a maas.Tensor annotates an array"),
        (Annotated[np.ndarray, maas.Tensor("bfloat16", [1])], "numpy has no bfloat16"),
        (Plain, "parameter 'x': Plain cannot be read from JSON; use str, int"),
        (list[Plain], "cannot be read from JSON"),
    ],
)
def test_a_hint_that_cannot_be_read_names_the_parameter(hint: Any, words: str) -> None:
    with pytest.raises(maas.InvalidArgumentError, match=words):
        parameter(hint)


def test_an_async_def_is_known_as_such() -> None:
    async def function(a: int) -> int:
        return a

    assert describe(function).asynchronous


def test_the_result_is_described_when_it_can_be() -> None:
    def known() -> Point: ...  # type: ignore[empty-body]
    def array() -> Image: ...  # type: ignore[empty-body]
    def octets() -> bytes: ...  # type: ignore[empty-body]
    def odd() -> Plain: ...  # type: ignore[empty-body]
    def unknown(): ...  # type: ignore[no-untyped-def]

    assert describe(known).result is not None
    result = describe(array).result
    assert result is not None
    assert result.tensor == maas.Tensor("float32", [8, 8])
    result = describe(octets).result
    assert result is not None
    assert result.media is not None
    assert result.media.gives == ("application/octet-stream",)
    assert describe(odd).result is None
    assert describe(unknown).result is None


def test_a_context_is_no_key_of_the_body_whatever_its_name() -> None:
    def f(n: int, about: maas.Context) -> int:
        return n

    def g(n: int, c: maas.Context | None = None) -> int:
        return n

    described = [schema.describe(function, "f") for function in (f, g)]
    assert [item.context for item in described] == ["about", "c"]
    assert [[p.name for p in item.parameters] for item in described] == [["n"], ["n"]]


def test_two_contexts_or_a_list_of_them_are_refused() -> None:
    def two(a: maas.Context, b: maas.Context) -> int:
        return 1

    def many(a: list[maas.Context]) -> int:
        return 1

    with pytest.raises(maas.InvalidArgumentError, match=r"'a' and 'b' are both a maas\.Context"):
        schema.describe(two, "f")
    with pytest.raises(maas.InvalidArgumentError, match=r"annotate it maas\.Context alone"):
        schema.describe(many, "f")


def test_only_an_input_of_a_model_is_optional_or_a_shape_tensor() -> None:
    def f(x: Annotated[np.ndarray, maas.Tensor("float32", [1], optional=True)]) -> int:
        return 1

    with pytest.raises(maas.InvalidArgumentError, match="optional=True is for the inputs of maas"):
        schema.describe(f, "f")


def test_tensors_of_torch_are_described_like_arrays() -> None:
    item = parameter(Annotated[torch.Tensor, maas.Tensor("bfloat16", [4])])
    assert (item.kind, item.library, item.tensor) == (
        "tensor",
        "torch",
        maas.Tensor("bfloat16", [4]),
    )
    item = parameter(torch.Tensor)
    assert (item.kind, item.library) == ("array", "torch")
    with pytest.raises(maas.InvalidArgumentError, match="torch has no bytes"):
        parameter(Annotated[torch.Tensor, maas.Tensor("bytes", [4])])


@pytest.mark.parametrize(
    ("hint", "many", "nullable"),
    [
        (bytes, False, False),
        (bytes | None, False, True),
        (maas.File, False, False),
        (list[maas.File], True, False),
        (list[Image_] | None, True, True),
        (pd.DataFrame | None, False, True),
    ],
)
def test_media_may_be_several_or_none(hint: Any, many: bool, nullable: bool) -> None:
    item = parameter(hint)
    assert (item.kind, item.many, item.nullable) == ("media", many, nullable)


def test_bytes_inside_other_values_are_json() -> None:
    for hint in (list[bytes], dict[str, bytes], bytes | str):
        assert parameter(hint).kind == "json"


def test_the_client_chooses_among_the_forms_of_an_image_or_a_table() -> None:
    def image() -> Image_: ...  # type: ignore[empty-body]
    def octets() -> bytes: ...  # type: ignore[empty-body]
    def value() -> int: ...  # type: ignore[empty-body]

    assert describe(image).gives[0] == "image/png"
    assert describe(image).asks_origin
    assert not describe(octets).asks_origin
    assert describe(value).gives == ("application/json",)
    assert not describe(value).asks_origin


@pytest.mark.parametrize(
    "hint", [Iterator[int], Generator[int], Iterable[int], AsyncIterator[int], AsyncGenerator[int]]
)
def test_the_hint_of_a_generator_is_that_of_its_items(hint: Any) -> None:
    def steps():  # type: ignore[no-untyped-def]
        yield 1

    async def asteps():  # type: ignore[no-untyped-def]
        yield 1

    def plain():  # type: ignore[no-untyped-def]
        return iter([1])

    for function, streaming, asynchronous in (
        (steps, True, False),
        (asteps, True, True),
        (plain, False, False),
    ):
        function.__annotations__["return"] = hint
        found = schema.describe(function, "f")
        assert (found.streaming, found.asynchronous) == (streaming, asynchronous)
        if streaming:
            assert found.result is not None
            assert found.result.adapter is not None
            assert found.result.adapter.json_schema() == {"type": "integer"}


def test_a_generator_without_a_hint_of_its_items_has_no_schema() -> None:
    def steps():  # type: ignore[no-untyped-def]
        yield 1

    found = schema.describe(steps, "f")
    assert found.streaming
    assert found.result is None
