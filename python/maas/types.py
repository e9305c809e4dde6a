# SPDX-License-Identifier: Apache-2.0
"""Leaf types of the public face: the spec of one row of a tensor."""

from collections.abc import Sequence
from dataclasses import dataclass

from maas.errors import InvalidArgumentError

# dtype -> its name on the wire of the Open Inference Protocol
WIRE_NAMES = {
    "bool": "BOOL",
    "uint8": "UINT8",
    "uint16": "UINT16",
    "uint32": "UINT32",
    "uint64": "UINT64",
    "int8": "INT8",
    "int16": "INT16",
    "int32": "INT32",
    "int64": "INT64",
    "float16": "FP16",
    "bfloat16": "BF16",
    "float32": "FP32",
    "float64": "FP64",
    "bytes": "BYTES",
}
DTYPES = tuple(WIRE_NAMES)


def closest(word: str, known: Sequence[str]) -> str:
    """`; did you mean 'x'?` when one of the known words is near, else nothing."""
    import difflib  # only for those who erred

    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


@dataclass(frozen=True, slots=True, init=False)
class Tensor:
    """The dtype and shape of one row: ``maas.Tensor("float32", [8, 8])``.

    -1 stands for a size that varies. The leading batch dimension is never part of it. Of a model's
    inputs, a request may leave out an `optional` one; a `shape_tensor` has no rows: it is given
    once (a target size, a flag), and requests that share a batch agree in its values.
    """

    dtype: str
    shape: tuple[int, ...]
    optional: bool = False
    shape_tensor: bool = False
    labels: tuple[str, ...] = ()

    def __init__(
        self,
        dtype: str,
        shape: Sequence[int],
        optional: bool = False,
        shape_tensor: bool = False,
        labels: Sequence[str] = (),
    ) -> None:
        object.__setattr__(self, "dtype", _checked_dtype(dtype))
        object.__setattr__(self, "shape", _checked_shape(shape))
        for name, value in (("optional", optional), ("shape_tensor", shape_tensor)):
            object.__setattr__(self, name, _checked_flag(name, value))
        object.__setattr__(self, "labels", _checked_labels(labels))

    def __str__(self) -> str:
        return f"{self.dtype}{list(self.shape)}"

    @property
    def of_inputs_alone(self) -> str:
        """The option that only an input of a model may have, or ""."""
        return "optional" if self.optional else "shape_tensor" if self.shape_tensor else ""


def _checked_dtype(dtype: object) -> str:
    if not isinstance(dtype, str):
        raise InvalidArgumentError(
            f"the dtype of a tensor is a name such as 'float32', not {dtype!r}"
        )
    if dtype not in WIRE_NAMES:
        aliases = {wire.lower(): name for name, wire in WIRE_NAMES.items()}
        near = aliases.get(dtype.lower())
        hint = f"; did you mean {near!r}?" if near else closest(dtype, DTYPES)
        raise InvalidArgumentError(
            f"unknown dtype {dtype!r}{hint or '; it is one of ' + ', '.join(DTYPES)}"
        )
    return dtype


def _checked_flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidArgumentError(f"{name} of a tensor is True or False, not {value!r}")
    return value


def _checked_labels(labels: object) -> tuple[str, ...]:
    is_list = isinstance(labels, Sequence) and not isinstance(labels, str)
    if not is_list or not all(isinstance(item, str) for item in labels):  # type: ignore[attr-defined]
        raise InvalidArgumentError(f"the labels of a tensor are a list of texts, not {labels!r}")
    return tuple(labels)  # type: ignore[arg-type]


def _checked_shape(shape: object) -> tuple[int, ...]:
    if isinstance(shape, str) or not isinstance(shape, Sequence):
        raise InvalidArgumentError(
            f"the shape of a tensor is a list of sizes such as [8, 8], not {shape!r}"
        )
    for size in shape:
        if isinstance(size, bool) or not isinstance(size, int) or size == 0 or size < -1:
            raise InvalidArgumentError(
                f"shape {list(shape)!r}: a size is a positive integer, or -1 for one that "
                f"varies, not {size!r}"
            )
    return tuple(shape)
