# SPDX-License-Identifier: Apache-2.0
"""Whether executors share one copy of a model: resident memory of 1 and of 4 executors.

The model is one 10,000 x 10,000 float32 layer (400 MB). Each server loads it and answers some
hundred requests over as many connections as there are executors, so that each executor has run;
then the resident memory of its process tree is read. 1 and 4 take turns.
"""

import argparse
import json
import pathlib
import sys
from concurrent.futures import ThreadPoolExecutor

from harness import Server, ask, free_port, maas_command, scratch_folder, tensor_body
from models import save_linear
from report import Report, arguments, middle

MOST_GROWTH_PERCENT = 5.0
PATH = "/v2/models/big/infer"

APP = """import maas

maas.load(
    "{folder}/big.pt",
    name="big",
    inputs={{"x": maas.Tensor("float32", [{width}])}},
    outputs={{"y": maas.Tensor("float32", [{width}])}},
    max_batch_size=1,
    executors={executors},
)
"""


def answer_length(port: int, body: bytes) -> int:
    """How many numbers an answer has; 0 when it is none."""
    status, answer = ask(port, PATH, body)
    return len(json.loads(answer)["outputs"][0]["data"]) if status == 200 else 0


def measure(folder: pathlib.Path, executors: int, args: argparse.Namespace) -> dict[str, object]:
    """Memory of one server before and after the same number of requests."""
    app, port = folder / f"app{executors}.py", free_port()
    app.write_text(APP.format(folder=folder, width=args.width, executors=executors))
    body = tensor_body("x", [i % 7 / 7 for i in range(args.width)])
    command = maas_command(args.python, app, port)
    with Server("maas", command, port, log=str(folder / "maas.log")) as server:
        server.wait_ready(lambda: ask(port, "/v2/health/ready")[0] == 200)
        loaded = server.resident_mb()
        with ThreadPoolExecutor(args.connections) as pool:
            lengths = set(pool.map(lambda _: answer_length(port, body), range(args.requests)))
        if lengths != {args.width}:
            sys.exit(f"maas with {executors} executors answered with {lengths} numbers")
        return {
            "executors": executors,
            "after loading MB": loaded,
            "after traffic MB": server.resident_mb(),
        }


def main() -> int:
    """Measure in turn and judge the growth."""
    parser = arguments(__doc__)
    parser.add_argument("--width", type=int, default=10_000)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--turns", type=int, default=2)
    args = parser.parse_args()
    report = Report("One copy of a model", args)
    with scratch_folder() as folder:
        save_linear(folder / "big.pt", args.width)
        rows = [measure(folder, n, args) for _ in range(args.turns) for n in (1, 4)]
    report.table(f"One layer of {args.width} x {args.width} float32", rows)
    one, four = (
        middle([float(str(r["after traffic MB"])) for r in rows if r["executors"] == n])
        for n in (1, 4)
    )
    growth = 100 * (four / one - 1)
    report.target("memory of 4 executors over 1 (%)", growth, MOST_GROWTH_PERCENT)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
