# SPDX-License-Identifier: Apache-2.0
"""Handlers in worker processes: how two scale, and what is lost when one is killed.

Scaling: a handler that only computes in Python is asked by as many closed loops as there are
workers; one and two workers take turns on servers of their own, and calls a second are
compared. Beside it stands what two processes of plain Python reach over one, which bounds it on a
shared machine. Killing: two endpoints of two workers each, one of them idempotent, under load for a
minute; each second one worker of each gets SIGKILL.
"""

import argparse
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from client import Connection, post_bytes
from harness import Server, ask, free_port, maas_command, process_tree, scratch_folder
from report import Report, arguments, middle

LEAST_SCALING = 1.85
TURNS_OF_HANDLER = 60_000

APP = """import maas


@maas.endpoint("/compute", workers={workers})
def compute(turns: int) -> int:
    total = 0
    for i in range(turns):
        total += i * i % 7
    return total
"""

KILLED = """import os
import time

import maas


@maas.endpoint("/once", workers=2)
def once(n: int) -> list[int]:
    time.sleep(0.003)
    return [n + 1, os.getpid()]


@maas.endpoint("/again", workers=2, idempotent=True)
def again(n: int) -> list[int]:
    time.sleep(0.003)
    return [n + 1, os.getpid()]
"""

PLAIN = """import sys, time
end, count = time.monotonic() + float(sys.argv[1]), 0
while time.monotonic() < end:
    total = 0
    for i in range({turns}):
        total += i * i % 7
    count += 1
print(count)
"""


def closed_loop(port: int, request: bytes, seconds: float) -> int:
    """Calls that one connection gets answered."""
    connection, count, end = Connection(port), 0, time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            connection.ask(request)
            count += 1
    finally:
        connection.close()
    return count


def scaling(folder: pathlib.Path, workers: int, args: argparse.Namespace) -> float:
    """Calls a second of a server with so many workers."""
    app, port = folder / f"app{workers}.py", free_port()
    app.write_text(APP.format(workers=workers))
    body = json.dumps({"turns": TURNS_OF_HANDLER}).encode()
    with Server("maas", maas_command(args.python, app, port), port) as server:
        server.wait_ready(lambda: ask(port, "/compute", body)[0] == 200)
        request = post_bytes("/compute", body)
        with ThreadPoolExecutor(workers) as pool:
            counts = pool.map(lambda _: closed_loop(port, request, args.seconds), range(workers))
            return sum(counts) / args.seconds


def plain(processes: int, args: argparse.Namespace) -> float:
    """The same loop in processes that nobody asks anything."""
    command = [args.python, "-c", PLAIN.format(turns=TURNS_OF_HANDLER), str(args.seconds)]
    started = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(processes)
    ]
    return sum(int(one.communicate()[0]) for one in started) / args.seconds


class Loop:
    """A closed loop over one endpoint until it is told to end: what it got."""

    def __init__(self, port: int, path: str) -> None:
        """Count nothing yet."""
        self._port, self._path = port, path
        self.ended = False
        self.answers: Counter[str] = Counter()
        self.pids: set[int] = set()

    def run(self) -> None:
        """Ask, one request after the other."""
        n = 0
        while not self.ended:
            n += 1
            status, body = ask(self._port, self._path, json.dumps({"n": n}).encode())
            if status != 200:
                self.answers[str(status)] += 1
                continue
            answer, pid = json.loads(body)
            self.answers["right" if answer == n + 1 else "wrong"] += 1
            self.pids.add(pid)


def workers_of(loops: list[Loop], alive: set[int]) -> list[int]:
    """The live workers of an endpoint, by the answers that came from them."""
    return [pid for loop in loops for pid in loop.pids if pid in alive]


def kill_each_second(folder: pathlib.Path, args: argparse.Namespace) -> list[dict[str, object]]:
    """What each endpoint answered while its workers were killed."""
    app, port = folder / "killed.py", free_port()
    app.write_text(KILLED)
    paths = ("/once", "/again")
    kills: Counter[str] = Counter()
    with Server("maas", maas_command(args.python, app, port), port) as server:
        server.wait_ready(lambda: ask(port, "/readyz")[0] == 200)
        loops = {path: [Loop(port, path) for _ in range(3)] for path in paths}
        with ThreadPoolExecutor(6) as pool:
            running = [pool.submit(loop.run) for all_of in loops.values() for loop in all_of]
            for _ in range(round(args.kill_seconds)):
                time.sleep(1)
                alive = set(process_tree(server.pid))
                for path in paths:
                    for victim in workers_of(loops[path], alive)[:1]:
                        os.kill(victim, signal.SIGKILL)
                        kills[path] += 1
            for all_of in loops.values():
                for loop in all_of:
                    loop.ended = True
            for one in running:
                one.result()
        metrics = ask(port, "/metrics")[1].decode()
    return [summary(path, loops[path], kills[path], metrics) for path in paths]


def summary(path: str, loops: list[Loop], kills: int, metrics: str) -> dict[str, object]:
    """One line of the table."""
    answers = sum((loop.answers for loop in loops), Counter[str]())
    retries = re.search(rf'^maas_worker_retries_total\{{model="{path}".*\}} (\d+)', metrics, re.M)
    return {
        "endpoint": path,
        "kills": kills,
        "right": answers.pop("right"),
        "wrong": answers.pop("wrong", 0),
        "failed": sum(answers.values()),
        "run again": int(retries[1]) if retries else -1,
    }


def main() -> int:
    """Measure, and judge."""
    parser = arguments(__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    parser.add_argument("--turns", type=int, default=5, help="of one and two workers")
    parser.add_argument("--kill-seconds", type=float, default=60.0)
    args = parser.parse_args()
    report = Report("Handlers in worker processes", args)
    rows = []
    with scratch_folder() as folder:
        for _ in range(args.turns):
            one, two = scaling(folder, 1, args), scaling(folder, 2, args)
            bound = plain(2, args) / plain(1, args)
            row = {"1 worker /s": one, "2 workers /s": two, "ratio": two / one}
            rows.append({**row, "ratio of plain Python": bound})
        report.table("A handler that computes in Python", rows)
        ratio = middle([float(row["ratio"]) for row in rows])
        report.target("two workers over one", ratio, least=LEAST_SCALING)
        once, again = kill_each_second(folder, args)
    report.table(f"A worker killed each second for {args.kill_seconds:g} s", [once, again])
    report.target("failed per kill, not idempotent", float(once["failed"]) / once["kills"], 1.0)  # type: ignore[arg-type,operator]
    report.target("failed, idempotent", float(again["failed"]), 0.0)  # type: ignore[arg-type]
    report.target("wrong answers", float(once["wrong"]) + float(again["wrong"]), 0.0)  # type: ignore[arg-type]
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
