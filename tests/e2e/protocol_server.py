"""A server of small models for the tests of the protocol, on a socket of this process."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import maas
from maas.config import Settings

# By the protocol's name: rows of any length come back as they are.
ECHOES = {
    "bool": "bool",
    "uint8": "uint8",
    "int8": "int8",
    "int16": "int16",
    "int32": "int32",
    "int64": "int64",
    "fp16": "float16",
    "bf16": "bfloat16",
    "fp32": "float32",
    "fp64": "float64",
}


def _saved(folder: Path, name: str, module: Any) -> str:
    import torch

    path = folder / f"{name}.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        scripted: Any = torch.jit.script(module)
        scripted.save(str(path))
    return str(path)


def slow_file(folder: Path) -> str:
    """A model that multiplies matrices as often as it is told."""
    import torch

    class Slow(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = torch.ones(64, 64)
            for _ in range(int(x[0, 0])):
                y = torch.mm(y, y) / 64
            return x * y[:1, :1]

    path: str = _saved(folder, "slow", Slow())
    return path


def models(folder: Path) -> list[maas.Model]:
    """`m` doubles rows of three float32, and there is an echo for each dtype."""
    import torch

    class Double(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * 2

    class Echo(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x

    row = maas.Tensor("float32", [3])
    named = maas.Tensor("float32", [3], labels=["cat", "dog"])
    echo = _saved(folder, "echo", Echo())
    double = maas.load(
        _saved(folder, "double", Double()),
        name="m",
        inputs={"x": row},
        outputs={"y": named},
        max_batch_size=8,
    )
    echoes = [
        maas.load(
            echo,
            name=f"echo_{name}",
            inputs={"x": maas.Tensor(dtype, [-1])},
            outputs={"y": maas.Tensor(dtype, [-1])},
        )
        for name, dtype in ECHOES.items()
    ]
    return [double, *echoes]


@contextmanager
def serving(folder: Path, *more: object) -> Iterator[maas.Server]:
    """The server while the block runs."""
    server = maas.Server(port=0, settings=Settings(grpc_port=0))
    server.publish([*models(folder), *more])
    with server:
        yield server
