# SPDX-License-Identifier: Apache-2.0
"""Warm-up: a model runs each size of batch once before anybody's request meets it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maas import arrays, calls
from maas.errors import Error, UnavailableError

if TYPE_CHECKING:
    import numpy as np

    from maas import _core

TIMEOUT_S = 300.0


def sizes(max_batch_size: int) -> list[int]:
    """1, 2, 4 and so on, and the largest: back-ends specialise on few more."""
    doubled = [1 << power for power in range(max_batch_size.bit_length())]
    return sorted({*doubled, max_batch_size})


def warm(core: _core.Model, max_batch_size: int, sample: Path | None) -> None:
    """Runs rows of the version's sample, or of zeros where it has none.

    UnavailableError when the model fails on them.
    """
    given = _rows_of(sample) if sample is not None else {}
    for size in sizes(max_batch_size) if core.batch_dim else [1]:
        inputs = {
            spec.name: _rows(given.get(spec.name), spec, size if core.batch_dim else None)
            for spec in core.inputs
            if spec.name in given or not spec.optional
        }
        try:
            calls.run(core, arrays.inputs_of(core, (), inputs), TIMEOUT_S)
        except Error as error:
            what = "its sample" if given else "zeros; a sample says what it takes instead"
            raise UnavailableError(f"it fails on {size} rows of {what}: {error.message}") from error


def _rows_of(sample: Path) -> dict[str, np.ndarray]:
    import numpy as np

    inputs = json.loads(sample.read_bytes())["inputs"]
    return {
        name: np.array(item["data"], object if item["dtype"] == "bytes" else item["dtype"]).reshape(
            item["shape"]
        )
        for name, item in inputs.items()
    }


def _rows(given: np.ndarray | None, spec: _core.TensorSpec, size: int | None) -> Any:
    import numpy as np

    if given is not None:
        return given if size is None or spec.shape_tensor else np.repeat(given[:1], size, axis=0)
    shape = [max(dimension, 1) for dimension in spec.shape or []]
    whole = shape if size is None or spec.shape_tensor else [size, *shape]
    if spec.dtype == "bytes":
        return np.full(whole, b"", object)
    if spec.dtype == "bfloat16":  # which numpy lacks
        import torch

        return torch.zeros(whole, dtype=torch.bfloat16)
    return np.zeros(whole, spec.dtype)
