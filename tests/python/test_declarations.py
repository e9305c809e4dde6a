# SPDX-License-Identifier: Apache-2.0
import pytest

import maas
from maas import declarations


def test_the_core_gets_every_property_of_a_tensor() -> None:
    made = declarations.core_specs(
        {"x": maas.Tensor("float32", [2], optional=True), "mask": maas.Tensor("int64", [])}, "mask"
    )
    assert made is not None
    assert [(item.name, item.optional, item.shape) for item in made] == [
        ("x", True, [2]),
        ("mask", True, []),
    ]
    assert declarations.row_specs(made)["x"].shape == (2,)
    assert declarations.core_specs(None) is None


@pytest.mark.parametrize(
    ("kind", "tensors", "words"),
    [
        ("inputs", {}, "maps names to tensors"),
        ("inputs", {"x": [2]}, "is a maas.Tensor"),
        ("inputs", {"x": maas.Tensor("float32", [2], labels=["a"])}, "labels"),
        ("outputs", {"x": maas.Tensor("float32", [2], optional=True)}, "only an input"),
    ],
)
def test_what_is_wrong_is_named(kind: str, tensors: object, words: str) -> None:
    with pytest.raises(maas.InvalidArgumentError, match=words):
        declarations.check_tensors("m", kind, tensors)
    declarations.check_tensors("m", kind, None)
