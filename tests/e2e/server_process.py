"""A real server process on loopback."""

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import maas

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
        self._clients: list[maas.Client] = []
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
            self._changed.wait_for(lambda: text in self.log or self.ended, START_S)
        assert text in self.log, f"no {text!r} in the log:\n{self.log}"

    @property
    def ended(self) -> bool:
        return bool(self.lines) and self.lines[-1] == ""

    def client(self) -> maas.Client:
        self._clients.append(maas.Client(self.url))
        return self._clients[-1]

    def send(self, number: signal.Signals) -> None:
        self.popen.send_signal(number)

    def exit_code(self) -> int:
        code = self.popen.wait(START_S)
        self._reader.join(START_S)
        return code

    def end(self) -> None:
        """Whatever it does."""
        for client in self._clients:
            client.close()
        if self.popen.poll() is None:
            self.popen.kill()
        self.exit_code()
        assert self.popen.stderr is not None
        self.popen.stderr.close()
