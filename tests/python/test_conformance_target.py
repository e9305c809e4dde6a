# SPDX-License-Identifier: Apache-2.0
import json

import pytest

from maas.conformance_target import (
    Answer,
    Skipped,
    Target,
    Wrong,
    binary,
    example,
    flat,
    nested,
    outputs_of,
    refused,
)
from maas.errors import InvalidArgumentError


def answer(body: object, status: int = 200, kind: str = "application/json") -> Answer:
    return Answer(status, {"content-type": kind}, json.dumps(body).encode())


def test_an_example_fills_the_declared_shape() -> None:
    assert example({"name": "x", "shape": [-1, 2], "datatype": "INT8"}) == {
        "name": "x",
        "shape": [1, 2],
        "datatype": "INT8",
        "data": [1, 1],
    }
    with pytest.raises(InvalidArgumentError, match="give a request"):
        example({"name": "x", "shape": [1], "datatype": "BF16"})


def test_tensors_are_put_behind_the_json_in_their_order() -> None:
    inputs = [
        {"name": "t", "shape": [2], "datatype": "BYTES", "data": ["ab", ""]},
        {"name": "x", "shape": [1, 1], "datatype": "INT16", "data": [[258]]},
    ]
    request, behind = binary(Target("", "m", {"inputs": inputs}))
    assert behind == b"\2\0\0\0ab\0\0\0\0" + b"\2\1"
    assert [item["parameters"]["binary_data_size"] for item in request["inputs"]] == [10, 2]
    assert "data" in inputs[0]  # the target's own request stays as it is
    with pytest.raises(Skipped):
        binary(Target("", "m", {"inputs": [{"datatype": "BF16", "data": [1]}]}))


def test_lists_are_nested_and_flattened() -> None:
    assert nested([1, 2, 3, 4], [2, 1, 2]) == [[[1, 2]], [[3, 4]]]
    assert flat([[1, [2]], 3]) == [1, 2, 3]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (answer({}, 200), "not 4xx"),
        (answer({}, 500), "not 4xx"),
        (answer({"detail": "x"}, 422), 'no "error"'),
        (answer({"error": "x"}, 400, "application/json; charset=utf-8"), "Content-Type"),
        (Answer(400, {}, b"<html>"), "is not JSON"),
    ],
)
def test_an_error_in_another_form_is_wrong(given: Answer, words: str) -> None:
    with pytest.raises(Wrong, match=words):
        refused(given)
    refused(answer({"error": "x"}, 404))


def test_an_answer_must_have_as_many_elements_as_its_shape() -> None:
    target = Target("", "m")
    good = {"name": "y", "shape": [2], "datatype": "FP32", "data": [[1.0], [2.0]]}
    found = {"model_name": "m", "model_version": "1", "outputs": [good]}
    assert outputs_of(target, answer(found))["y"] == good
    for change in ({"model_version": 1}, {"model_name": "n"}, {"outputs": [{**good, "data": [1]}]}):
        with pytest.raises(Wrong):
            outputs_of(target, answer({**found, **change}))
