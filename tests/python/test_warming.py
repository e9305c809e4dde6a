"""Sizes of batches that a model runs before it serves, and what it is given."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import maas
from maas import engine, sample, warming


def loaded(file: Path, **options: Any) -> maas.Model:
    row = maas.Tensor("float32", [2])
    return maas.load(file, inputs={"x": row}, outputs={"y": row}, **options)


def test_sizes_are_powers_of_two_and_the_largest() -> None:
    assert warming.sizes(1) == [1]
    assert warming.sizes(8) == [1, 2, 4, 8]
    assert warming.sizes(12) == [1, 2, 4, 8, 12]


def test_zeros_of_every_size_are_run(models: Path) -> None:
    made = loaded(models / "double.pt", max_batch_size=5)
    core = made.core(engine.default())
    before = core.statistics()
    warming.warm(core, 5, None)
    after = core.statistics()
    assert after["batch_rows"]["sum"] - before["batch_rows"]["sum"] == 1 + 2 + 4 + 5


def test_what_fails_is_told_with_the_rows_it_was_given(models: Path, tmp_path: Path) -> None:
    core = loaded(models / "odd.pt", max_batch_size=4).core(engine.default())
    with pytest.raises(maas.UnavailableError, match=r"fails on 2 rows of zeros; a sample says"):
        warming.warm(core, 4, None)
    warming.warm(core, 1, None)
    path = tmp_path / "sample.json"
    rows = np.ones((1, 2), np.float32)
    path.write_bytes(sample.to_json(sample.Sample({"x": rows}, {"y": rows})))
    warming.warm(core, 1, path)
    with pytest.raises(maas.UnavailableError, match="fails on 2 rows of its sample"):
        warming.warm(core, 4, path)
