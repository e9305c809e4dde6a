# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import maas
from maas import openapi

FLOAT32_MAX = float(np.finfo(np.float32).max)
BFLOAT16_MAX = 3.3895313892515355e38


class Answer(TypedDict):
    label: int


def document(*functions: Callable[..., Any]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    specs = [maas.EndpointSpec(f"/{f.__name__}", f) for f in functions]
    return openapi.document([(spec, spec.signature()) for spec in specs])


def body(operation: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = operation["requestBody"]["content"]["application/json"]["schema"]
    return found


def test_an_operation_tells_the_body_and_the_answer() -> None:
    def classify(image: Annotated[np.ndarray, maas.Tensor("uint8", [2, -1])], k: int = 3) -> Answer:
        """Names the digit.

        The image is 8 by 8.
        """
        raise NotImplementedError

    ((operation,), components) = document(classify)
    assert operation["operationId"] == "classify"
    assert (operation["summary"], operation["description"]) == (
        "Names the digit.",
        "The image is 8 by 8.",
    )
    schema = body(operation)
    assert (schema["required"], schema["additionalProperties"]) == (["image"], False)
    assert schema["properties"]["k"] == {"type": "integer", "default": 3}
    assert schema["properties"]["image"] == {
        "type": "array",
        "minItems": 2,
        "maxItems": 2,
        "items": {
            "type": "array",
            "items": {"type": "integer", "minimum": 0, "maximum": 255},
        },
    }
    answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer == {"$ref": "#/components/schemas/Answer"}
    assert components["Answer"]["properties"]["label"]["type"] == "integer"


def test_types_of_one_name_stay_apart() -> None:
    def types() -> tuple[Any, Any]:
        class Same(TypedDict):
            a: int

        first = Same

        class Same(TypedDict):  # type: ignore[no-redef]
            b: str

        Same.__module__ = "elsewhere"
        return first, Same

    one, two = types()

    def f(x: Any) -> Any:
        return x

    def g(x: Any) -> Any:
        return x

    f.__annotations__["x"], g.__annotations__["x"] = one, two
    operations, components = document(f, g)
    references = [body(operation)["properties"]["x"]["$ref"] for operation in operations]
    assert len(set(references)) == 2
    assert len(components) == 2


def test_bytes_are_base64_in_a_body_and_octets_as_an_answer() -> None:
    def thumbnail(image: bytes) -> bytes:
        return image

    ((operation,), _) = document(thumbnail)
    image = body(operation)["properties"]["image"]
    assert (image.pop("type"), image.pop("contentEncoding")) == ("string", "base64")
    assert list(image) == ["pattern"]
    assert list(operation["responses"]["200"]["content"]) == ["application/octet-stream"]


def test_a_function_without_a_docstring_is_summed_up_by_its_name() -> None:
    def top_words(text: str) -> list[str]:
        return [text]

    ((operation,), components) = document(top_words)
    assert (operation["summary"], operation["description"]) == ("top words", "")
    assert components == {}


def test_a_default_without_a_json_form_is_not_shown() -> None:
    def f(x: int | None = object()) -> Any:  # type: ignore[assignment]
        return x

    ((operation,), _) = document(f)
    assert "default" not in body(operation)["properties"]["x"]


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        ("bool", {"type": "boolean"}),
        ("bytes", {"type": "string"}),
        ("float16", {"type": "number", "minimum": -65504.0, "maximum": 65504.0}),
        ("float32", {"type": "number", "minimum": -FLOAT32_MAX, "maximum": FLOAT32_MAX}),
        ("bfloat16", {"type": "number", "minimum": -BFLOAT16_MAX, "maximum": BFLOAT16_MAX}),
        ("float64", {"type": "number"}),
        ("int8", {"type": "integer", "minimum": -128, "maximum": 127}),
        ("uint16", {"type": "integer", "minimum": 0, "maximum": 65535}),
    ],
)
def test_every_kind_of_number_has_its_range(dtype: str, expected: dict[str, Any]) -> None:
    assert openapi.tensor_schema(maas.Tensor(dtype, [])) == expected


def test_media_is_shown_in_each_way_that_it_may_come_and_go() -> None:
    def resize(image: Image.Image, width: int = 5) -> Image.Image:
        return image

    ((operation,), _) = document(resize)
    content = operation["requestBody"]["content"]
    assert list(content) == [
        "application/json",
        "multipart/form-data",
        "application/x-www-form-urlencoded",
        "image/*",
    ]
    form = content["multipart/form-data"]["schema"]
    assert form["properties"]["image"] == {"type": "string", "format": "binary"}
    assert form["required"] == ["image"]
    assert body(operation)["properties"]["image"]["contentEncoding"] == "base64"
    (query,) = operation["parameters"]
    assert (query["name"], query["in"], query["schema"]["default"]) == ("width", "query", 5)
    answers = operation["responses"]["200"]["content"]
    assert list(answers) == ["image/png", "image/jpeg", "image/webp", "application/json"]
    assert answers["application/json"]["schema"]["contentMediaType"] == "image/*"


def test_several_files_are_a_list_and_an_optional_one_may_be_null() -> None:
    def f(files: list[maas.File], table: pd.DataFrame | None = None) -> maas.File:
        return files[0]

    ((operation,), _) = document(f)
    content = operation["requestBody"]["content"]
    assert "*/*" not in content
    assert content["multipart/form-data"]["schema"]["properties"]["files"]["type"] == "array"
    assert body(operation)["properties"]["table"]["anyOf"][1] == {"type": "null"}
    assert operation["parameters"] == []
    assert list(operation["responses"]["200"]["content"]) == ["*/*"]
