"""Real server processes on loopback, ended by their id when the test is over."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import maas
import pytest

ROOT = Path(__file__).resolve().parents[2]
START_S = 60  # LibTorch alone takes seconds on a busy machine


class Process:
    """`python -m maas serve ...` in a folder of its own, with what it logged so far."""

    def __init__(self, arguments: list[str], folder: Path) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MAAS_")}
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "maas", "serve", *arguments, "--port", "0"],
            cwd=folder,
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        self.url = ""
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.popen.stderr is not None
        for line in self.popen.stderr:
            with self._changed:
                self.lines.append(line)
                if found := re.search(r"serving (http://\S+)", line):
                    self.url = found[1]
                self._changed.notify_all()
        with self._changed:
            self.lines.append("")
            self._changed.notify_all()

    @property
    def log(self) -> str:
        return "".join(self.lines)

    def wait_for(self, text: str) -> None:
        """Until the log holds `text`."""
        with self._changed:
            found = self._changed.wait_for(lambda: text in self.log or self.ended, START_S)
        assert found and text in self.log, f"no {text!r} in the log:\n{self.log}"

    @property
    def ended(self) -> bool:
        return bool(self.lines) and self.lines[-1] == ""

    def client(self) -> maas.Client:
        return maas.Client(self.url)

    def send(self, number: signal.Signals) -> None:
        self.popen.send_signal(number)

    def exit_code(self) -> int:
        code = self.popen.wait(START_S)
        self._reader.join(START_S)
        return code


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
        if process.popen.poll() is None:
            process.popen.kill()
            process.popen.wait()


@pytest.fixture(scope="session")
def digits() -> Path:
    """The quick start's trained model; trained now when it never was."""
    path = ROOT / "examples" / "quickstart" / "digits.pt"
    if not path.exists():
        train = path.with_name("train.py")
        subprocess.run([sys.executable, str(train)], check=True, capture_output=True)
    return path
