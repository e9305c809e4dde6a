# SPDX-License-Identifier: Apache-2.0
"""Pipelines of real TorchScript models."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest
import torch
from torch import nn

import maas

Row = maas.Tensor("float32", [3])


class Scale(nn.Module):
    """Multiplies by a number."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.factor


class Halves(nn.Module):
    """Gives x / 2 and x + 1."""

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return x / 2, x + 1


class Add(nn.Module):
    """Adds two."""

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return a + b


def _save(module: nn.Module, path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # TorchScript is what is loaded
        torch.jit.script(module).save(str(path))


def _load(folder: Path, module: nn.Module, name: str, **options: Any) -> maas.Model:
    path = folder / f"{name}.pt"
    _save(module, path)
    options.setdefault("inputs", {"x": Row})
    options.setdefault("outputs", {"y": Row})
    return maas.load(path, name=name, **options)


@pytest.fixture
def doubler(tmp_path: Path) -> maas.Model:
    return _load(tmp_path, Scale(2), "doubler", max_batch_size=4)


@pytest.fixture
def tripler(tmp_path: Path) -> maas.Model:
    return _load(tmp_path, Scale(3), "tripler")


@pytest.fixture
def halves(tmp_path: Path) -> maas.Model:
    return _load(tmp_path, Halves(), "halves", outputs={"half": Row, "more": Row})


@pytest.fixture
def add(tmp_path: Path) -> maas.Model:
    return _load(tmp_path, Add(), "add", inputs={"a": Row, "b": Row}, outputs={"sum": Row})


def _rows(*numbers: float) -> np.ndarray:
    return np.array([[number] * 3 for number in numbers], dtype=np.float32)


def test_models_in_a_row_take_what_the_one_before_gives(
    doubler: maas.Model, tripler: maas.Model
) -> None:
    chain = maas.Pipeline([doubler, tripler], name="chain")
    assert list(chain.inputs) == ["x"]
    answer = chain(_rows(1, 2, 3))
    assert list(answer) == ["y_1"]
    np.testing.assert_array_equal(answer["y_1"], _rows(6, 12, 18))


def test_named_tensors_make_a_graph(
    halves: maas.Model, add: maas.Model, tripler: maas.Model
) -> None:
    graph = maas.Pipeline(
        [
            maas.Stage(halves, outputs={"half": "a"}),
            maas.Stage(tripler, inputs={"x": "more"}, outputs={"y": "b"}),
            add,
        ],
        name="graph",
    )
    np.testing.assert_array_equal(graph(_rows(4))["sum"], _rows(2 + 3 * 5))


def test_outputs_may_be_chosen_and_dropped(halves: maas.Model, doubler: maas.Model) -> None:
    both = maas.Pipeline(
        [maas.Stage(halves, outputs={"more": None}), doubler], name="both", outputs=["y", "half"]
    )
    answer = both(_rows(4))
    assert list(answer) == ["y", "half"]
    np.testing.assert_array_equal(answer["half"], _rows(2))
    np.testing.assert_array_equal(answer["y"], _rows(4))


def test_a_pipeline_is_served_like_any_model(doubler: maas.Model, tripler: maas.Model) -> None:
    chain = maas.Pipeline([doubler, maas.Stage(tripler, outputs={"y": "z"})], name="chain")

    @maas.endpoint("/sextuple", model=chain)
    def sextuple(x: Annotated[np.ndarray, Row]) -> list[float]: ...  # type: ignore[empty-body] # the core's

    with maas.TestClient([chain, sextuple]) as client:
        body = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 3], "data": [1, 2, 3]}]}
        answer = client.request("POST", "/v2/models/chain/infer", body)
        assert answer["outputs"][0]["name"] == "z"
        assert answer["outputs"][0]["data"] == [6, 12, 18]
        assert client.call("/sextuple", x=[1, 2, 3]) == [6, 12, 18]
        described = client.request("GET", "/v2/models/chain")
        assert described["platform"] == "ensemble"
        assert described["inputs"][0]["shape"] == [-1, 3]


def test_a_stage_that_is_updated_makes_a_new_version(
    tmp_path: Path, doubler: maas.Model, tripler: maas.Model
) -> None:
    chain = maas.Pipeline([doubler, tripler], name="chain")
    with maas.Server(port=0) as server:
        server.publish([chain, doubler])
        _save(Scale(10), tmp_path / "ten.pt")
        server.update_model(tmp_path / "ten.pt", name="doubler")
        np.testing.assert_array_equal(chain(_rows(1))["y_1"], _rows(30))
        assert chain.version == 2
        with maas.TestClient(chain) as client:
            assert client.request("GET", "/v2/models/chain")["versions"] == ["2"]
        with pytest.raises(maas.InvalidArgumentError, match="update the models it is made of"):
            server.update_model(tmp_path / "ten.pt", name="chain")


@pytest.mark.parametrize(
    ("stages", "words"),
    [
        (lambda a, b: [], "has no stage"),
        (lambda a, b: ["doubler"], "a stage is a model that maas.load gave"),
        (lambda a, b: [maas.Stage(a, inputs={"xx": "m"})], "no input 'xx'; did you mean 'x'"),
        (lambda a, b: [maas.Stage(a, outputs={"z": "m"})], "no output 'z'; it has y"),
    ],
)
def test_what_cannot_be_wired_is_one_sentence(
    doubler: maas.Model, tripler: maas.Model, stages: Any, words: str
) -> None:
    with pytest.raises(maas.InvalidArgumentError, match=words):
        maas.Pipeline(stages(doubler, tripler), name="chain")


def test_shapes_that_do_not_fit_are_named(tmp_path: Path, doubler: maas.Model) -> None:
    other = _load(tmp_path, Scale(1), "wide", inputs={"x": maas.Tensor("float32", [5])})
    with pytest.raises(
        maas.InvalidArgumentError, match=r"doubler\.y .*\[3\].* and wide\.x .*\[5\]"
    ):
        maas.Pipeline([doubler, other], name="chain")


def test_options_are_checked(doubler: maas.Model) -> None:
    with pytest.raises(maas.InvalidArgumentError, match="max_concurrency"):
        maas.Pipeline([doubler], name="p", max_concurrency=0)
    with pytest.raises(maas.InvalidArgumentError, match="model name"):
        maas.Pipeline([doubler], name="no spaces")
    assert "stages=[doubler]" in repr(maas.Pipeline([doubler], name="p", max_concurrency=3))
