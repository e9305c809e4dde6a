# SPDX-License-Identifier: Apache-2.0
"""What a server does with four times the load that it can bear.

A Python handler that sleeps 5 ms, four at once, deadline 1 s. First its capacity is measured with a
closed loop; then requests arrive at four times that rate for a minute, on schedule whatever the
answers do; then single requests at a low rate show when the server is itself again. Goodput is
answers with 200 within the deadline, counted from when the request was due. The server has core 0,
the client core 1. Only Python's standard library.
"""

import argparse
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence

from client import ahead_of_others, post_bytes
from harness import Server, ask, free_port, maas_command, scratch_folder
from open_loop import BROKEN, UNANSWERED, Answer, Loader, evenly, raise_file_limit, with_status
from report import Report, arguments, percentile

LEAST_SHARE, MOST_REFUSAL_MS, MOST_RECOVERY_S, MOST_GROWTH = 0.9, 50.0, 5.0, 1.05
DEADLINE_S, SLEEP_S, CONCURRENCY = 1.0, 0.005, 4
PROBES_PER_S, PROBE_WINDOW_S = 40.0, 0.5
REFUSED = (429, 503)
NAMES = {BROKEN: "connection broken", UNANSWERED: "never answered", 504: "504, deadline passed"}

APP = f"""import time

import maas


@maas.endpoint("/work", max_concurrency={CONCURRENCY}, timeout_s={DEADLINE_S})
def work(x: int) -> int:
    time.sleep({SLEEP_S})
    return x + 1
"""
REQUEST = post_bytes("/work", b'{"x": 41}')


class Memory(threading.Thread):
    """Resident memory of a server at given seconds from now."""

    def __init__(self, server: Server, at: Sequence[float]) -> None:
        """Not started yet."""
        super().__init__(daemon=True)
        self._server, self._at = server, at
        self.megabytes: list[float] = []

    def run(self) -> None:
        """Look when it is time."""
        start = time.monotonic()
        for second in self._at:
            time.sleep(max(0.0, start + second - time.monotonic()))
            self.megabytes.append(self._server.resident_mb())


def in_time(answers: Sequence[Answer], seconds: float) -> list[Answer]:
    """The good ones: 200, within the deadline, before the load ended."""
    good = with_status(answers, 200)
    return [a for a in good if a.latency <= DEADLINE_S and a.done <= seconds]


def ms(answers: Sequence[Answer], share: float) -> float:
    """A percentile of the latencies in milliseconds; 0 of nothing."""
    return 1e3 * percentile([a.latency for a in answers], share) if answers else 0.0


def recovery_s(probes: Sequence[Answer], load_end: float, normal_ms: float) -> float:
    """Seconds until a window of probes whose median is normal again; infinite when there is none.

    Normal is at most 1.5 times the median before the load, or 2 ms above it.
    """
    most, start = max(1.5 * normal_ms, normal_ms + 2), load_end
    while start + PROBE_WINDOW_S <= load_end + 2 * MOST_RECOVERY_S:
        window = [p for p in probes if start <= p.due < start + PROBE_WINDOW_S]
        good = with_status(window, 200)
        if window and len(good) == len(window) and ms(good, 0.5) <= most:
            return start - load_end
        start += PROBE_WINDOW_S / 5
    return float("inf")


def status_rows(answers: Sequence[Answer]) -> list[dict[str, object]]:
    """Latencies by status."""
    rows = []
    for status, count in sorted(Counter(a.status for a in answers).items()):
        some = with_status(answers, status)
        known = status != UNANSWERED
        rows.append(
            {
                "answer": NAMES.get(status, str(status)),
                "requests": count,
                "share": count / len(answers),
                "p50 ms": ms(some, 0.5) if known else "-",
                "p99 ms": ms(some, 0.99) if known else "-",
                "max ms": ms(some, 1.0) if known else "-",
                "Retry-After": retry_after(some),
            }
        )
    return rows


def retry_after(answers: Sequence[Answer]) -> str:
    """The values seen, the most frequent first."""
    seen = Counter(a.retry_after or "none" for a in answers).most_common(6)
    return ", ".join(f"{value} ({count})" for value, count in seen)


class Run:
    """The three phases on one server."""

    def __init__(self, server: Server, args: argparse.Namespace, report: Report) -> None:
        """Nothing measured yet."""
        self.server, self.args, self.report = server, args, report

    def capacity(self) -> tuple[float, float]:
        """(peak goodput per second, median in ms of single requests at a low rate)."""
        seconds = min(10.0, self.args.seconds)
        with Loader(self.server.port, REQUEST) as loader:
            loader.closed_loop(self.args.connections, 1)
            answers = loader.closed_loop(self.args.connections, seconds)
            normal = with_status(loader.open_loop(evenly(PROBES_PER_S, 3)), 200)
        good = in_time(answers, seconds)
        if len(good) < len([a for a in answers if a.due < seconds - DEADLINE_S]) or not normal:
            counts = Counter(a.status for a in answers)
            sys.exit(f"requests failed at {self.args.connections} connections: {counts}")
        return len(good) / seconds, ms(normal, 0.5)

    def overload(self, per_second: float) -> tuple[list[Answer], list[Answer], list[float]]:
        """(the answers, those to the probes after, resident memory at a sixth and at the end).

        The probes begin while what the load left in the queues is still there.
        """
        seconds = self.args.seconds
        memory = Memory(self.server, [seconds / 6, seconds])
        schedule = evenly(per_second, seconds)
        schedule += evenly(PROBES_PER_S, 2 * MOST_RECOVERY_S, start=seconds)
        with Loader(self.server.port, REQUEST) as loader:
            memory.start()
            answers = loader.open_loop(schedule)
            opened = loader.most_open
        self.report.say(f"\n{per_second:,.0f} requests/s, at most {opened} connections at once")
        loaded = [a for a in answers if a.due < seconds]
        return loaded, [a for a in answers if a.due >= seconds], memory.megabytes


def judge(report: Report, peak: float, answers: Sequence[Answer], seconds: float) -> None:
    """Tables and verdicts of the overload."""
    good, refused = in_time(answers, seconds), with_status(answers, *REFUSED)
    admitted = with_status(answers, 200)
    report.table(
        "Answers under overload, latencies from when a request was due", status_rows(answers)
    )
    rate = len(good) / seconds
    summary = {
        "peak goodput per s": peak,
        "goodput per s": rate,
        "share": rate / peak,
        "admitted p50 ms": ms(admitted, 0.5),
        "admitted p99 ms": ms(admitted, 0.99),
        "client late p99 ms": 1e3 * percentile([a.sent - a.due for a in answers], 0.99),
    }
    report.table("Goodput", [summary])
    report.target("goodput under overload / peak", rate / peak, least=LEAST_SHARE)
    report.target("admitted p99, ms", ms(admitted, 0.99), most=1e3 * DEADLINE_S)
    if refused:
        report.target("refusals' p99, ms", ms(refused, 0.99), most=MOST_REFUSAL_MS)
    else:
        report.say("\nNothing was refused (429, 503).")


def measure(args: argparse.Namespace, report: Report) -> None:
    """Start the server, run the phases, judge."""
    port = free_port()
    with scratch_folder() as folder:
        app = folder / "app.py"
        app.write_text(APP)
        command = maas_command(args.python, app, port)
        with Server("maas", command, port, "0", str(folder / "maas.log")) as server:
            server.wait_ready(lambda: ask(port, "/work", b'{"x": 41}') == (200, b"42"))
            run = Run(server, args, report)
            with ahead_of_others():
                peak, normal_ms = run.capacity()
                answers, probes, megabytes = run.overload(args.times * peak)
            if ask(port, "/work", b'{"x": 41}') != (200, b"42"):
                sys.exit("the server does not answer any more")
    judge(report, peak, answers, args.seconds)
    took = recovery_s(probes, args.seconds, normal_ms)
    names = [f"resident MB at {s:g} s" for s in (args.seconds / 6, args.seconds)]
    rows = dict(zip(names, megabytes, strict=False))
    report.table("Memory", [{**rows, "normal p50 ms": normal_ms}])
    if len(megabytes) > 1:
        report.target("memory at the end / at a sixth", megabytes[1] / megabytes[0], MOST_GROWTH)
    report.target("seconds until p50 is normal again", took, most=MOST_RECOVERY_S)


def main() -> int:
    """Options, then the run."""
    parser = arguments(__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="of overload")
    parser.add_argument("--times", type=float, default=4.0, help="the capacity that arrives")
    parser.add_argument("--connections", type=int, default=16, help="of the closed loop")
    args = parser.parse_args()
    raise_file_limit()
    os.sched_setaffinity(0, {1})
    report = Report("Four times the capacity", args)
    measure(args, report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
