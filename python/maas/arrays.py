# SPDX-License-Identifier: Apache-2.0
"""Arrays of Python <-> tensors of the core, by the names of a model's inputs and outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from maas.errors import InvalidArgumentError
from maas.types import closest

if TYPE_CHECKING:
    from maas import _core


def inputs_of(
    model: _core.Model, args: tuple[Any, ...], named: dict[str, Any]
) -> list[_core.Tensor]:
    """The tensors of a call in the model's order; an error says what is missing or misshapen."""
    from maas import _core

    specs = model.inputs
    names = [spec.name for spec in specs]
    if len(args) > len(names):
        raise InvalidArgumentError(
            f"model {model.name!r} takes {len(names)} inputs ({', '.join(names)}), not {len(args)}"
        )
    values = dict(zip(names, args, strict=False))
    for name, value in named.items():
        if name not in names:
            hint = closest(name, names) or f"; it has {', '.join(names)}"
            raise InvalidArgumentError(f"model {model.name!r} has no input {name!r}{hint}")
        if name in values:
            raise InvalidArgumentError(f"model {model.name!r}: input {name!r} is given twice")
        values[name] = value
    if missing := [spec.name for spec in specs if spec.name not in values and not spec.optional]:
        raise InvalidArgumentError(f"model {model.name!r} needs the input {missing[0]!r}")
    return [
        to_core(values[spec.name], spec, model) if spec.name in values else _core.Tensor.absent()
        for spec in specs
    ]


def outputs_of(model: _core.Model, tensors: Sequence[_core.Tensor]) -> dict[str, Any]:
    """The arrays of an answer, by the model's output names."""
    names = [spec.name for spec in model.outputs]
    return {name: to_numpy(tensor) for name, tensor in zip(names, tensors, strict=True)}


def to_core(value: Any, spec: _core.TensorSpec, model: _core.Model) -> _core.Tensor:
    """A tensor of the declared dtype: whole numbers may become floats, floats another width."""
    import numpy as np

    from maas import _core

    place = f"model {model.name!r}: input {spec.name!r}"
    if hasattr(value, "__dlpack__") and not isinstance(value, np.ndarray):
        _check_rank(value.shape, spec, model, place)
        return _core.Tensor.from_dlpack(value)
    if spec.dtype == "bytes":
        texts = np.asarray(value, dtype=object)
        _check_rank(texts.shape, spec, model, place)
        return _core.Tensor.from_strings([_text(item) for item in texts.flat], texts.shape)
    array = np.asarray(value)
    _check_rank(array.shape, spec, model, place)
    if spec.dtype and array.dtype.name != spec.dtype:
        try:
            array = converted(array, np.dtype(spec.dtype))
        except (ValueError, TypeError):
            raise InvalidArgumentError(
                f"{place} is {spec.dtype}, and an array of {array.dtype.name} does not fit; "
                f"convert it with x.astype({spec.dtype!r})"
            ) from None
    return _core.Tensor.from_dlpack(_plain_memory(array))


# Kinds of numbers that may become each kind: whole ones become floats, never the reverse.
_MAY_BECOME = {"b": "b", "i": "iu", "u": "iu", "f": "iuf"}


def converted(array: Any, dtype: Any) -> Any:
    """The array in another dtype; ValueError when a number would change by more than rounding."""
    import numpy as np

    if not array.size:
        return array.astype(dtype)
    if array.dtype.kind not in _MAY_BECOME.get(dtype.kind, ""):
        raise ValueError(f"{array.dtype} does not become {dtype}")
    with np.errstate(over="ignore"):
        made = array.astype(dtype)
    wrong = np.isfinite(array) & ~np.isfinite(made) if dtype.kind == "f" else made != array
    if wrong.any():
        raise ValueError(f"a number is out of the range of {dtype}")
    return made


def _plain_memory(array: Any) -> Any:
    """The array itself, or a copy where DLPack cannot lend it (strided or read-only)."""
    return array if array.flags.c_contiguous and array.flags.writeable else array.copy()


def to_numpy(tensor: _core.Tensor) -> Any:
    """The array of a tensor without a copy; bfloat16, which numpy lacks, stays the core's."""
    import numpy as np

    if tensor.dtype == "bytes":
        array = np.empty(tensor.shape, dtype=object)
        array.reshape(-1)[:] = tensor.strings()
        return array
    return tensor if tensor.dtype == "bfloat16" else np.from_dlpack(tensor)


def _check_rank(
    shape: tuple[int, ...], spec: _core.TensorSpec, model: _core.Model, place: str
) -> None:
    if spec.shape is None or not model.batch_dim:
        return
    if len(shape) == len(spec.shape):
        raise InvalidArgumentError(
            f"{place}: shape {tuple(shape)} has no leading dimension of rows; it is "
            f"(rows, {', '.join(map(str, spec.shape))}): use x[None] for a single row"
        )


def _text(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)
