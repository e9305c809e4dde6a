# SPDX-License-Identifier: Apache-2.0
"""Answers per CPU second of handlers written in Python, beside FastAPI's.

A handler gets a JSON object of 200 bytes, checked against its hints, and gives it back: once as a
`def`, once as an `async def`. FastAPI runs on uvicorn with uvloop and httptools, with a pydantic
model in and out as its tutorial teaches. Servers take turns, each alone on core 0 with wrk on core
1 and 16 kept-alive connections. The figure is answers per second of user + system time of the
server's whole process tree.
"""

import argparse
import json
import pathlib
import subprocess
import sys

from harness import Load, Server, ask, free_port, maas_command, run_wrk, scratch_folder
from report import Report, arguments, middle

HERE = pathlib.Path(__file__).resolve().parent
KINDS = {"/plain": 4.0, "/coroutine": 2.5}  # and how many times FastAPI's it should make
ITEM = {
    "name": "some item with a name",
    "tags": ["first", "second", "third", "fourth"],
    "score": 0.8125,
    "note": "some words that a handler gets and gives back, as many as make it two hundred bytes "
    "in all; no more.",
}
BODY = json.dumps(ITEM, separators=(",", ":")).encode()


def measure(args: argparse.Namespace, name: str, path: str, folder: pathlib.Path) -> Load:
    """One turn of one server: start, check, warm up, measure, check, stop."""
    port = free_port()
    command = (
        maas_command(args.python, HERE / "apps/echo.py", port)
        if name == "maas"
        else [args.peer_python, str(HERE / "peers/fastapi_echo.py"), str(port)]
    )
    with Server(name, command, port, "0", str(folder / f"{name}.log")) as server:
        server.wait_ready(lambda: right(port, path))
        run_wrk(server, path, [BODY], args.connections, args.warmup)
        load = run_wrk(server, path, [BODY], args.connections, args.seconds)
        if not right(port, path) or load.errors:
            sys.exit(f"{name} {path}: wrong answers, or {load.errors} failed requests")
    return load


def right(port: int, path: str) -> bool:
    """Whether the item comes back."""
    status, body = ask(port, path, BODY)
    return status == 200 and json.loads(body) == ITEM


def main() -> int:
    """Run the turns and judge."""
    parser = arguments(__doc__)
    parser.add_argument("--peer-python", default=sys.executable, help="a Python with FastAPI")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--warmup", type=int, default=1)
    parser.add_argument("--connections", type=int, default=16)
    args = parser.parse_args()
    peer = [args.peer_python, "-c", "import fastapi, uvicorn, uvloop, httptools"]
    if subprocess.run(peer, capture_output=True, check=False).returncode:
        sys.exit(
            f"{args.peer_python} lacks the peer; give a Python after `pip install fastapi "
            "'uvicorn[standard]'` with --peer-python"
        )
    report = Report("Handlers written in Python, 200 bytes of JSON there and back", args)
    rows = []
    figures: dict[tuple[str, str], list[float]] = {}
    with scratch_folder() as folder:
        for turn in range(1, args.turns + 1):
            for path in KINDS:
                for name in ("maas", "fastapi"):
                    load = measure(args, name, path, folder)
                    figures.setdefault((name, path), []).append(load.per_cpu_second)
                    rows.append(
                        {
                            "turn": turn,
                            "server": name,
                            "handler": path,
                            "answers per CPU s": load.per_cpu_second,
                            "answers per s": load.per_second,
                            "p50 us": load.p50_us,
                            "p99 us": load.p99_us,
                            "others' CPU s": load.other_cpu_s,
                        }
                    )
    report.table(f"{args.connections} connections, {args.seconds} s each", rows)
    for path, least in KINDS.items():
        pairs = zip(figures["maas", path], figures["fastapi", path], strict=True)
        ratio = middle([ours / theirs for ours, theirs in pairs])
        report.target(f"maas / fastapi, {path}, median of turns", ratio, least=least)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
