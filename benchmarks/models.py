# SPDX-License-Identifier: Apache-2.0
"""The TorchScript models that the benchmarks serve, and what a right answer to them is."""

import json
import pathlib
import random
from collections.abc import Callable, Sequence
from typing import Any

import torch

ROW = list[float]


def _traced(module: torch.nn.Module, example: torch.Tensor) -> Any:
    return torch.jit.trace(module.eval(), example)  # type: ignore[no-untyped-call]


def save_mlp(path: pathlib.Path, seed: int = 1) -> Any:
    """A 4-16-3 network of fixed random weights: saved to `path`, and here to compare with."""
    torch.manual_seed(seed)
    layers = [torch.nn.Linear(4, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3)]
    frozen = torch.jit.freeze(_traced(torch.nn.Sequential(*layers), torch.zeros(2, 4)))
    torch.jit.save(frozen, str(path))
    return frozen


def save_linear(path: pathlib.Path, width: int) -> None:
    """One square layer of `width` x `width` float32 weights."""
    torch.manual_seed(2)
    layer = _traced(torch.nn.Linear(width, width), torch.zeros(1, width))
    torch.jit.save(layer, str(path))


def save_cnn(path: pathlib.Path) -> None:
    """A small network for images of 3x224x224, about 50 MFLOP."""
    torch.manual_seed(3)
    sizes = [(3, 16, 4), (16, 32, 2), (32, 64, 2), (64, 128, 1), (128, 44, 1)]
    layers: list[torch.nn.Module] = []
    for taken, given, stride in sizes:
        kernel = 1 if given == sizes[-1][1] else 3
        layers += [torch.nn.Conv2d(taken, given, kernel, stride, kernel // 2), torch.nn.ReLU()]
    layers += [torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(44, 10)]
    frozen = torch.jit.freeze(_traced(torch.nn.Sequential(*layers), torch.zeros(1, 3, 224, 224)))
    torch.jit.save(frozen, str(path))


class _Mean(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean(1, keepdim=True)


def save_mean(path: pathlib.Path) -> None:
    """The mean of each row."""
    torch.jit.save(_traced(_Mean(), torch.zeros(1, 4)), str(path))


def some_rows(count: int) -> list[ROW]:
    """Rows of four numbers with one decimal, like the measurements of a flower."""
    numbers = random.Random(1)
    return [[round(numbers.uniform(0, 8), 1) for _ in range(4)] for _ in range(count)]


def outputs_of(module: Callable[[torch.Tensor], Any], rows: Sequence[ROW]) -> list[ROW]:
    """What the module itself answers."""
    with torch.inference_mode():
        answers: list[ROW] = module(torch.tensor(rows)).tolist()
    return answers


def close(answer: Sequence[float], expected: Sequence[float]) -> bool:
    """Whether two rows are equal but for the last float32 digits."""
    return len(answer) == len(expected) and all(
        abs(a - e) <= 1e-5 + 1e-4 * abs(e) for a, e in zip(answer, expected, strict=True)
    )


def protocol_output(body: bytes) -> ROW:
    """The numbers of the first output in an answer of the Open Inference Protocol."""
    data = json.loads(body)["outputs"][0]["data"]
    return data[0] if isinstance(data[0], list) else data


MLP_APP = """import maas

for name in {names}:
    maas.load(
        f"{folder}/{{name}}.pt",
        name=name,
        inputs={{"x": maas.Tensor("float32", [4])}},
        outputs={{"y": maas.Tensor("float32", [3])}},
        max_batch_size=16,
        executors=1,
    )
"""


def write_mlp_app(folder: pathlib.Path, names: Sequence[str]) -> pathlib.Path:
    """A service file that loads NAME.pt of the folder for each name."""
    app = folder / "app.py"
    app.write_text(MLP_APP.format(names=list(names), folder=folder))
    return app
