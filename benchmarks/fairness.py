# SPDX-License-Identifier: Apache-2.0
"""Whether a flooded model slows another one of the same server, or takes more than its share.

Open loop: 200 requests a second to a small TorchScript model, each latency counted from the moment
the request was due. Phases take turns: quiet; 32 connections flood a model of some milliseconds a
batch that has one executor, so that a core is left; and, for comparison, a process of its own spins:
what the loss of a core costs anybody on this machine. Then two such models of weights 3
and 1 are flooded at once, with as many executors as there are: the time that each one computed
meanwhile is its share.
"""

import argparse
import pathlib
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from client import Connection, Paced, ahead_of_others, post_bytes, send_paced
from harness import Load, Server, ask, free_port, maas_command, run_wrk, scratch_folder, tensor_body
from models import save_linear, save_mlp, some_rows
from report import Report, arguments, middle, percentile
from spinning_handler import row, spinning_process

MOST_RATIO = 1.5
WEIGHTS = {"major": 3.0, "minor": 1.0}
SHARE_BAND = 0.05
WIDTH = 3000
PATH = "/v2/models/{}/infer"
PHASES = ("quiet", "a model is flooded", "process spins")

APP = """import maas

maas.load(
    "{folder}/mlp.pt",
    name="mlp",
    inputs={{"x": maas.Tensor("float32", [4])}},
    outputs={{"y": maas.Tensor("float32", [3])}},
    max_batch_size=16,
)
for name, executors, weight in (("heavy", 1, 1.0), ("major", 0, 3.0), ("minor", 0, 1.0)):
    maas.load(
        "{folder}/wide.pt",
        name=name,
        inputs={{"x": maas.Tensor("float32", [{width}])}},
        outputs={{"y": maas.Tensor("float32", [{width}])}},
        max_batch_size=4,
        executors=executors,
        weight=weight,
    )
"""


class Flood:
    """Closed-loop load on a model, as long as told; its result is there after the `with` block."""

    def __init__(self, server: Server, name: str, seconds: float) -> None:
        """Have the body ready."""
        body = tensor_body("x", [0.5] * WIDTH)
        self.load: Load | None = None
        self._thread = threading.Thread(
            target=lambda: self._run(server, PATH.format(name), body, int(seconds) + 1)
        )

    def _run(self, server: Server, path: str, body: bytes, seconds: int) -> None:
        self.load = run_wrk(server, path, [body], 32, seconds)

    def __enter__(self) -> "Flood":
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for the end."""
        self._thread.join()
        if self.load is None or self.load.requests < 100 or self.load.errors:
            sys.exit(f"the flood was none: {self.load}")


@contextmanager
def flooded(server: Server, seconds: float) -> Iterator[None]:
    """The heavy model under load for the length of a `with` block."""
    with Flood(server, "heavy", seconds):
        yield


def phase(server: Server, name: str, request: bytes, args: argparse.Namespace) -> Paced:
    """Paced requests to the small model, in the named company."""
    company: dict[str, AbstractContextManager[None]] = {
        "quiet": nullcontext(),
        "a model is flooded": flooded(server, args.seconds + 1),
        "process spins": spinning_process(),
    }
    connections = [Connection(server.port) for _ in range(args.connections)]
    try:
        with company[name], ahead_of_others():
            send_paced(connections, request, args.rate, 1)
            return send_paced(connections, request, args.rate, args.seconds)
    finally:
        for connection in connections:
            connection.close()


def computed(port: int, name: str) -> float:
    """The seconds that a model has computed since its start."""
    text = ask(port, "/metrics")[1].decode()
    found = re.search(
        rf'^maas_compute_seconds_sum{{model="{name}"[^}}]*}} (\S+)', text, re.MULTILINE
    )
    if found is None:
        sys.exit(f"/metrics tells no compute seconds of {name}")
    return float(found[1])


def share(server: Server, seconds: float) -> float:
    """What the major model computed of all that both did while both were flooded."""
    before = {name: computed(server.port, name) for name in WEIGHTS}
    with Flood(server, "major", seconds), Flood(server, "minor", seconds):
        pass
    spent = {name: computed(server.port, name) - before[name] for name in WEIGHTS}
    return spent["major"] / sum(spent.values())


def main() -> int:
    """Run the phases, then the shares."""
    parser = arguments(__doc__)
    parser.add_argument("--rate", type=float, default=200.0, help="requests a second")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=6.0, help="of each phase")
    parser.add_argument("--turns", type=int, default=5, help="of all phases")
    args = parser.parse_args()
    report = Report("A model beside a flooded one", args)
    phases: dict[str, list[Paced]] = {name: [] for name in PHASES}
    shares = []
    with scratch_folder() as folder:
        port = start_files(folder)
        command = maas_command(args.python, folder / "app.py", port)
        with Server("maas", command, port, log=str(folder / "maas.log")) as server:
            lone = tensor_body("x", some_rows(1)[0])
            server.wait_ready(lambda: ask(port, PATH.format("mlp"), lone)[0] == 200)
            request = post_bytes(PATH.format("mlp"), lone)
            for _ in range(args.turns):
                for name, results in phases.items():
                    results.append(phase(server, name, request, args))
                shares.append(share(server, args.seconds))
    turns = zip(*phases.values(), strict=True)
    rows = [row(n, p) for turn in turns for n, p in zip(phases, turn, strict=True)]
    report.table(f"{args.rate:g} requests/s, {args.connections} connections", rows)
    p99 = {n: middle([percentile(p.latencies, 0.99) for p in ps]) for n, ps in phases.items()}
    report.table("Median over turns", [{"phase": n, "p99 us": 1e6 * s} for n, s in p99.items()])
    report.target(
        "p99 beside a flooded model / quiet", p99["a model is flooded"] / p99["quiet"], MOST_RATIO
    )
    off = abs(middle(shares) - WEIGHTS["major"] / sum(WEIGHTS.values()))
    report.say(f"share of the model of weight 3 beside one of weight 1: {middle(shares):.3f}")
    report.target("distance of its share from 0.75", off, SHARE_BAND)
    return report.finish()


def start_files(folder: pathlib.Path) -> int:
    """Write models and app; a free port."""
    save_mlp(folder / "mlp.pt")
    save_linear(folder / "wide.pt", WIDTH)
    (folder / "app.py").write_text(APP.format(folder=folder, width=WIDTH))
    return free_port()


if __name__ == "__main__":
    sys.exit(main())
