# SPDX-License-Identifier: Apache-2.0
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

import maas

APP = """
import time
from pathlib import Path
import maas

@maas.endpoint("/wait")
def wait(limit_s: float) -> str:
    Path("started").touch()
    end = time.monotonic() + limit_s
    while time.monotonic() < end and not Path("go").exists():
        time.sleep(0.01)
    return "done"
"""


class Process:
    """`python -m maas serve` of a small file, on a port of its own."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        (folder / "app.py").write_text(APP)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "maas", "serve", "app.py", "--port", "0", *options],
            cwd=folder,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        self.log: IO[str] = self.process.stderr
        self.url = self.line("serving").split()[3]
        self.line("core budget")

    def line(self, words: str) -> str:
        for line in self.log:
            if words in line:
                return line
        raise AssertionError(f"no line with {words!r}")

    def call(self, answers: list[object]) -> threading.Thread:
        """A request that is running when this returns; its answer comes into the list."""

        def call() -> None:
            with maas.Client(self.url) as client:
                try:
                    answers.append(client.call("/wait", limit_s=30.0))
                except maas.Error as error:
                    answers.append(type(error))

        thread = threading.Thread(target=call)
        thread.start()
        while not (self.folder / "started").exists():
            assert thread.is_alive()
            thread.join(0.01)
        return thread

    def end(self, *numbers: signal.Signals) -> int:
        for number in numbers:
            self.process.send_signal(number)
        return self.process.wait(30)


def kill(served: Process) -> None:
    served.process.kill()
    served.process.wait()
    served.log.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Process]:
    made = Process(tmp_path)
    yield made
    kill(made)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_server_ends_with_0_at_the_first_signal(
    served: Process, number: signal.Signals
) -> None:
    assert served.end(number) == 0
    assert "stopped" in served.log.read()


def test_what_runs_at_the_first_signal_is_answered(served: Process) -> None:
    answers: list[object] = []
    thread = served.call(answers)
    served.process.send_signal(signal.SIGTERM)
    served.line("finishing what runs")
    (served.folder / "go").touch()
    thread.join(20)
    assert answers == ["done"]
    assert served.process.wait(20) == 0


def test_the_second_signal_ends_now(served: Process) -> None:
    answers: list[object] = []
    thread = served.call(answers)
    served.process.send_signal(signal.SIGTERM)
    served.line("finishing what runs")
    assert served.end(signal.SIGINT) == 128 + signal.SIGINT
    thread.join(20)
    assert answers == [maas.UnavailableError]


def test_a_handler_that_never_ends_does_not_keep_the_process(tmp_path: Path) -> None:
    served = Process(tmp_path, "--drain-timeout-s", "0.2")
    answers: list[object] = []
    thread = served.call(answers)
    assert served.end(signal.SIGTERM) == 0
    assert "ending without them" in served.log.read()
    thread.join(20)
    assert answers == [maas.UnavailableError]
    kill(served)
