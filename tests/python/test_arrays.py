# SPDX-License-Identifier: Apache-2.0
from typing import Any

import numpy as np
import pytest

import maas
from maas import _core, arrays


class TwoInputs:
    """What `inputs_of` asks of a model: its name and its inputs."""

    name = "net"
    batch_dim = True
    inputs = (_core.TensorSpec("ids", "int64", [-1]), _core.TensorSpec("scale", "float32", [2]))


IDS, SCALE = np.array([[1, 2, 3]]), np.array([[1.0, 2.0]], np.float32)


def inputs_of(*args: Any, **named: Any) -> list[_core.Tensor]:
    return arrays.inputs_of(TwoInputs(), args, named)  # type: ignore[arg-type]


def refused(words: str) -> Any:
    return pytest.raises(maas.InvalidArgumentError, match=words)


def test_inputs_come_in_the_order_of_the_model() -> None:
    ids, scale = inputs_of(scale=SCALE, ids=IDS)
    assert (ids.dtype, ids.shape) == ("int64", (1, 3))
    assert (scale.dtype, scale.shape) == ("float32", (1, 2))


def test_inputs_by_position_and_by_name_may_be_mixed() -> None:
    assert [tensor.dtype for tensor in inputs_of(IDS, scale=SCALE)] == ["int64", "float32"]


def test_lists_and_wider_floats_become_the_declared_dtype() -> None:
    _, scale = inputs_of([[1, 2]], np.array([[0.5, 1.5]], np.float64))
    assert scale.dtype == "float32"
    assert np.from_dlpack(scale).tolist() == [[0.5, 1.5]]


def test_strided_and_read_only_arrays_are_taken() -> None:
    strided = np.arange(8, dtype=np.float32).reshape(2, 4)[:, ::2]
    strided.flags.writeable = False
    _, scale = inputs_of(np.ones((2, 1), np.int64), strided)
    assert np.from_dlpack(scale).tolist() == [[0.0, 2.0], [4.0, 6.0]]


def test_floats_do_not_become_whole_numbers() -> None:
    with refused(r"input 'ids' is int64, and an array of float64 does not fit; convert it with"):
        inputs_of(np.array([[1.5]]), SCALE)


def test_a_float_that_is_too_large_is_refused_and_infinity_passes() -> None:
    with refused("input 'scale' is float32, and an array of float64 does not fit"):
        inputs_of(IDS, np.array([[1e39, 0.0]]))
    _, scale = inputs_of(IDS, np.array([[np.inf, np.nan]]))
    assert not np.isfinite(np.from_dlpack(scale)).any()


def test_a_missing_row_dimension_says_how_to_add_it() -> None:
    with refused(r"input 'scale': shape \(2,\) has no leading dimension of rows.*use x\[None\]"):
        inputs_of(IDS, SCALE[0])


@pytest.mark.parametrize(
    ("args", "named", "words"),
    [
        ((), {"ids": IDS}, "needs the input 'scale'"),
        ((), {"ids": IDS, "scal": SCALE}, "no input 'scal'; did you mean 'scale'"),
        ((IDS,), {"ids": IDS}, "input 'ids' is given twice"),
        ((IDS, SCALE, IDS), {}, "takes 2 inputs"),
    ],
)
def test_a_wrong_input_is_named(args: Any, named: Any, words: str) -> None:
    with refused(words):
        inputs_of(*args, **named)


def test_text_travels_as_bytes_both_ways() -> None:
    class Texts:
        name = "texts"
        batch_dim = True
        inputs = (_core.TensorSpec("t", "bytes", [2]),)

    (tensor,) = arrays.inputs_of(Texts(), (np.array([["a", b"b"]], object),), {})  # type: ignore[arg-type]
    assert (tensor.dtype, tensor.shape, tensor.strings()) == ("bytes", (1, 2), [b"a", b"b"])
    assert arrays.to_numpy(tensor).tolist() == [[b"a", b"b"]]


def test_outputs_are_arrays_by_name() -> None:
    class OneOutput:
        name = "net"
        outputs = (_core.TensorSpec("y", "float32", [2]),)

    found = arrays.outputs_of(OneOutput(), [_core.Tensor.from_dlpack(SCALE)])  # type: ignore[arg-type]
    assert found["y"].tolist() == [[1.0, 2.0]]


def test_other_arrays_come_by_dlpack() -> None:
    import torch

    _, scale = inputs_of(IDS, torch.tensor([[1.0, 2.0]]))
    assert np.from_dlpack(scale).tolist() == [[1.0, 2.0]]
    with refused("no leading dimension of rows"):
        inputs_of(IDS, torch.tensor([1.0, 2.0]))


def test_bfloat16_stays_a_tensor_of_the_core() -> None:
    import torch

    tensor = _core.Tensor.from_dlpack(torch.zeros(1, 2, dtype=torch.bfloat16))
    assert arrays.to_numpy(tensor) is tensor
