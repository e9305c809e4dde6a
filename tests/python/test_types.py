# SPDX-License-Identifier: Apache-2.0
from typing import Any

import pytest

import maas
from maas.types import DTYPES, closest


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_has_a_name(dtype: str) -> None:
    assert maas.Tensor(dtype, [2, -1]).shape == (2, -1)


def test_a_tensor_is_a_value() -> None:
    assert maas.Tensor("float32", [4]) == maas.Tensor("float32", (4,))
    assert len({maas.Tensor("float32", [4]), maas.Tensor("float32", [4])}) == 1
    assert str(maas.Tensor("float32", [8, 8])) == "float32[8, 8]"


def test_an_input_may_be_optional_or_a_shape_tensor() -> None:
    plain = maas.Tensor("int64", [2])
    assert (plain.optional, plain.shape_tensor) == (False, False)
    assert maas.Tensor("int64", [2], optional=True).of_inputs_alone == "optional"
    size = maas.Tensor("int64", [2], shape_tensor=True)
    assert size.of_inputs_alone == "shape_tensor"
    assert size != plain


@pytest.mark.parametrize("option", ["optional", "shape_tensor"])
def test_a_flag_of_a_tensor_is_true_or_false(option: str) -> None:
    flags: dict[str, Any] = {option: 1}
    with pytest.raises(maas.InvalidArgumentError, match=f"{option} of a tensor is True or False"):
        maas.Tensor("float32", [1], **flags)


def test_a_tensor_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        maas.Tensor("float32", [4]).dtype = "int8"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("dtype", "words"),
    [
        ("float31", "did you mean 'float3"),
        ("FP32", "did you mean 'float32'"),
        ("zzz", "it is one of bool"),
        (float, "a name such as 'float32'"),
    ],
)
def test_a_wrong_dtype_names_the_remedy(dtype: Any, words: str) -> None:
    with pytest.raises(maas.InvalidArgumentError, match=words):
        maas.Tensor(dtype, [1])


@pytest.mark.parametrize("shape", [[0], [-2], [1.5], [True], "44", 4, None])
def test_a_wrong_shape_is_refused(shape: Any) -> None:
    with pytest.raises(maas.InvalidArgumentError, match=r"shape|size"):
        maas.Tensor("float32", shape)


def test_the_nearest_word_is_suggested_and_a_far_one_is_not() -> None:
    assert closest("prot", ["host", "port"]) == "; did you mean 'port'?"
    assert closest("xyzzy", ["host", "port"]) == ""
