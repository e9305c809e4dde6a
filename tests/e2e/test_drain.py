"""A server that is told to end answers what it accepted, within its limit, and loses nothing."""

import http.client
import json
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from server_process import Process

APP = """
import asyncio
import maas

@maas.endpoint("/wait", max_concurrency=64, max_queue_size=1000, timeout_s=60)
async def wait(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "done"
"""


class Callers:
    """Clients that have sent their requests, each on a connection of its own."""

    def __init__(self, url: str, count: int, seconds: float) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        self.sockets = [
            socket.create_connection((parts.hostname, parts.port or 80)) for _ in range(count)
        ]
        body = json.dumps({"seconds": seconds}).encode()
        head = (
            "POST /wait HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        for connection in self.sockets:
            connection.sendall(head.encode() + body)

    def statuses(self) -> Counter[int]:
        """Of all answers; waits for them."""
        found: Counter[int] = Counter()
        for connection in self.sockets:
            connection.settimeout(60)
            answer = http.client.HTTPResponse(connection)
            try:
                answer.begin()
                answer.read()
                found[answer.status] += 1
            except (http.client.HTTPException, OSError):
                found[0] += 1
            finally:
                answer.close()
                connection.close()
        return found


def serve_app(serve: Callable[..., Process], folder: Path, *arguments: str) -> Process:
    (folder / "app.py").write_text(APP)
    return serve("app.py", *arguments)


def wait_until(process: Process, running: int, queued: int) -> None:
    """The metrics show so many requests that run and wait."""
    connection = http.client.HTTPConnection(urlsplit(process.url).netloc)
    values: dict[str, float] = {}
    for _ in range(2000):
        connection.request("GET", "/metrics")
        lines = connection.getresponse().read().decode().splitlines()
        values = {line.split("{")[0]: float(line.split()[-1]) for line in lines if "/wait" in line}
        if (
            values.get("maas_queue_depth") == queued
            and values.get("maas_in_flight") == running + queued
        ):
            connection.close()
            return
        time.sleep(0.005)
    raise AssertionError(f"never {running} running and {queued} queued: {values}")


def test_a_signal_loses_none_of_64_running_and_200_queued_requests(
    serve: Callable[..., Process], tmp_path: Path
) -> None:
    process = serve_app(serve, tmp_path)
    kept = http.client.HTTPConnection(urlsplit(process.url).netloc)
    kept.request("GET", "/readyz")
    assert kept.getresponse().read() is not None
    callers = Callers(process.url, 264, 0.5)
    wait_until(process, 64, 200)
    process.send(signal.SIGTERM)
    process.wait_for("finishing what runs")
    signalled = time.monotonic()
    status = 200
    while status == 200 and time.monotonic() - signalled < 5:
        kept.request("GET", "/readyz")
        answer = kept.getresponse()
        answer.read()
        status = answer.status
    assert status == 503
    assert time.monotonic() - signalled < 0.1
    kept.close()
    assert callers.statuses() == {200: 264}
    assert process.exit_code() == 0


def test_what_is_not_answered_at_the_limit_gets_503(
    serve: Callable[..., Process], tmp_path: Path
) -> None:
    process = serve_app(serve, tmp_path, "--drain-timeout-s", "1")
    callers = Callers(process.url, 100, 30)
    wait_until(process, 64, 36)
    started = time.monotonic()
    process.send(signal.SIGTERM)
    assert callers.statuses() == {503: 100}
    assert time.monotonic() - started < 10
    process.exit_code()


def test_requests_of_clients_that_left_are_never_run(
    serve: Callable[..., Process], tmp_path: Path
) -> None:
    process = serve_app(serve, tmp_path)
    running = Callers(process.url, 64, 1.0)
    wait_until(process, 64, 0)
    leaving = Callers(process.url, 50, 0.0)
    staying = Callers(process.url, 10, 0.0)
    wait_until(process, 64, 60)
    for connection in leaving.sockets:
        connection.close()
    wait_until(process, 64, 10)  # while the 64 still run
    answers: list[Counter[int]] = []
    others = threading.Thread(target=lambda: answers.append(running.statuses()))
    others.start()
    assert staying.statuses() == {200: 10}
    others.join()
    assert answers == [{200: 64}]
