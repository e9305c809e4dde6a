# SPDX-License-Identifier: Apache-2.0
"""What a server costs that nobody asks: idle CPU time, time to start, memory without torch.

Idle: three TorchScript models are loaded and have each answered once; then the CPU time of the
process tree is read over some seconds without a request. Start: from the start of `python -m maas
serve` of a function endpoint to its first 200, asked for every 2 ms; the first start is left out,
because it may compile the package's Python files.
"""

import argparse
import pathlib
import sys
import time

from harness import Server, ask, free_port, maas_command, scratch_folder, tensor_body
from report import Report, arguments, middle

MOST_IDLE_PERCENT, MOST_START_S, MOST_RESIDENT_MB = 0.3, 0.7, 80.0

ECHO = """import maas


@maas.endpoint("/echo")
def echo(text: str) -> str:
    return text
"""


def idle_percent(folder: pathlib.Path, args: argparse.Namespace) -> dict[str, object]:
    """The share of one core that three loaded models take while nobody asks."""
    from models import save_mlp, write_mlp_app  # imports torch, which the start-up part needs not

    names, port = ["first", "second", "third"], free_port()
    for seed, name in enumerate(names):
        save_mlp(folder / f"{name}.pt", seed)
    command = maas_command(args.python, write_mlp_app(folder, names), port)
    body = tensor_body("x", [5.1, 3.5, 1.4, 0.2])
    with Server("maas", command, port, log=str(folder / "maas.log")) as server:
        for name in names:
            path = f"/v2/models/{name}/infer"
            server.wait_ready(lambda path=path: ask(port, path, body)[0] == 200)  # type: ignore[misc]
        time.sleep(2)
        before, begun = server.cpu_seconds(), time.monotonic()
        time.sleep(args.idle_seconds)
        used, elapsed = server.cpu_seconds() - before, time.monotonic() - begun
        memory = server.resident_mb()
    return {"seconds": elapsed, "CPU s": used, "% of a core": 100 * used / elapsed, "MB": memory}


def start_once(folder: pathlib.Path, args: argparse.Namespace) -> dict[str, object]:
    """One start of the function endpoint."""
    app, port = folder / "echo.py", free_port()
    app.write_text(ECHO)
    command = maas_command(args.python, app, port)
    with Server("maas", command, port, log=str(folder / "echo.log")) as server:
        begun = server.wait_ready(lambda: ask(port, "/echo", b'{"text":"hi"}') == (200, b'"hi"'))
        return {
            "first 200 (s)": begun,
            "CPU s": server.cpu_seconds(),
            "resident MB": server.resident_mb(),
            "torch loaded": server.maps("libtorch"),
        }


def main() -> int:
    """Start, idle, judge."""
    parser = arguments(__doc__)
    parser.add_argument("--idle-seconds", type=float, default=20)
    parser.add_argument("--starts", type=int, default=7)
    args = parser.parse_args()
    report = Report("A server that nobody asks", args)
    with scratch_folder() as folder:
        starts = [start_once(folder, args) for _ in range(args.starts + 1)][1:]
        report.table("Start of a function endpoint", starts)
        idle = idle_percent(folder, args)
        report.table("Three models loaded, no requests", [idle])
    if any(s["torch loaded"] for s in starts):
        sys.exit("a function endpoint loaded torch, so its memory says nothing")
    first, memory = ([float(str(s[k])) for s in starts] for k in ("first 200 (s)", "resident MB"))
    report.target("first 200 after the start, median (s)", middle(first), MOST_START_S)
    report.target("resident memory without torch (MB)", max(memory), MOST_RESIDENT_MB)
    share = float(str(idle["% of a core"]))
    report.target("idle with three models (% of a core)", share, MOST_IDLE_PERCENT)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
