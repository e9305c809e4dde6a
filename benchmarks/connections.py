# SPDX-License-Identifier: Apache-2.0
"""What connections cost that bring nothing, and what those do that bring their requests too slowly.

Idle: so many keep-alive connections are opened, each is answered once, and the growth of the
server's resident memory is read. Slow: so many connections send the head of a request one byte a
second, and come again when they are cut off; the latency of one ordinary client is measured before
and while they do.
"""

import multiprocessing
import pathlib
import resource
import socket
import sys
import time
from contextlib import suppress

from harness import Server, ask, free_port, maas_command, scratch_folder
from report import Report, arguments

MOST_MB, MOST_RATIO = 40.0, 1.5
REQUEST = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
SLOW_HEAD = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + b"a" * 10_000

ECHO = """import maas


@maas.endpoint("/echo")
def echo(text: str) -> str:
    return text
"""


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), 10)


def idle(port: int, server: Server, count: int) -> dict[str, object]:
    """Memory of so many connections that were answered and ask no more."""
    before = server.resident_mb()
    clients = [connect(port) for _ in range(count)]
    for client in clients:
        client.sendall(REQUEST)
        if not client.recv(4096).startswith(b"HTTP/1.1 200"):
            sys.exit("a connection was not answered, so their memory says nothing")
    grown = server.resident_mb() - before
    for client in clients:
        client.close()
    return {"connections": count, "MB": grown, "KB each": 1000 * grown / count}


def attack(port: int, count: int) -> None:
    """Until it is ended: heads at one byte a second, each connection anew when it is cut off."""
    clients: dict[int, tuple[socket.socket, int]] = {}
    while True:
        begun = time.monotonic()
        for i in range(count):
            with suppress(OSError):
                client, sent = clients.get(i) or (connect(port), 0)
                clients[i] = (client, sent + 1)
                try:
                    client.send(SLOW_HEAD[sent : sent + 1], socket.MSG_DONTWAIT)
                except OSError:
                    client.close()
                    del clients[i]
        time.sleep(max(0.0, 1 - (time.monotonic() - begun)))


def latencies(port: int, seconds: float) -> list[float]:
    """Of one client that asks again and again, in milliseconds."""
    found = []
    until = time.monotonic() + seconds
    with connect(port) as client:
        while time.monotonic() < until:
            begun = time.perf_counter()
            client.sendall(REQUEST)
            if not client.recv(4096).startswith(b"HTTP/1.1 200"):
                sys.exit("an ordinary request failed")
            found.append(1000 * (time.perf_counter() - begun))
    return sorted(found)


def slow(port: int, count: int, seconds: float) -> list[dict[str, object]]:
    """Latency of an ordinary client without and with slow ones; the middle of three turns."""
    turns = []
    for _ in range(3):
        quiet = latencies(port, seconds)
        attacker = multiprocessing.get_context("spawn").Process(target=attack, args=(port, count))
        attacker.start()
        time.sleep(12)  # the first have been cut off by then
        busy = latencies(port, seconds)
        attacker.terminate()
        attacker.join()
        p99s = [times[int(0.99 * len(times))] for times in (quiet, busy)]
        turns.append({"p99 (ms)": p99s[0], "p99 beside slow ones (ms)": p99s[1]})
        time.sleep(1)
    return turns


def main() -> int:
    """Idle, slow, judge."""
    parser = arguments(__doc__)
    parser.add_argument("--idle", type=int, default=5000)
    parser.add_argument("--slow", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=10)
    args = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    report = Report("Connections that bring nothing, or too slowly", args)
    with scratch_folder() as folder:
        app, port = pathlib.Path(folder) / "echo.py", free_port()
        app.write_text(ECHO)
        unbounded = ["--max-connections", "8192", "--max-requests-per-connection", "1000000000"]
        command = [*maas_command(args.python, app, port), *unbounded]
        with Server("maas", command, port, log=str(folder / "maas.log")) as server:
            server.wait_ready(lambda: ask(port, "/echo", b'{"text":"hi"}') == (200, b'"hi"'))
            cost = idle(port, server, args.idle)
            report.table("Idle connections", [cost])
            turns = slow(port, args.slow, args.seconds)
            report.table(f"{args.slow} heads at one byte a second", turns)
    report.target("memory of idle connections (MB)", float(str(cost["MB"])), MOST_MB)
    ratios = sorted(
        float(str(t["p99 beside slow ones (ms)"])) / float(str(t["p99 (ms)"])) for t in turns
    )
    report.target("p99 beside slow clients over p99 without", ratios[1], MOST_RATIO)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
