# SPDX-License-Identifier: Apache-2.0
import dataclasses
import json
from typing import Any

import numpy as np
import pandas as pd
import pydantic
import pytest
import torch
from PIL import Image

import maas
from maas import forms


@dataclasses.dataclass
class Point:
    x: int


class Model(pydantic.BaseModel):
    y: float


def test_whatever_a_handler_takes_has_a_json_form() -> None:
    fields = {
        "array": np.array([0.1], np.float32),
        "tensor": torch.ones(2, requires_grad=True),
        "point": Point(1),
        "model": Model(y=2.5),
        "table": pd.DataFrame({"a": [1]}),
        "data": b"hi",
    }
    headers, body = forms.written(fields)
    assert headers == [("Content-Type", "application/json")]
    assert json.loads(body) == {
        "array": [0.1],
        "tensor": [1.0, 1.0],
        "point": {"x": 1},
        "model": {"y": 2.5},
        "table": [{"a": 1}],
        "data": "aGk=",
    }


def test_no_content_is_no_body() -> None:
    assert forms.written(None) == ([], b"")


def test_what_has_no_json_form_is_an_error_of_the_caller() -> None:
    with pytest.raises(maas.InvalidArgumentError, match="no JSON form"):
        forms.written({"x": object()})


@pytest.mark.parametrize(
    ("value", "upload"),
    [
        (b"", True),
        (maas.File(b""), True),
        (Image.new("L", (1, 1)), True),
        ([b"a", b"b"], True),
        ([], False),
        ([b"a", 1], False),
        (pd.DataFrame({"a": [1]}), False),
        (np.zeros(1), False),
        ("text", False),
    ],
)
def test_a_form_is_for_what_is_bytes(value: Any, upload: bool) -> None:
    assert forms.holds_bytes({"n": 1, "x": value}) == upload


def test_a_form_arrives_as_it_was_sent() -> None:
    @maas.endpoint("/f")
    def f(files: list[maas.File], data: bytes, n: int, table: pd.DataFrame, text: str) -> Any:
        shown = [[file.name, file.content_type, file.data.hex()] for file in files]
        return [shown, data.hex(), n, table["a"].tolist(), text]

    with maas.TestClient(f) as client:
        files = [maas.File(b"\r\n--x", 'a "b" é.txt', "text/plain"), maas.File(b"")]
        table = pd.DataFrame({"a": [0.1]})
        got = client.call("/f", files=files, data=b"\x00", n=5, table=table, text="é\r\n")
    assert got == [
        [
            ['a "b" é.txt', "text/plain", b"\r\n--x".hex()],
            ["files", "application/octet-stream", ""],
        ],
        "00",
        5,
        [0.1],
        "é\r\n",
    ]


def test_a_name_cannot_break_out_of_its_line() -> None:
    _, body = forms.written_form({"x": maas.File(b"", 'a"\r\nEvil: 1', "b\r\nEvil: 2")})
    assert b"\r\nEvil" not in body
