# SPDX-License-Identifier: Apache-2.0
"""A small HTTP/1.1 client with as little of its own time in a measured latency as Python allows."""

import os
import re
import select
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def post_bytes(path: str, body: bytes) -> bytes:
    """A whole request, head and body."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Connection:
    """One kept-alive connection, one request at a time; used by one thread."""

    def __init__(self, port: int) -> None:
        """Connect to 127.0.0.1."""
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""

    def fileno(self) -> int:
        """For `select`."""
        return self._socket.fileno()

    def send(self, request: bytes) -> None:
        """Write a request; nothing may be outstanding."""
        self._socket.sendall(request)

    def receive(self) -> bytes | None:
        """Read once; the answer's body when it is whole, else None."""
        piece = self._socket.recv(1 << 20)
        if not piece:
            raise ConnectionError("the server closed the connection")
        self._received += piece
        end = self._received.find(b"\r\n\r\n")
        length = _LENGTH.search(self._received, 0, end) if end >= 0 else None
        if length is None or len(self._received) < end + 4 + int(length[1]):
            return None
        answer, self._received = self._received, b""
        if not answer.startswith(b"HTTP/1.1 200 "):
            raise ConnectionError(f"not a 200: {answer[:300]!r}")
        return answer[end + 4 :]

    def ask(self, request: bytes) -> bytes:
        """Send, then wait for the answer's body."""
        self.send(request)
        while (body := self.receive()) is None:
            pass
        return body

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


@dataclass(frozen=True)
class Paced:
    """Seconds from the scheduled to the whole answer, and from the scheduled to the sending."""

    latencies: list[float]
    lateness: list[float]


@contextmanager
def ahead_of_others() -> Iterator[None]:
    """Real-time priority for this thread where it may have it, else nothing.

    A client that waits for a core of a busy machine would count its own delay as the server's.
    """
    first = os.SCHED_FIFO | os.SCHED_RESET_ON_FORK
    with suppress(PermissionError):
        os.sched_setscheduler(0, first, os.sched_param(1))
    try:
        yield
    finally:
        with suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def send_paced(
    connections: Sequence[Connection], request: bytes, per_second: float, seconds: float
) -> Paced:
    """Open loop: request i is due at i / per_second whether or not earlier ones are answered.

    A request that finds all connections taken waits for one, and the wait counts.
    """
    due = [i / per_second for i in range(int(per_second * seconds))]
    free, flying = list(connections), dict[Connection, float]()
    latencies, lateness, start = [], [], time.perf_counter()
    due.reverse()
    while due or flying:
        now = time.perf_counter() - start
        if due and free and now >= due[-1]:
            connection, scheduled = free.pop(), due.pop()
            flying[connection] = scheduled
            lateness.append(now - scheduled)
            connection.send(request)
            continue
        pause = max(0.0, due[-1] - now) if due and free else None
        for connection in select.select(list(flying), [], [], pause)[0]:
            if connection.receive() is not None:
                latencies.append(time.perf_counter() - start - flying.pop(connection))
                free.append(connection)
    return Paced(latencies, lateness)
