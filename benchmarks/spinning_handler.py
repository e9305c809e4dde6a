# SPDX-License-Identifier: Apache-2.0
"""Whether a Python handler that spins slows a native model in the same process.

Open loop: 200 requests a second to a TorchScript model over several connections, each latency
counted from the moment the request was due. Three phases take turns on one server: quiet; a handler
of the same process spins in Python bytecode; and, for comparison, a process of its own spins, which
shows what the loss of a core costs anybody on this machine. Server and client share both cores; the
client's own lateness is shown beside.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from client import Connection, Paced, ahead_of_others, post_bytes, send_paced
from harness import Server, ask, free_port, maas_command, scratch_folder, tensor_body
from models import close, outputs_of, protocol_output, save_mlp, some_rows
from report import Report, arguments, middle, percentile

MOST_RATIO = 1.5
PATH = "/v2/models/mlp/infer"
PHASES = ("quiet", "handler spins", "process spins")

APP = """import time

import maas

maas.load(
    "{folder}/mlp.pt",
    name="mlp",
    inputs={{"x": maas.Tensor("float32", [4])}},
    outputs={{"y": maas.Tensor("float32", [3])}},
    max_batch_size=16,
)


@maas.endpoint("/spin", timeout_s=600)
def spin(seconds: float) -> int:
    end, turns = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        turns += 1
    return turns
"""


class Spin(AbstractContextManager[None]):
    """The spinning handler for the length of a `with` block; proves that it span."""

    def __init__(self, port: int, seconds: float) -> None:
        """Have the request ready."""
        self._port, self._seconds, self._answer = port, seconds, (0, b"")
        self._thread = threading.Thread(target=self._ask)

    def _ask(self) -> None:
        body = json.dumps({"seconds": self._seconds}).encode()
        self._answer = ask(self._port, "/spin", body, timeout_s=self._seconds + 60)

    def __enter__(self) -> None:
        """Start to spin."""
        self._thread.start()
        time.sleep(0.5)

    def __exit__(self, *_: object) -> None:
        """Wait for the handler's end."""
        if not self._thread.is_alive():
            sys.exit(f"the handler did not spin through the phase: {self._answer}")
        self._thread.join()
        if self._answer[0] != 200 or int(self._answer[1]) < 1000 * self._seconds:
            sys.exit(f"the handler did not spin: {self._answer}")


@contextmanager
def spinning_process() -> Iterator[None]:
    """A process of its own that spins."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        time.sleep(0.5)
        yield
    finally:
        process.kill()
        process.wait()


def phase(port: int, name: str, request: bytes, args: argparse.Namespace) -> Paced:
    """Paced requests over fresh connections, in the named company."""
    company: dict[str, AbstractContextManager[None]] = {
        "quiet": nullcontext(),
        "handler spins": Spin(port, args.seconds + 3),
        "process spins": spinning_process(),
    }
    connections = [Connection(port) for _ in range(args.connections)]
    try:
        with company[name], ahead_of_others():
            send_paced(connections, request, args.rate, 1)
            return send_paced(connections, request, args.rate, args.seconds)
    finally:
        for connection in connections:
            connection.close()


def row(name: str, paced: Paced) -> dict[str, object]:
    """One line of the table."""
    us = [1e6 * s for s in paced.latencies]
    return {
        "phase": name,
        "requests": len(us),
        "p50 us": percentile(us, 0.5),
        "p90 us": percentile(us, 0.9),
        "p99 us": percentile(us, 0.99),
        "max us": max(us),
        "client late p99 us": 1e6 * percentile(paced.lateness, 0.99),
    }


def check_answer(port: int, body: bytes, expected: list[float]) -> None:
    """End the run unless the model answers rightly."""
    status, answer = ask(port, PATH, body)
    if status != 200 or not close(protocol_output(answer), expected):
        sys.exit(f"maas answered {status} {answer!r}, not {expected}")


def run_phases(folder: pathlib.Path, args: argparse.Namespace) -> dict[str, list[Paced]]:
    """The phases in turn on one server."""
    lone, port = some_rows(1), free_port()
    expected = outputs_of(save_mlp(folder / "mlp.pt"), lone)[0]
    app, body = folder / "app.py", tensor_body("x", lone[0])
    app.write_text(APP.format(folder=folder))
    phases: dict[str, list[Paced]] = {name: [] for name in PHASES}
    command = maas_command(args.python, app, port)
    with Server("maas", command, port, log=str(folder / "maas.log")) as server:
        server.wait_ready(lambda: ask(port, PATH, body)[0] == 200)
        check_answer(port, body, expected)
        request = post_bytes(PATH, body)
        for _ in range(args.turns):
            for name, results in phases.items():
                results.append(phase(port, name, request, args))
        check_answer(port, body, expected)
    return phases


def main() -> int:
    """Run the phases and judge the ratio of the p99s."""
    parser = arguments(__doc__)
    parser.add_argument("--rate", type=float, default=200.0, help="requests a second")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=6.0, help="of each phase")
    parser.add_argument("--turns", type=int, default=6, help="of all three phases")
    args = parser.parse_args()
    report = Report("A native model beside a spinning Python handler", args)
    with scratch_folder() as folder:
        phases = run_phases(folder, args)
    turns = zip(*phases.values(), strict=True)
    rows = [row(n, p) for turn in turns for n, p in zip(phases, turn, strict=True)]
    report.table(f"{args.rate:g} requests/s, {args.connections} connections", rows)
    p99 = {n: middle([percentile(p.latencies, 0.99) for p in ps]) for n, ps in phases.items()}
    report.table("Median over turns", [{"phase": n, "p99 us": 1e6 * s} for n, s in p99.items()])
    report.target(
        "p99 with a spinning handler / quiet", p99["handler spins"] / p99["quiet"], MOST_RATIO
    )
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
