# SPDX-License-Identifier: Apache-2.0
"""Load that does not wait for the server: requests leave on schedule, whatever the answers do.

One thread, non-blocking sockets, epoll. A request that finds no free connection opens another one,
so that a slow server gets more connections and not less load.
"""

import re
import resource
import select
import socket
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

_STATUS = re.compile(rb"HTTP/1\.1 (\d{3})")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_RETRY = re.compile(rb"\r\nretry-after: *([^\r]*)", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
BROKEN, UNANSWERED = 0, -1  # instead of a status


@dataclass(slots=True)
class Answer:
    """One request: when it was due, sent and answered, in seconds from the start of the load."""

    due: float
    sent: float
    done: float = 0.0
    status: int = UNANSWERED
    retry_after: str = ""

    @property
    def latency(self) -> float:
        """Seconds from when it was due."""
        return self.done - self.due


@dataclass(slots=True, eq=False)
class _Line:
    """One connection and the request on it."""

    socket: socket.socket
    answer: Answer | None = None
    received: bytes = b""
    unsent: bytes = field(default=b"", repr=False)


def raise_file_limit() -> None:
    """As many open sockets as this process, and servers that it starts, may have."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def evenly(per_second: float, seconds: float, start: float = 0.0) -> list[float]:
    """When requests are due that arrive at a constant rate."""
    return [start + i / per_second for i in range(int(per_second * seconds))]


class Loader:
    """Sends one request again and again to a port of 127.0.0.1."""

    def __init__(self, port: int, request: bytes, most_connections: int = 4000) -> None:
        """No connection yet."""
        self._port, self._request, self._most = port, request, most_connections
        self._epoll = select.epoll()
        self._lines: dict[int, _Line] = {}
        self._free: list[_Line] = []
        self._start = 0.0
        self._answers: list[Answer] = []
        self.most_open = 0  # connections at once

    def __enter__(self) -> "Loader":
        """For a `with` block, at whose end all connections are closed."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close them."""
        for line in self._lines.values():
            line.socket.close()
        self._epoll.close()

    def open_loop(self, schedule: Sequence[float], grace_s: float = 5) -> list[Answer]:
        """A request at each second of the schedule; answers are awaited `grace_s` beyond."""
        self._begin()
        total, sent, end = len(schedule), 0, schedule[-1] + grace_s
        while (now := self._now()) < end:
            if sent < total and now >= schedule[sent]:
                self._send(schedule[sent])
                sent += 1
                continue
            if sent == total and self._flying() == 0:
                break
            self._read(max(0.0, (schedule[sent] if sent < total else end) - now))
        return self._end()

    def closed_loop(self, connections: int, seconds: float) -> list[Answer]:
        """`connections` requests at any time, each answer followed by another request."""
        self._begin()
        while (now := self._now()) < seconds:
            if self._flying() < connections:
                self._send(now)
            else:
                self._read(seconds - now)
        while self._flying() and self._now() < seconds + 5:
            self._read(0.1)
        return self._end()

    def _now(self) -> float:
        return time.perf_counter() - self._start

    def _flying(self) -> int:
        return len(self._lines) - len(self._free)

    def _begin(self) -> None:
        self._start, self._answers = time.perf_counter(), []

    def _end(self) -> list[Answer]:
        for line in [line for line in self._lines.values() if line.answer is not None]:
            self._drop(line)
        return self._answers

    def _connected(self) -> _Line | None:
        if self._free:
            return self._free.pop()
        if len(self._lines) >= self._most:
            return None
        made = socket.socket()
        made.setblocking(False)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.connect_ex(("127.0.0.1", self._port))
        line = _Line(made)
        self._lines[made.fileno()] = line
        self.most_open = max(self.most_open, len(self._lines))
        self._epoll.register(made.fileno(), select.EPOLLIN)
        return line

    def _send(self, due: float) -> None:
        answer = Answer(due, self._now())
        self._answers.append(answer)
        line = self._connected()
        if line is None:
            answer.done, answer.status = answer.sent, BROKEN
            return
        line.answer, line.unsent = answer, self._request
        self._write(line)

    def _write(self, line: _Line) -> None:
        try:
            line.unsent = line.unsent[line.socket.send(line.unsent) :]
        except BlockingIOError:
            pass
        except OSError:
            self._fail(line)
            return
        wanted = select.EPOLLIN | (select.EPOLLOUT if line.unsent else 0)
        self._epoll.modify(line.socket.fileno(), wanted)

    def _read(self, timeout: float) -> None:
        for number, events in self._epoll.poll(timeout):
            line = self._lines[number]
            if events & select.EPOLLOUT and line.unsent:
                self._write(line)
            elif events & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR):
                self._receive(line)

    def _receive(self, line: _Line) -> None:
        try:
            piece = line.socket.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if not piece:
            self._fail(line)
            return
        line.received += piece
        end = line.received.find(b"\r\n\r\n")
        length = _LENGTH.search(line.received, 0, end + 2) if end >= 0 else None
        if length is not None and len(line.received) >= end + 4 + int(length[1]):
            self._answered(line, line.received[: end + 2])

    def _answered(self, line: _Line, head: bytes) -> None:
        status, retry = _STATUS.match(head), _RETRY.search(head)
        if line.answer is not None:
            line.answer.done = self._now()
            line.answer.status = int(status[1]) if status else BROKEN
            line.answer.retry_after = retry[1].decode() if retry else ""
        line.answer, line.received = None, b""
        if _CLOSE.search(head):
            self._drop(line)
        else:
            self._free.append(line)

    def _fail(self, line: _Line) -> None:
        if line.answer is not None:
            line.answer.done, line.answer.status = self._now(), BROKEN
        self._drop(line)

    def _drop(self, line: _Line) -> None:
        del self._lines[line.socket.fileno()]
        if line in self._free:
            self._free.remove(line)
        line.socket.close()


def with_status(answers: Iterable[Answer], *statuses: int) -> list[Answer]:
    """Those that were answered so."""
    return [answer for answer in answers if answer.status in statuses]
