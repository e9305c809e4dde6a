"""Real server processes on loopback, ended by their id when the test is over."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from server_process import ROOT, Process


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Starts a server of a target and gives it when it listens."""
    started: list[Process] = []

    def start(*arguments: str | Path) -> Process:
        process = Process([str(argument) for argument in arguments], tmp_path)
        started.append(process)
        process.wait_for("serving http://")
        return process

    yield start
    for process in started:
        process.end()


@pytest.fixture(scope="session")
def digits() -> Path:
    """The quick start's trained model; trained now when it never was."""
    path = ROOT / "examples" / "quickstart" / "digits.pt"
    if not path.exists():
        train = path.with_name("train.py")
        subprocess.run([sys.executable, str(train)], check=True, capture_output=True)
    return path
