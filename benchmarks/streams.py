# SPDX-License-Identifier: Apache-2.0
"""Server-sent events per CPU second of the server, beside LitServe and BentoML.

A generator yields short strings as fast as it can; a client reads them from a raw socket and checks
that all came, in their order. Each server is alone on core 0 while it is measured, and its CPU time
is that of its whole process tree. maas is measured with a `def` and with an `async def`.
"""

import argparse
import json
import os
import pathlib
import re
import socket
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from client import post_bytes
from harness import Server, ask, free_port, maas_command, scratch_folder
from report import Report, arguments, middle

HERE = pathlib.Path(__file__).resolve().parent
LEAST_TIMES = 5.0


@dataclass(frozen=True)
class Contestant:
    """One server and the path that streams."""

    name: str
    command: Sequence[str]
    path: str


def contestants(args: argparse.Namespace, port: int) -> list[Contestant]:
    """maas in both kinds, and the peers whose environments are there."""
    peers = pathlib.Path(args.peers)
    own = maas_command(args.python, HERE / "apps/streams.py", port)
    found = [Contestant("maas", own, "/stream"), Contestant("maas async", own, "/stream-async")]
    litserve, bento = peers / "main/bin/python", peers / "bento/bin/python"
    if litserve.is_file():
        command = [str(litserve), str(HERE / "peers/litserve_streams.py")]
        found.append(Contestant("litserve", command, "/stream"))
    if bento.is_file():
        serve = [str(bento), "-m", "bentoml", "serve", "bentoml_streams:Service"]
        where = ["--host", "127.0.0.1", "--port", str(port)]
        command = [*serve, "--working-dir", str(HERE / "peers"), *where]
        found.append(Contestant("bentoml", command, "/stream"))
    return found


def read_stream(port: int, path: str, count: int) -> bytes:
    """All bytes of one streamed answer."""
    request = post_bytes(path, json.dumps({"count": count}).encode())
    with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
        connection.sendall(request)
        parts, last = [], b""
        while not last.endswith(b"0\r\n\r\n"):
            part = connection.recv(1 << 20)
            if not part:
                break
            parts.append(part)
            last = (last + part)[-16:]
        return b"".join(parts)


def check(name: str, answer: bytes, count: int) -> None:
    """Ends the script unless the answer has every item once and in order."""
    numbers = [int(number) for number in re.findall(rb'data: "token (\d+)"\n\n', answer)]
    if numbers != list(range(count)) or not answer.endswith(b"0\r\n\r\n"):
        sys.exit(f"{name} sent {len(numbers)} of {count} items: {answer[:400]!r}")


def measure(one: Contestant, port: int, args: argparse.Namespace) -> dict[str, object]:
    """One turn of one server."""
    with scratch_folder() as folder:
        env = {
            "BENCH_PORT": str(port),
            "PYTHONPATH": str(HERE / "peers") if "maas" not in one.name else "",
            "BENTOML_HOME": str(folder),
            "BENTOML_DO_NOT_TRACK": "True",
        }
        log = str(folder / "log")
        with Server(one.name, one.command, port, cores="0", log=log, env=env) as server:
            body = json.dumps({"count": 2}).encode()
            server.wait_ready(lambda: ask(port, one.path, body)[0] == 200)
            check(one.name, read_stream(port, one.path, args.items), args.items)
            server.wait_idle()
            answers: list[bytes] = []

            def read() -> None:
                for _ in range(args.streams):
                    answers.append(read_stream(port, one.path, args.items))

            begun, cpu = time.monotonic(), server.cpu_seconds()
            readers = [threading.Thread(target=read) for _ in range(args.readers)]
            for reader in readers:
                reader.start()
            for reader in readers:
                reader.join()
            cpu, wall = server.cpu_seconds() - cpu, time.monotonic() - begun
            for answer in answers:
                check(one.name, answer, args.items)
    items = args.items * args.streams * args.readers
    return {
        "server": one.name,
        "items": items,
        "wall s": wall,
        "CPU s": cpu,
        "items per CPU s": items / cpu,
        "us per item": cpu / items * 1e6,
    }


def main() -> int:
    """Measure all in turn and judge."""
    parser = arguments(__doc__)
    parser.add_argument("--items", type=int, default=10_000, help="of one stream")
    parser.add_argument("--streams", type=int, default=4, help="of each reader, one by one")
    parser.add_argument("--readers", type=int, default=2, help="at once")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--peers", default=os.environ.get("BENCH_PEERS", "peers"))
    args = parser.parse_args()
    report, rows = Report("Streams of server-sent events", args), []
    rates: dict[str, list[float]] = {}
    for _ in range(args.turns):
        port = free_port()
        for one in contestants(args, port):
            rows.append(measure(one, port, args))
            rates.setdefault(one.name, []).append(float(str(rows[-1]["items per CPU s"])))
    report.table("Each turn", rows)
    for peer in ("litserve", "bentoml"):
        for own in ("maas", "maas async"):
            if peer in rates:
                ratios = [a / b for a, b in zip(rates[own], rates[peer], strict=True)]
                report.target(f"items per CPU s, {own} : {peer}", middle(ratios), least=LEAST_TIMES)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
