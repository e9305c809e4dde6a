# SPDX-License-Identifier: Apache-2.0
from pathlib import Path
from typing import Any

import pytest

import maas

IDS = maas.Tensor("int64", [-1])
TEXT = maas.Tensor("bytes", [-1])
GRID = maas.Tensor("float32", [-1, -1])
SIZE = maas.Tensor("int64", [-1], shape_tensor=True)
PAD = {"a": 0}


def load(folder: Path, **options: Any) -> maas.Model:
    given = {"inputs": {"a": IDS, "b": IDS}, "outputs": {"sum": IDS, "difference": IDS}}
    return maas.load(str(folder / "pair.pt"), **{**given, **options})


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ({"batch_policy": "windw"}, "batch_policy is 'eager' or 'window', not 'windw'; did you"),
        ({"batch_policy": None}, "batch_policy is 'eager' or 'window', not None"),
        ({"on_batch_error": "retry"}, "on_batch_error is 'split' or 'fail', not 'retry'"),
    ],
)
def test_endpoints_and_models_refuse_an_unknown_choice(
    models: Path, option: dict[str, Any], words: str
) -> None:
    with pytest.raises(maas.InvalidArgumentError, match=f"model 'pair': {words}"):
        load(models, **option)
    with pytest.raises(maas.InvalidArgumentError, match=f"endpoint .*: {words}"):
        maas.EndpointSpec("/f", lambda: 1, **option)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"mask": "b"}, r'mask tells what is padding, so it needs pad=, such as pad={"input_ids"'),
        ({"max_batch_tokens": 9}, "max_batch_tokens counts padded positions, so it needs pad="),
        ({"max_batch_tokens": -1}, "max_batch_tokens is a whole number of at least 0"),
        ({"pad": {}}, "pad maps names of inputs to what fills them up"),
        ({"pad": ["a"]}, "pad maps names of inputs to what fills them up"),
        ({"pad": PAD, "outputs": None}, "pad needs declared inputs and outputs"),
        ({"pad": PAD, "inputs": None}, "pad needs declared inputs and outputs"),
        ({"pad": {"aa": 0}}, "pad names 'aa', which is no input; the inputs are: a, b"),
        ({"pad": {3: 0}}, "pad names 3, which is no input"),
        ({"pad": PAD, "mask": "c"}, "mask names 'c', which is no input; the inputs are: a, b"),
        ({"pad": PAD, "mask": "b", "inputs": {"a": IDS, "b": GRID}}, "mask names 'b', which is fl"),
        ({"pad": {"a": 0, "b": 1}, "mask": "b"}, "mask 'b' is filled up with 0"),
        ({"pad": PAD, "inputs": {"a": GRID}}, "exactly one dimension of -1: the one that is pad"),
        ({"pad": PAD, "inputs": {"a": SIZE}}, "it is a shape tensor; leave it out"),
        ({"pad": PAD, "inputs": {"a": TEXT}}, "which is text; only numbers are padded"),
        ({"pad": {"a": "0"}}, "fills 'a' up with a number, such as 0, not '0'"),
        ({"pad": {"a": True}}, "fills 'a' up with a number, such as 0, not True"),
        ({"pad": {"a": 0.5}}, "its dtype is int64; give a whole number"),
        ({"pad": {"a": float("nan")}}, "its dtype is int64; give a whole number"),
        ({"pad": PAD, "batch_dim": False}, "max_batch_size stays 1 and nothing is padded"),
        ({"weight": 0}, "weight is a number above 0, not 0"),
        ({"weight": float("inf")}, "weight is a number above 0, not inf"),
        ({"weight": "1"}, "weight is a number above 0, not '1'"),
    ],
)
def test_padding_that_cannot_work_names_the_option_and_the_remedy(
    models: Path, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(maas.InvalidArgumentError, match=f"model 'pair'.*{words}"):
        load(models, **options)


def test_padding_that_fits_is_taken_and_the_mask_becomes_optional(models: Path) -> None:
    net = load(
        models,
        pad={"a": 0},
        mask="b",
        max_batch_size=8,
        max_batch_tokens=512,
        weight=2,
        batch_policy="window",
        on_batch_error="fail",
    )
    assert net.inputs == {"a": IDS, "b": maas.Tensor("int64", [-1], optional=True)}


def test_a_floating_point_input_may_be_filled_up_with_a_fraction(models: Path) -> None:
    row = maas.Tensor("float32", [-1])
    pair = {"a": row, "b": row}
    load(models, inputs=pair, outputs=pair, pad={"a": -0.5}, max_batch_size=2)
