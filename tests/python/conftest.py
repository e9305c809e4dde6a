# SPDX-License-Identifier: Apache-2.0
"""What several tests need: a clean environment, and small saved models."""

import os
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

import maas

# A shared machine is slow at random, so no example has a deadline; CI repeats the same examples.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test sees only the settings that it makes."""
    for name in [name for name in os.environ if name.startswith("MAAS_")]:
        if name != "MAAS_FORCE_ISA":
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of TorchScript files: double.pt (2x), triple.pt (3x), pair.pt (a + b, a - b).

    And odd.pt, which gives rows back unless they are two.
    """
    import torch

    class Times(torch.nn.Module):
        def __init__(self, factor: float) -> None:
            super().__init__()
            self.factor = factor

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * self.factor

    class Pair(torch.nn.Module):
        def forward(self, a: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return a + b, a - b

    class Odd(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            assert x.shape[0] != 2, "two rows"
            return x

    folder = tmp_path_factory.mktemp("models")
    made = {"double": Times(2.0), "triple": Times(3.0), "pair": Pair(), "odd": Odd()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch would rather be exported
        for name, module in made.items():
            scripted: Any = torch.jit.script(module)
            scripted.save(str(folder / f"{name}.pt"))
    return folder


@pytest.fixture
def double(models: Path) -> maas.Model:
    """A handle of a model that doubles rows of three float32."""
    row = maas.Tensor("float32", [3])
    return maas.load(
        str(models / "double.pt"), inputs={"x": row}, outputs={"y": row}, max_batch_size=8
    )
