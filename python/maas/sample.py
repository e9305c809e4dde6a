# SPDX-License-Identifier: Apache-2.0
"""Samples: inputs of a model and the outputs that they must give, kept with each version."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maas.errors import InvalidArgumentError, NotFoundError

if TYPE_CHECKING:
    import numpy as np

    from maas.model import Model

RTOL, ATOL = 1e-3, 1e-5
_KEYS = {"inputs", "outputs", "rtol", "atol"}


@dataclass(frozen=True, slots=True)
class Sample:
    """Arrays by the names of tensors; without outputs, those of the first run are expected."""

    inputs: dict[str, Any]
    outputs: dict[str, Any] | None = None
    rtol: float = RTOL
    atol: float = ATOL


def read(source: str | os.PathLike[str] | Mapping[str, Any]) -> Sample:
    """The sample in a JSON file, or in a mapping of the same form.

    ``{"inputs": {"x": [[1.0, 2.0]]}, "outputs": {"y": [[3.0]]}, "rtol": 1e-3, "atol": 1e-5}``;
    only inputs are needed. An array is a list, or ``{"dtype": ..., "data": ...}``.
    """
    if isinstance(source, Mapping):
        return _sample(dict(source), "the sample")
    path = Path(source)
    place = f"sample {str(path)!r}"
    try:
        read_in = json.loads(path.read_text())
    except FileNotFoundError:
        raise NotFoundError(f"{place} was not found; check the path") from None
    except ValueError as error:
        raise InvalidArgumentError(f"{place} is not JSON: {error}") from None
    return _sample(read_in, place)


def _sample(read_in: Any, place: str) -> Sample:
    if not isinstance(read_in, dict) or not isinstance(read_in.get("inputs"), Mapping):
        raise InvalidArgumentError(
            f'{place} has no inputs: it is {{"inputs": {{name: array}}, "outputs": ...}}'
        )
    if unknown := set(read_in) - _KEYS:
        raise InvalidArgumentError(f"{place} has {sorted(unknown)[0]!r}; it may have {_KEYS}")
    outputs = read_in.get("outputs")
    if outputs is not None and not isinstance(outputs, Mapping):
        raise InvalidArgumentError(f"{place}: outputs map names to arrays")
    return Sample(
        dict(read_in["inputs"]),
        None if outputs is None else dict(outputs),
        float(read_in.get("rtol", RTOL)),
        float(read_in.get("atol", ATOL)),
    )


def run(sample: Sample, model: Model) -> tuple[Sample, str]:
    """The sample with all of its arrays, and what is wrong with what the model gave."""
    inputs = {name: _array(value, model.inputs, name) for name, value in sample.inputs.items()}
    given = model.run(**inputs)
    if sample.outputs is None:
        return Sample(inputs, given, sample.rtol, sample.atol), ""
    expected = {name: _array(value, model.outputs, name) for name, value in sample.outputs.items()}
    made = Sample(inputs, expected, sample.rtol, sample.atol)
    for name, value in expected.items():
        if name not in given:
            return made, f"it gives no output {name!r}; it gives {', '.join(given)}"
        if problem := _difference(given[name], value, sample):
            return made, f"output {name!r} of the sample {problem}"
    return made, ""


def to_json(sample: Sample) -> bytes:
    """The form in which a version keeps it (docs/formats/manifest.md)."""
    made = {
        "inputs": {name: _described(array) for name, array in sample.inputs.items()},
        "outputs": {name: _described(array) for name, array in (sample.outputs or {}).items()},
        "rtol": sample.rtol,
        "atol": sample.atol,
    }
    return json.dumps(made, sort_keys=True, separators=(",", ":")).encode()


def _described(array: np.ndarray) -> dict[str, Any]:
    import numpy as np

    made = np.asarray(array)
    if made.dtype.kind in "OSU":
        made = np.vectorize(lambda item: item.decode() if isinstance(item, bytes) else item)(made)
        return {"dtype": "bytes", "shape": list(made.shape), "data": made.tolist()}
    return {"dtype": made.dtype.name, "shape": list(made.shape), "data": made.tolist()}


def _array(value: Any, specs: Mapping[str, Any], name: str) -> np.ndarray:
    import numpy as np

    dtype = specs[name].dtype if name in specs else None
    if isinstance(value, Mapping):
        dtype, value = value.get("dtype", dtype), value.get("data")
    if isinstance(value, np.ndarray):
        return value
    try:
        return np.asarray(value, dtype=None if dtype == "bytes" else (dtype or _kind(value)))
    except (TypeError, ValueError) as error:
        raise InvalidArgumentError(f"sample: {name!r} is not an array: {error}") from None


def _kind(value: Any) -> str | None:
    """Of numbers of an undeclared model: what a back-end takes by default."""
    import numpy as np

    return "float32" if np.asarray(value).dtype == np.float64 else None


def _difference(given: Any, expected: np.ndarray, sample: Sample) -> str:
    import numpy as np

    given = np.asarray(given)
    if given.shape != expected.shape:
        return f"has the shape {list(given.shape)} instead of {list(expected.shape)}"
    if given.dtype.kind not in "fc" and expected.dtype.kind not in "fc":
        if (given == expected).all():
            return ""
        return f"differs in {int((given != expected).sum())} of {given.size} values"
    close = np.isclose(given, expected, rtol=sample.rtol, atol=sample.atol, equal_nan=True)
    if close.all():
        return ""
    far = np.abs(given.astype("float64") - expected.astype("float64"))
    return (
        f"differs in {int((~close).sum())} of {given.size} values, by up to {far.max():.6g} "
        f"(rtol={sample.rtol:g}, atol={sample.atol:g})"
    )
