# SPDX-License-Identifier: Apache-2.0
"""What the server adds to a lone request: one connection, one request at a time, both cores free.

Added time is the median latency over loopback, seen by a Python client on a raw socket (whose own
few microseconds count against the server), minus the median of calling the same TorchScript module
directly. Two ways of asking: back to back, and with a pause before each request, so that the server
sleeps. nginx returning a constant shows what loopback, the machine and the client take alone.
"""

import argparse
import pathlib
import sys
import time
from collections.abc import Callable

import torch

from client import Connection, post_bytes
from harness import Server, ask, free_port, maas_command, scratch_folder, tensor_body
from models import close, outputs_of, protocol_output, save_mlp, some_rows, write_mlp_app
from peers.nginx import nginx_command
from report import Report, arguments, middle, percentile

MOST_ADDED_US = 150.0
PATH = "/v2/models/mlp/infer"


def timed(call: Callable[[], object], count: int, pause_s: float) -> list[float]:
    """Microseconds of each call, the first tenth left out."""
    times = []
    for _ in range(count):
        if pause_s:
            time.sleep(pause_s)
        begun = time.perf_counter()
        call()
        times.append((time.perf_counter() - begun) * 1e6)
    return times[count // 10 :]


def model_us(module: Callable[[torch.Tensor], object], row: list[float]) -> float:
    """The median of the module's own time, warm, on one thread."""
    torch.set_num_threads(1)
    x = torch.tensor([row])
    with torch.inference_mode():
        return middle(timed(lambda: module(x), 5000, 0))


def measure(
    command: list[str], port: int, body: bytes, args: argparse.Namespace
) -> list[list[float]]:
    """Latencies of one server: back to back, then with pauses."""
    with Server(command[0], command, port) as server:
        server.wait_ready(lambda: ask(port, PATH, body)[0] == 200)
        connection, request = Connection(port), post_bytes(PATH, body)
        fast = timed(lambda: connection.ask(request), args.requests, 0)
        slow = timed(lambda: connection.ask(request), args.requests // 4, args.pause_ms / 1e3)
        connection.close()
        return [fast, slow]


def row(server: str, way: str, times: list[float], model: float) -> dict[str, object]:
    """One line of the table."""
    return {
        "server": server,
        "asked": way,
        "median us": middle(times),
        "p99 us": percentile(times, 0.99),
        "model us": model,
        "added us": middle(times) - model,
    }


def check_answer(folder: pathlib.Path, expected: list[float], args: argparse.Namespace) -> bytes:
    """A right answer of maas, which nginx then repeats."""
    port, body = free_port(), tensor_body("x", some_rows(1)[0])
    command = maas_command(args.python, folder / "app.py", port)
    with Server("maas", command, port, log=str(folder / "maas.log")) as server:
        server.wait_ready(lambda: ask(port, PATH, body)[0] == 200)
        answer = ask(port, PATH, body)[1]
    if not close(protocol_output(answer), expected):
        sys.exit(f"maas answered {answer!r}, not {expected}")
    return answer


def main() -> int:
    """Measure nginx and maas in turn and judge."""
    parser = arguments(__doc__)
    parser.add_argument("--requests", type=int, default=4000, help="back to back, each turn")
    parser.add_argument("--pause-ms", type=float, default=3.0)
    parser.add_argument("--turns", type=int, default=3)
    args = parser.parse_args()
    report, rows = Report("A lone request", args), []
    added: dict[str, list[float]] = {"back to back": [], "with pauses": []}
    with scratch_folder() as folder:
        lone = some_rows(1)
        module = save_mlp(folder / "mlp.pt")
        app = write_mlp_app(folder, ["mlp"])
        answer = check_answer(folder, outputs_of(module, lone)[0], args)
        for _ in range(args.turns):
            model, port = model_us(module, lone[0]), free_port()
            for name, command, share in (
                ("nginx", nginx_command(folder, port, answer), 0.0),
                ("maas", maas_command(args.python, app, port), model),
            ):
                times = measure(command, port, tensor_body("x", lone[0]), args)
                for way, values in zip(added, times, strict=True):
                    rows.append(row(name, way, values, share))
                    if name == "maas":
                        added[way].append(middle(values) - model)
    report.table("Latency over loopback", rows)
    for way, values in added.items():
        report.target(f"added by maas, {way}, median of turns (us)", middle(values), MOST_ADDED_US)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
