# SPDX-License-Identifier: Apache-2.0
"""What a model's inputs and outputs are declared to be: checked, and in the core's form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from maas.errors import InvalidArgumentError
from maas.types import Tensor

if TYPE_CHECKING:
    from maas import _core


def core_specs(
    tensors: Mapping[str, Tensor] | None, mask: str | None = None
) -> list[_core.TensorSpec] | None:
    """The core's form; the mask may always be left out, because the batcher can tell it."""
    from maas import _core

    if tensors is None:
        return None
    return [
        _core.TensorSpec(
            name,
            item.dtype,
            item.shape,
            optional=item.optional or name == mask,
            shape_tensor=item.shape_tensor,
            labels=item.labels,
        )
        for name, item in tensors.items()
    ]


def row_specs(specs: list[_core.TensorSpec]) -> dict[str, Tensor]:
    """The declared rows by name, where the core knows them."""
    return {
        s.name: Tensor(s.dtype, s.shape, s.optional, s.shape_tensor)
        for s in specs
        if s.dtype and s.shape is not None
    }


def check_tensors(model: str, kind: str, tensors: object) -> None:
    """Raises an error that names what is wrong with the `inputs` or `outputs` of a model."""
    if tensors is None:
        return
    if not isinstance(tensors, Mapping) or not tensors:
        raise InvalidArgumentError(
            f"model {model!r}: {kind} maps names to tensors, such as "
            f'{{"x": maas.Tensor("float32", [4])}}, not {tensors!r}'
        )
    for name, item in tensors.items():
        if not isinstance(name, str) or not isinstance(item, Tensor):
            raise InvalidArgumentError(
                f"model {model!r}: {kind}[{name!r}] is a maas.Tensor, not {item!r}"
            )
        if kind == "inputs" and item.labels:
            raise InvalidArgumentError(
                f"model {model!r}: inputs[{name!r}] has labels, which only an output can have"
            )
        if kind == "outputs" and (option := item.of_inputs_alone):
            raise InvalidArgumentError(
                f"model {model!r}: outputs[{name!r}] is {option}, which only an input can be"
            )
