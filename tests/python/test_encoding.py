# SPDX-License-Identifier: Apache-2.0
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pydantic
import pytest
import torch
from PIL import Image

from maas.encoding import encode


@dataclass
class Box:
    low: int


class Model(pydantic.BaseModel):
    a: int


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a", "a"),
        (None, None),
        ({"a": [1, 2.5, True]}, {"a": [1, 2.5, True]}),
        (Box(1), {"low": 1}),
        (Model(a=1), {"a": 1}),
        ([Model(a=1)], [{"a": 1}]),
        ((1, 2), [1, 2]),
        (torch.tensor([[0.1, 2]]), [[0.1, 2]]),
        (torch.tensor([0.1], requires_grad=True), [0.1]),
        (torch.arange(4).reshape(2, 2).mT, [[0, 2], [1, 3]]),
        (torch.tensor(0.5), 0.5),
        ({"y": torch.ones(1, dtype=torch.bfloat16)}, {"y": [1]}),
        (pd.DataFrame({"a": [1, None]}), [{"a": 1}, {"a": None}]),
        ({"t": [pd.DataFrame({"a": ["x"]})]}, {"t": [[{"a": "x"}]]}),
        (pd.Series([1, 2]), [1, 2]),
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.array([[1, 2]]), [[1, 2]]),
        (np.array(["a", "b"]), ["a", "b"]),
        ({"y": np.array([0.5], np.float32), "n": 1}, {"y": [0.5], "n": 1}),
        ({"deep": {"y": np.array([1])}}, {"deep": {"y": [1]}}),
        ([np.array([1]), np.array([2, 3])], [[1], [2, 3]]),
        ({'ke"y': np.array([1])}, {'ke"y': [1]}),
        ({"b": b"hi"}, {"b": "aGk="}),
        (float("nan"), None),
        ({"a": float("inf")}, {"a": None}),
    ],
)
def test_a_value_becomes_its_json(value: Any, expected: Any) -> None:
    body = encode(value)
    assert isinstance(body, bytes)
    assert json.loads(body) == expected


def test_float32_is_written_with_its_shortest_digits() -> None:
    assert encode(np.array([0.1], np.float32)) == b"[0.1]"
    assert encode({"y": np.array([0.1], np.float32)}) == b'{"y":[0.1]}'


def test_strided_and_read_only_arrays_are_encoded() -> None:
    array = np.arange(6, dtype=np.float32)[::2]
    array.flags.writeable = False
    assert json.loads(bytes(encode(array))) == [0, 2, 4]  # type: ignore[arg-type]


def test_bytes_are_the_body_itself() -> None:
    assert encode(b"\x89PNG") == (b"\x89PNG", "application/octet-stream")


@pytest.mark.parametrize("value", [object(), {"a": object()}, {1: np.array([1])}])
def test_what_has_no_json_form_raises(value: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=r"no JSON form|are text"):
        encode(value)


def test_tensors_of_torch_are_encoded_also_with_a_gradient() -> None:
    import torch

    assert json.loads(bytes(encode(torch.tensor([1.0, 2.0])))) == [1, 2]  # type: ignore[arg-type]
    learned = torch.nn.Parameter(torch.tensor([1.0]))
    assert json.loads(bytes(encode({"w": learned}))) == {"w": [1]}  # type: ignore[arg-type]


def test_an_image_is_a_png_unless_another_form_is_asked_for() -> None:
    image = Image.new("RGB", (1, 1))
    answer = encode(image)
    assert isinstance(answer, tuple)
    assert answer[1] == "image/png"
    assert encode(image, "image/jpeg")[1] == "image/jpeg"
    as_json = encode(image, "application/json")
    assert isinstance(as_json, bytes)
    assert json.loads(as_json) == json.loads(encode({"i": image}))["i"]  # type: ignore[arg-type]
