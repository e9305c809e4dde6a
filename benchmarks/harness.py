# SPDX-License-Identifier: Apache-2.0
"""What the benchmark scripts share: servers as child processes, their cost, and load on them.

A server is started on cores of its choice, its CPU time and memory are read from /proc over the
whole process tree, and it is ended by process id. Linux only; needs `taskset`, and `wrk` for load.
"""

import dataclasses
import http.client
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType

_TICK = os.sysconf("SC_CLK_TCK")
_JSON = {"Content-Type": "application/json"}
_TO_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}

PYTHON_APP_ENV = {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def need_program(name: str) -> str:
    """The path of a system program, or the end of the script with what to install."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if path is None:
        sys.exit(f"{name} is not installed; install it with: apt-get install {name}")
    return path


def _stat_fields(pid: int) -> list[str] | None:
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def _alive(pid: int) -> bool:
    fields = _stat_fields(pid)
    return fields is not None and fields[0] != "Z"


def process_tree(root: int) -> dict[int, float]:
    """{process id: user + system seconds, ended children included} of root and all below."""
    children: dict[int, list[int]] = {}
    seconds: dict[int, float] = {}
    for entry in pathlib.Path("/proc").iterdir():
        fields = _stat_fields(int(entry.name)) if entry.name.isdigit() else None
        if fields is not None:
            children.setdefault(int(fields[1]), []).append(int(entry.name))
            seconds[int(entry.name)] = sum(map(int, fields[11:15])) / _TICK
    tree, todo = {}, [root]
    while todo:
        pid = todo.pop()
        if pid in seconds:
            tree[pid] = seconds[pid]
            todo += children.get(pid, [])
    return tree


def machine_busy_seconds() -> float:
    """CPU seconds that all cores have worked since boot, time stolen by the host included."""
    ticks = [int(f) for f in pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / _TICK


def ask(
    port: int, path: str, body: bytes | None = None, timeout_s: float = 60
) -> tuple[int, bytes]:
    """One request on a connection of its own: a POST with `body`, a GET without one."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request("GET" if body is None else "POST", path, body, _JSON)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


class Server:
    """A server process of ours; use it in a `with` block, at whose end the process is gone."""

    def __init__(  # noqa: PLR0913 - each says one thing about a process
        self,
        name: str,
        command: Sequence[str],
        port: int,
        cores: str = "",
        log: str = "",
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Start `command`, bound to the comma-separated `cores` where given; `env` is added."""
        self.name, self.port = name, port
        self._log_path = pathlib.Path(log or os.devnull)
        bind = [need_program("taskset"), "-c", cores] if cores else []
        with self._log_path.open("wb") as out:
            self.started = time.monotonic()
            self._process = subprocess.Popen(
                [*bind, *command],
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **PYTHON_APP_ENV, **(env or {})},
            )

    def __enter__(self) -> "Server":
        """The running server."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it, whatever happened."""
        self.stop()

    @property
    def pid(self) -> int:
        """The process id at the root of the tree."""
        return self._process.pid

    def wait_ready(self, probe: Callable[[], bool], timeout_s: float = 120) -> float:
        """Ask `probe` every 2 ms until it is true; seconds from the process's start to then."""
        while True:
            try:
                if probe():
                    return time.monotonic() - self.started
            except (OSError, http.client.HTTPException):
                pass
            if self._process.poll() is not None:
                sys.exit(f"{self.name} ended with code {self._process.returncode}:\n{self.log()}")
            if time.monotonic() - self.started > timeout_s:
                self.stop()
                sys.exit(f"{self.name} was not ready after {timeout_s:g} s:\n{self.log()}")
            time.sleep(0.002)

    def log(self) -> str:
        """The end of what the server has written."""
        return self._log_path.read_text(errors="replace")[-3000:]

    def cpu_seconds(self) -> float:
        """User + system time of the whole tree."""
        return sum(process_tree(self.pid).values())

    def wait_idle(self, timeout_s: float = 10) -> None:
        """Wait until the tree has used less than a third of a core for 0.3 s.

        Some servers poll: LitServe uses a fifth of a core when nobody asks.
        What a closed load left in the server's queues would else count in the next measurement.
        """
        end, used = time.monotonic() + timeout_s, self.cpu_seconds()
        while time.monotonic() < end:
            time.sleep(0.3)
            before, used = used, self.cpu_seconds()
            if used - before < 0.1:
                return

    def resident_mb(self) -> float:
        """Resident memory summed over the tree, in 10^6 bytes."""
        total = 0
        for pid in process_tree(self.pid):
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            found = re.search(r"VmRSS:\s+(\d+) kB", status)
            total += int(found[1]) * 1024 if found else 0
        return total / 1e6

    def maps(self, library: str) -> bool:
        """Whether a process of the tree has a file of this name mapped."""
        return any(
            library in pathlib.Path(f"/proc/{pid}/maps").read_text()
            for pid in process_tree(self.pid)
        )

    def stop(self) -> None:
        """SIGTERM to the root, and SIGKILL to whatever of the tree is left 10 s later.

        Some servers leave children behind when they end; those get one second.
        """
        tree = set(process_tree(self.pid)) - {self.pid} if self._process.poll() is None else set()
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        end = time.monotonic() + 1
        while any(map(_alive, tree)) and time.monotonic() < end:
            time.sleep(0.05)
        for pid in filter(_alive, tree):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@dataclasses.dataclass(frozen=True)
class Load:
    """What one closed-loop measurement gave."""

    requests: int
    errors: int
    seconds: float
    server_cpu_s: float
    other_cpu_s: float
    p50_us: float
    p99_us: float

    @property
    def per_second(self) -> float:
        """Answers per second of wall clock."""
        return self.requests / self.seconds

    @property
    def per_cpu_second(self) -> float:
        """Answers per second of the server's own CPU time."""
        return self.requests / max(self.server_cpu_s, 1 / _TICK)


_WRK_SCRIPT = """
local bodies, requests, turn = dofile(os.getenv("BENCH_BODIES")), {}, 0
function init(args)
  for i, body in ipairs(bodies) do
    requests[i] = wrk.format("POST", nil, {["Content-Type"] = "application/json"}, body)
  end
end
function request()
  turn = turn % #requests + 1
  return requests[turn]
end
"""


def _span(text: str) -> float:
    found = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text)
    if found is None:
        raise ValueError(f"wrk printed a time that is not one: {text}")
    return float(found[1]) * _TO_SECONDS[found[2]]


def _wrk_errors(text: str) -> int:
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    sockets = re.search(r"Socket errors: (.*)", text)
    counts = re.findall(r"\d+", sockets[1]) if sockets else []
    return (int(refused[1]) if refused else 0) + sum(map(int, counts))


def run_wrk(
    server: Server, path: str, bodies: Sequence[bytes], connections: int, seconds: int
) -> Load:
    """Closed-loop load by one wrk thread on core 1: the bodies in turn, each POSTed as JSON."""
    with scratch_folder() as folder:
        (folder / "load.lua").write_text(_WRK_SCRIPT)
        listed = ",".join(f"[==[{body.decode()}]==]" for body in bodies)
        (folder / "bodies.lua").write_text(f"return {{{listed}}}")
        command = [need_program("taskset"), "-c", "1", need_program("wrk"), "-t1"]
        command += [f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "30s"]
        command += ["-s", str(folder / "load.lua"), f"http://127.0.0.1:{server.port}{path}"]
        env = {**os.environ, "BENCH_BODIES": str(folder / "bodies.lua")}
        before = (machine_busy_seconds(), server.cpu_seconds(), _children_seconds())
        text = subprocess.run(
            command, env=env, stdout=subprocess.PIPE, text=True, check=True
        ).stdout
        after = (machine_busy_seconds(), server.cpu_seconds(), _children_seconds())
    busy, own, load = (b - a for a, b in zip(before, after, strict=True))
    done = re.search(r"(\d+) requests in ([\d.]+\w+)", text)
    shares = dict(re.findall(r"^\s+(50|99)%\s+(\S+)", text, re.MULTILINE))
    if done is None:
        sys.exit(f"wrk printed no result for {server.name}:\n{text}")
    return Load(
        requests=int(done[1]),
        errors=_wrk_errors(text),
        seconds=_span(done[2]),
        server_cpu_s=own,
        other_cpu_s=busy - own - load,
        p50_us=_span(shares["50"]) * 1e6,
        p99_us=_span(shares["99"]) * 1e6,
    )


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@contextmanager
def scratch_folder() -> Iterator[pathlib.Path]:
    """A folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="maas-bench-") as name:
        yield pathlib.Path(name)


def maas_command(python: str, target: pathlib.Path, port: int) -> list[str]:
    """The command line that serves a file with maas."""
    return [python, "-m", "maas", "serve", str(target), "--port", str(port)]


def tensor_body(name: str, row: Sequence[float]) -> bytes:
    """A request of the Open Inference Protocol with one float32 row."""
    tensor = {"name": name, "datatype": "FP32", "shape": [1, len(row)], "data": list(row)}
    return json.dumps({"inputs": [tensor]}, separators=(",", ":")).encode()
