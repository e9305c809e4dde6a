# SPDX-License-Identifier: Apache-2.0
"""How the benchmark scripts report: rows and verdicts as Markdown, and JSON where asked for."""

import argparse
import json
import os
import pathlib
import re
import signal
import statistics
import sys
import time
from collections.abc import Sequence
from typing import Any


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, min(len(ordered) - 1, -int(-share * len(ordered) // 1) - 1))]


class Report:
    """Collects rows and verdicts of one script; prints Markdown, and JSON where asked for."""

    def __init__(self, title: str, args: argparse.Namespace) -> None:
        """Begin with the machine and the arguments, without which figures mean little."""
        self._args, self._missed = args, 0
        info = pathlib.Path("/proc/cpuinfo").read_text()
        cpu = re.search(r"model name\s*: (.*)", info)
        self._data: dict[str, Any] = {
            "title": title,
            "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "machine": f"{cpu[1] if cpu else 'unknown CPU'}, {os.cpu_count()} cores",
            "load_average": os.getloadavg()[0],
            "tables": {},
            "targets": [],
        }
        self.say(f"## {title}\n\n{self._data['machine']}, load {os.getloadavg()[0]:.2f}")

    def say(self, text: str) -> None:
        """Write a line at once, so that a long run shows where it is."""
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def table(self, name: str, rows: Sequence[dict[str, Any]]) -> None:
        """Print rows of equal keys as a Markdown table."""
        self._data["tables"][name] = rows
        self.say(f"\n{name}\n\n| " + " | ".join(rows[0]) + " |\n" + "|---" * len(rows[0]) + "|")
        for row in rows:
            self.say("| " + " | ".join(map(_shown, row.values())) + " |")

    def target(
        self, claim: str, measured: float, most: float | None = None, least: float = 0
    ) -> None:
        """Judge one figure: at most `most` where given, else at least `least`."""
        reached = measured <= most if most is not None else measured >= least
        bound = f"at most {_shown(most)}" if most is not None else f"at least {_shown(least)}"
        self._missed += not reached
        self._data["targets"].append(
            {"claim": claim, "measured": measured, "target": bound, "reached": reached}
        )
        self.say(f"\n{'REACHED' if reached else 'MISSED'}: {claim}: {_shown(measured)} ({bound})")

    def finish(self) -> int:
        """Write the JSON file; the exit code: 1 when a target is missed under --check, else 0."""
        if self._args.json:
            path = pathlib.Path(self._args.json)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(self._data, indent=1) + "\n")
        return 1 if self._missed and self._args.check else 0


def _shown(value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def middle(values: Sequence[float]) -> float:
    """The median, as a float."""
    return float(statistics.median(values))


def arguments(doc: str | None) -> argparse.ArgumentParser:
    """A parser with the options that all scripts have."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--python", default=sys.executable, help="the Python that has maas (default: this one)"
    )
    parser.add_argument("--check", action="store_true", help="exit 1 when a target is missed")
    parser.add_argument("--json", metavar="FILE", help="write the figures there too")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    return parser
