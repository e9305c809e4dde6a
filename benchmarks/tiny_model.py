# SPDX-License-Identifier: Apache-2.0
"""Requests per CPU second on a 4-16-3 network, one row per JSON request.

Three servers are measured in turn, several times over, each alone on core 0 with wrk on core 1
and 16 kept-alive connections:
  maas      the TorchScript model behind /v2/models/mlp/infer, no Python on its path
  nginx     `return 200` with the bytes of maas's answer: it reads and drops the POST body, parses
            nothing and computes nothing; a bound, not a competitor
  fastapi   FastAPI + uvicorn (uvloop, httptools) with orjson, calling the same TorchScript module
            on the event loop; its request and answer are shorter than maas's
The figure is answers per second of user + system time of the server's whole process tree.
"""

import argparse
import json
import pathlib
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness import (
    Load,
    Server,
    ask,
    free_port,
    maas_command,
    run_wrk,
    scratch_folder,
    tensor_body,
)
from models import close, outputs_of, protocol_output, save_mlp, some_rows, write_mlp_app
from peers.nginx import nginx_command
from report import Report, arguments, middle

HERE = pathlib.Path(__file__).resolve().parent
LEAST_OF_NGINX, LEAST_OF_FASTAPI = 0.5, 14.0


@dataclass(frozen=True)
class Contestant:
    """How to start one server, what to send and what must come back."""

    name: str
    command: Callable[[int], list[str]]
    path: str
    bodies: Sequence[bytes]
    right: Callable[[int, bytes], bool]


class Bench:
    """The model, the requests and the contestants of one run."""

    def __init__(self, args: argparse.Namespace, folder: pathlib.Path) -> None:
        """Make the model and know the right answers."""
        self.args, self.folder = args, folder
        self.rows = some_rows(8)
        self.expected = outputs_of(save_mlp(folder / "mlp.pt"), self.rows)
        self.app = write_mlp_app(folder, ["mlp"])
        tensor = {"name": "y", "shape": [1, 3], "datatype": "FP32", "data": self.expected[0]}
        answer = {"model_name": "mlp", "model_version": "1", "outputs": [tensor]}
        self.constant = json.dumps(answer, separators=(",", ":")).encode()

    def maas(self) -> Contestant:
        """The product."""
        return Contestant(
            "maas",
            lambda port: maas_command(self.args.python, self.app, port),
            "/v2/models/mlp/infer",
            [tensor_body("x", row) for row in self.rows],
            lambda i, body: close(protocol_output(body), self.expected[i]),
        )

    def nginx(self) -> Contestant:
        """The bound: a constant answer."""
        return Contestant(
            "nginx",
            lambda port: nginx_command(self.folder, port, self.constant),
            "/v2/models/mlp/infer",
            [tensor_body("x", row) for row in self.rows],
            lambda _, body: body == self.constant,
        )

    def fastapi(self, path: str = "/predict") -> Contestant:
        """The peer."""
        app = [self.args.peer_python, str(HERE / "peers/fastapi_app.py"), f"{self.folder}/mlp.pt"]
        return Contestant(
            "fastapi" if path == "/predict" else "fastapi-typed",
            lambda port: [*app, str(port)],
            path,
            [json.dumps({"inputs": [row]}, separators=(",", ":")).encode() for row in self.rows],
            lambda i, body: close(json.loads(body)["outputs"][0], self.expected[i]),
        )

    def contestant(self, name: str) -> Contestant:
        """The one of this name."""
        makers: dict[str, Callable[[], Contestant]] = {
            "maas": self.maas,
            "nginx": self.nginx,
            "fastapi": self.fastapi,
            "fastapi-typed": lambda: self.fastapi("/typed"),
        }
        if name not in makers:
            sys.exit(f"there is no contestant {name}; choose from {', '.join(makers)}")
        return makers[name]()

    def measure(self, name: str) -> Load:
        """One turn of one contestant: start, check, warm up, measure, check, stop."""
        c, port = self.contestant(name), free_port()
        log = str(self.folder / f"{name}.log")
        with Server(name, c.command(port), port, "0", log) as server:
            server.wait_ready(lambda: ask(port, c.path, c.bodies[0])[0] == 200)
            self.check(c, port)
            if name == "maas":
                self.constant = ask(port, c.path, c.bodies[0])[1]
            run_wrk(server, c.path, c.bodies, self.args.connections, self.args.warmup)
            load = run_wrk(server, c.path, c.bodies, self.args.connections, self.args.seconds)
            self.check(c, port)
        return load

    def check(self, c: Contestant, port: int) -> None:
        """End the run unless every body gets its right answer."""
        for i, body in enumerate(c.bodies):
            status, answer = ask(port, c.path, body)
            if status != 200 or not c.right(i, answer):
                sys.exit(f"{c.name} answered {status} {answer[:300]!r} to {body!r}")


def peer_is_usable(python: str) -> bool:
    """Whether that Python has what the FastAPI peer imports."""
    code = "import fastapi, uvicorn, uvloop, httptools, orjson, torch"
    return subprocess.run([python, "-c", code], capture_output=True, check=False).returncode == 0


def row(turn: int, name: str, load: Load) -> dict[str, object]:
    """One line of the table."""
    return {
        "turn": turn,
        "server": name,
        "answers per CPU s": load.per_cpu_second,
        "answers per s": load.per_second,
        "server busy": load.server_cpu_s / load.seconds,
        "p50 us": load.p50_us,
        "p99 us": load.p99_us,
        "errors": load.errors,
        "others' CPU s": load.other_cpu_s,
    }


def judge(report: Report, figures: dict[str, list[float]]) -> None:
    """Medians, and the two ratios, each taken turn by turn."""
    summary = [
        {"server": n, "median": middle(f), "lowest": min(f), "highest": max(f)}
        for n, f in figures.items()
    ]
    report.table("Answers per CPU second", summary)
    for peer, least in (("nginx", LEAST_OF_NGINX), ("fastapi", LEAST_OF_FASTAPI)):
        if {"maas", peer} <= figures.keys():
            ratios = [a / b for a, b in zip(figures["maas"], figures[peer], strict=True)]
            report.target(f"maas / {peer}, median of turns", middle(ratios), least=least)


def main() -> int:
    """Run the turns and judge."""
    parser = arguments(__doc__)
    parser.add_argument("--peer-python", default=sys.executable, help="a Python with FastAPI")
    parser.add_argument("--contestants", default="maas,nginx,fastapi", help="also: fastapi-typed")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=6)
    parser.add_argument("--warmup", type=int, default=2)
    parser.add_argument("--connections", type=int, default=16)
    args = parser.parse_args()
    names = args.contestants.split(",")
    if any(n.startswith("fastapi") for n in names) and not peer_is_usable(args.peer_python):
        sys.exit(
            f"{args.peer_python} lacks the peer; give a Python after `pip install torch==2.13.0 "
            "fastapi 'uvicorn[standard]' orjson` with --peer-python, or leave it out of "
            "--contestants"
        )
    report = Report("A 4-16-3 network, one row per JSON request", args)
    with scratch_folder() as folder:
        bench, rows = Bench(args, folder), []
        figures: dict[str, list[float]] = {n: [] for n in names}
        for turn in range(1, args.turns + 1):
            for name in names:
                load = bench.measure(name)
                rows.append(row(turn, name, load))
                figures[name].append(load.per_cpu_second)
                if load.errors:
                    sys.exit(f"{name}: {load.errors} requests failed under load")
        report.table(f"{args.connections} connections, {args.seconds} s each", rows)
    judge(report, figures)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
