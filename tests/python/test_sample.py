# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path

import numpy as np
import pytest

import maas
from maas import sample


def test_the_first_run_gives_what_is_expected(double: maas.Model) -> None:
    made, problem = sample.run(sample.read({"inputs": {"x": [[1, 2, 3]]}}), double)
    assert problem == ""
    assert made.outputs is not None
    assert made.outputs["y"].tolist() == [[2.0, 4.0, 6.0]]
    again, problem = sample.run(sample.read(json.loads(sample.to_json(made))), double)
    assert problem == ""
    assert sample.to_json(again) == sample.to_json(made)


@pytest.mark.parametrize(
    ("outputs", "problem"),
    [
        ({"y": [[2, 4, 6]]}, ""),
        ({"y": [[2, 4, 6.0001]]}, ""),
        ({"y": [[2, 4, 7]]}, "output 'y' of the sample differs in 1 of 3 values, by up to 1"),
        ({"y": [[2, 4]]}, "has the shape [1, 3] instead of [1, 2]"),
        ({"z": [[2, 4, 6]]}, "it gives no output 'z'; it gives y"),
    ],
)
def test_outputs_are_compared_within_a_tolerance(
    double: maas.Model, outputs: dict[str, object], problem: str
) -> None:
    given = sample.read({"inputs": {"x": [[1, 2, 3]]}, "outputs": outputs})
    assert problem in sample.run(given, double)[1]
    assert bool(problem) == bool(sample.run(given, double)[1])


def test_whole_numbers_and_text_are_compared_exactly() -> None:
    given = sample.Sample({}, rtol=1.0)
    assert sample._difference(np.array([1, 2]), np.array([1, 2]), given) == ""
    assert "1 of 2" in sample._difference(np.array([1, 2]), np.array([1, 3]), given)
    assert "1 of 1" in sample._difference(np.array(["a"]), np.array(["b"]), given)


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(maas.NotFoundError, match=r"no\.json"):
        sample.read(tmp_path / "no.json")
    for text, problem in (
        ("{", "is not JSON"),
        ("[]", "has no inputs"),
        ('{"inputs": {}, "x": 1}', "has 'x'"),
        ('{"inputs": {}, "outputs": 1}', "outputs map"),
    ):
        (tmp_path / "s.json").write_text(text)
        with pytest.raises(maas.InvalidArgumentError, match=problem):
            sample.read(tmp_path / "s.json")
