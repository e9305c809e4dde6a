# SPDX-License-Identifier: Apache-2.0
"""What a server adds to a model call on one image: CPU time per request beyond the bare call.

A CNN of about 50 MFLOP on 1x3x224x224 float32 (602,112 bytes), one client that asks again as soon
as it is answered, each server alone on core 0. In every turn: the bare model call; maas with a JSON
and with a binary body; FastAPI with orjson and numpy (`--peer-python`); and a loop that only reads
the binary body's bytes from a socket into a buffer. The figures are medians over the turns.

`--memory` measures instead 16 connections that post tensors of 10 MB: resident memory.
"""

import argparse
import functools
import http.client
import json
import pathlib
import random
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable

from harness import Server, ask, free_port, maas_command, process_tree, scratch_folder
from models import save_cnn, save_mean
from report import Report, arguments, middle

HERE = pathlib.Path(__file__).resolve().parent
SHAPE = [1, 3, 224, 224]
COUNT = 3 * 224 * 224
APP = """
import maas
model = maas.load({path!r}, name="m", inputs={{"x": maas.Tensor("float32", {shape})}},
                  outputs={{"y": maas.Tensor("float32", [-1])}})
"""
JSON_SHARE, BINARY_TIMES, MEMORY_SHARE = 1 / 8, 2.0, 1.2
CONNECTIONS, TENSOR = 16, 2_500_000  # elements


def cpu_seconds(server: Server) -> float:
    """Of all threads that live, to the nanosecond."""
    total = 0
    for pid in process_tree(server.pid):
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def binary_request(count: int, shape: list[int], data: bytes) -> tuple[bytes, dict[str, str]]:
    """A body with one binary tensor, and its header fields."""
    tensor = {"name": "x", "shape": shape, "datatype": "FP32"}
    head = json.dumps({"inputs": [{**tensor, "parameters": {"binary_data_size": 4 * count}}]})
    fields = {"Inference-Header-Content-Length": str(len(head))}
    return head.encode() + data, {**fields, "Content-Type": "application/octet-stream"}


def post_many(port: int, path: str, body: bytes, fields: dict[str, str], count: int) -> None:
    """So many requests on one connection, one behind the other."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.connect()
    for _ in range(count):
        connection.request("POST", path, body, fields)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            sys.exit(f"port {port} answered {answer.status} {text[:300]!r}")
    connection.close()


def send_many(port: int, body: bytes, count: int) -> None:
    """So many bodies, each waited for, to the loop that only reads."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for _ in range(count):
            connection.sendall(body)
            connection.recv(1)


class Bench:
    """The model and the requests of one run."""

    def __init__(self, args: argparse.Namespace, folder: pathlib.Path) -> None:
        """Make them."""
        self.args, self.folder = args, folder
        save_cnn(folder / "cnn.pt")
        self.app = folder / "app.py"
        self.app.write_text(APP.format(path=str(folder / "cnn.pt"), shape=SHAPE[1:]))
        numbers = random.Random(1)
        data = struct.pack(f"<{COUNT}f", *(numbers.random() for _ in range(COUNT)))
        values = struct.unpack(f"<{COUNT}f", data)
        tensor = {"name": "x", "shape": SHAPE, "datatype": "FP32", "data": values}
        self.json = json.dumps({"inputs": [tensor]}).encode()
        self.binary, self.fields = binary_request(COUNT, SHAPE, data)

    def per_request(
        self,
        name: str,
        command: Callable[[int], list[str]],
        send: Callable[[int, int], None],
        probe: Callable[[int], bool],
    ) -> float:
        """CPU seconds of one request."""
        port = free_port()
        with Server(name, command(port), port, "0", str(self.folder / f"{name}.log")) as server:
            server.wait_ready(lambda: probe(port))
            send(port, 30)
            before = cpu_seconds(server)
            send(port, self.args.requests)
            return (cpu_seconds(server) - before) / self.args.requests

    def model(self) -> float:
        """CPU seconds of a bare call."""
        command = ["taskset", "-c", "0", self.args.python, str(HERE / "peers" / "bare_image.py")]
        command += ["model", str(self.folder / "cnn.pt"), str(self.args.requests)]
        environment = {"OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        return float(done.stdout)

    def maas(self, body: bytes, fields: dict[str, str]) -> float:
        """One form of body."""
        path = "/v2/models/m/infer"
        return self.per_request(
            "maas",
            functools.partial(maas_command, self.args.python, self.app),
            lambda port, count: post_many(port, path, body, fields, count),
            lambda port: ask(port, "/v2/health/ready")[0] == 200,
        )

    def fastapi(self) -> float:
        """The peer."""
        script = str(HERE / "peers" / "fastapi_image.py")
        return self.per_request(
            "fastapi",
            lambda port: [self.args.peer_python, script, str(self.folder / "cnn.pt"), str(port)],
            lambda port, count: post_many(port, "/predict", self.json, {}, count),
            lambda port: ask(port, "/predict", self.json)[0] == 200,
        )

    def reading(self) -> float:
        """The loop that only reads."""
        script = str(HERE / "peers" / "bare_image.py")
        return self.per_request(
            "socket",
            lambda port: [self.args.python, script, "socket", str(port), str(len(self.binary))],
            lambda port, count: send_many(port, self.binary, count),
            listens,
        )


def listens(port: int) -> bool:
    """Whether somebody accepts there."""
    socket.create_connection(("127.0.0.1", port), 1).close()
    return True


def measure_time(args: argparse.Namespace, report: Report, folder: pathlib.Path) -> None:
    """The figures of the first benchmark."""
    bench, rows = Bench(args, folder), []
    for turn in range(args.turns):
        model, reading = bench.model(), bench.reading()
        used = {
            "JSON": bench.maas(bench.json, {"Content-Type": "application/json"}),
            "binary": bench.maas(bench.binary, bench.fields),
        }
        if args.peer_python:
            used["FastAPI"] = bench.fastapi()
        row: dict[str, float] = {"turn": turn, "model ms": 1e3 * model, "reading ms": 1e3 * reading}
        rows.append(row | {f"{name} adds ms": 1e3 * (cpu - model) for name, cpu in used.items()})
    report.table("CPU time per request", rows)
    medians = {name: middle([row[name] for row in rows]) for name in rows[0]}
    if args.peer_python:
        share = medians["JSON adds ms"] / medians["FastAPI adds ms"]
        report.target("JSON adds this share of what FastAPI adds", share, most=JSON_SHARE)
    times = medians["binary adds ms"] / medians["reading ms"]
    report.target("binary adds this many times what reading costs", times, most=BINARY_TIMES)


def measure_memory(args: argparse.Namespace, report: Report, folder: pathlib.Path) -> None:
    """The figures of the second benchmark."""
    save_mean(folder / "mean.pt")
    app = folder / "app.py"
    app.write_text(APP.format(path=str(folder / "mean.pt"), shape=[TENSOR]))
    body, fields = binary_request(TENSOR, [1, TENSOR], bytes(4 * TENSOR))
    port = free_port()
    with Server("maas", maas_command(args.python, app, port), port, "0") as server:
        server.wait_ready(lambda: ask(port, "/v2/health/ready")[0] == 200)
        post_many(port, "/v2/models/m/infer", body, fields, 1)
        before = server.resident_mb()
        threads = [
            threading.Thread(
                target=post_many,
                args=(port, "/v2/models/m/infer", body, fields, args.posts // CONNECTIONS),
            )
            for _ in range(CONNECTIONS)
        ]
        for thread in threads:
            thread.start()
        seen = []
        while any(thread.is_alive() for thread in threads):
            seen.append(server.resident_mb() - before)
            time.sleep(0.05)
    half = len(seen) // 2
    row = {
        "requests": args.posts,
        "before MB": before,
        "most MB more": max(seen),
        "first half MB": max(seen[:half]),
        "second half MB": max(seen[half:]),
    }
    report.table("Resident memory", [row])
    flight = CONNECTIONS * len(body) / 1e6
    report.target("most memory, of the tensors in flight", max(seen) / flight, most=MEMORY_SHARE)
    growth = max(seen[half:]) / max(seen[:half])
    report.target("second half of the run, of the first", growth, most=1.05)


def main() -> int:
    """Measure, print, judge."""
    parser = arguments(__doc__)
    parser.add_argument("--peer-python", help="a Python with fastapi, uvicorn, orjson and torch")
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--posts", type=int, default=10_000)
    args = parser.parse_args()
    report = Report("One image, and 10 MB tensors", args)
    with scratch_folder() as folder:
        (measure_memory if args.memory else measure_time)(args, report, folder)
    return report.finish()


if __name__ == "__main__":
    raise SystemExit(main())
