# SPDX-License-Identifier: Apache-2.0
"""One HTTP request of a mounted application: scope, receive and send over the core's streams."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any

from maas import engine
from maas.logs import logger

if TYPE_CHECKING:
    import asyncio

    from maas import _core

Message = MutableMapping[str, Any]
Application = Callable[
    [
        MutableMapping[str, Any],
        Callable[[], Awaitable[Message]],
        Callable[[Message], Awaitable[None]],
    ],
    Awaitable[None],
]
Headers = list[tuple[bytes, bytes]]

# What StreamWriter.offer says.
_FULL = 1
# An application that never waits lets others run after so many writes.
_TURN = 32
# The core frames and dates its answers itself.
_NOT_PASSED_ON = {b"transfer-encoding", b"connection", b"keep-alive", b"date", b"upgrade"}
_FAILED = ("internal", 0, "internal error", "")
_GONE = ("cancelled", 0, "the client left", "")


class Request:
    """What the core tells of a request: one column of bytes for each of `COLUMNS`."""

    COLUMNS = ("method", "path", "query", "headers", "version", "client", "body")

    def __init__(self, columns: Sequence[Sequence[bytes]]) -> None:
        method, path, query, headers, version, client, self.body = (c[0] for c in columns)
        self.method = method.decode("ascii")
        self.path = path
        self.query = query
        self.version = version.decode("ascii")
        host, _, port = client.decode("ascii").rpartition(":")
        self.client = (host, int(port)) if host else None
        parts = headers.split(b"\0")[:-1]
        self.headers: Headers = list(zip(parts[::2], parts[1::2], strict=True))

    def header(self, name: bytes) -> bytes:
        """The first of that name, which is in lower case; empty when there is none."""
        return next((value for key, value in self.headers if key == name), b"")

    def scope(self, kind: str, root_path: str, state: dict[str, Any]) -> dict[str, Any]:
        """What HTTP and WebSocket have in common."""
        from urllib.parse import unquote

        return {
            "type": kind,
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": self.version,
            "path": unquote(self.path.decode("ascii")),
            "raw_path": self.path,
            "root_path": root_path,
            "query_string": self.query,
            "headers": self.headers,
            "client": self.client,
            "server": None,
            "state": state.copy(),
        }


class Channel:
    """The writing end of an answer on the event loop, and news of the client."""

    def __init__(self, streams: _core.BatchStreams) -> None:
        self._watch = engine.loop_watch()
        self._streams = streams
        self._waiting: list[asyncio.Future[None]] = []
        self._number = self._watch.add(self._moved)
        self.writer = streams.writers()[0]
        self.writer.watch(self._watch.events, self._number)
        self.reader = streams.readers()[0]
        if self.reader is not None:
            self.reader.watch(self._watch.events, self._number)
        self._writes = 0
        self.begun = False
        self.ended = False

    @property
    def gone(self) -> bool:
        """Whether the client left."""
        return self.writer.closed

    async def moved(self) -> None:
        """Until there is news, which may concern something else."""
        future = self._watch.loop.create_future()
        self._waiting.append(future)
        await future

    def begin(self, status: int, headers: Headers) -> None:
        """Sends the head, with what was written by now."""
        lines = [b"%d" % status, *(b"%b: %b" % item for item in headers)]
        self.begun = True
        self._streams.begin([None], [b"\r\n".join(lines)])

    async def write(self, data: bytes) -> None:
        """Waits while the client is slow."""
        import asyncio

        if data and self.writer.offer(data) == _FULL and self.begun:
            await self.room()
        self._writes += 1
        if self._writes % _TURN == 0:
            await asyncio.sleep(0)

    async def room(self) -> None:
        """Until the client has taken what was written."""
        while self.writer.full:
            await self.moved()

    def end(self) -> None:
        """The answer is complete."""
        self.ended = True
        self.writer.end()
        self._wake()

    def report(self, error: BaseException) -> None:
        """Logs what the application raised, unless the client left it no choice."""
        if self.ended or not self.gone:
            logger.error("a mounted application failed: %r", error, exc_info=error)

    def close(self) -> None:
        """The application has returned: an answer that is not complete fails."""
        self._watch.remove(self._number)
        if not self.begun:
            self._streams.begin([_GONE if self.gone else _FAILED], [b""])
        elif not self.ended:
            self.writer.end(_FAILED)
        self._streams.end()

    def _moved(self) -> None:
        self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)


class HttpExchange:
    """Runs the application for one request."""

    def __init__(self, app: Application, request: Request, channel: Channel) -> None:
        self._app = app
        self._request = request
        self._channel = channel
        self._received = False
        self._start: Message | None = None
        self._left: int | None = None  # bytes of a body whose length was declared

    async def serve(self, root_path: str, state: dict[str, Any]) -> None:
        """To the end of the application."""
        request = self._request
        scope = request.scope("http", root_path, state)
        scope.update(method=request.method, scheme="http")
        try:
            await self._app(scope, self._receive, self._send)
            if not self._channel.ended and not self._channel.gone:
                raise RuntimeError("the application returned before its answer was complete")
        except BaseException as error:  # the loop outlives any application
            self._channel.report(error)
        finally:
            self._channel.close()

    async def _receive(self) -> Message:
        if not self._received:
            self._received = True
            return {"type": "http.request", "body": self._request.body, "more_body": False}
        while not (self._channel.gone or self._channel.ended):
            await self._channel.moved()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.start" and self._start is None:
            self._start = message
        elif kind == "http.response.body" and self._start is not None:
            await self._send_body(bytes(message.get("body", b"")), message.get("more_body", False))
        else:
            raise RuntimeError(f"{kind} is not what the application may send now")

    async def _send_body(self, body: bytes, more: bool) -> None:
        channel = self._channel
        if channel.gone:
            raise OSError("the client left")
        if channel.ended:
            raise RuntimeError("the answer was complete, and nothing may follow")
        headers = [] if channel.begun else self._headers()
        if self._left is not None and self._request.method != "HEAD":
            self._left -= len(body)
            if self._left < 0 or (self._left > 0 and not more):
                raise RuntimeError("the body has another length than the Content-Length says")
        await channel.write(body)
        if not more:
            channel.end()
        if not channel.begun:
            assert self._start is not None
            channel.begin(self._start["status"], headers)
            await channel.room()

    def _headers(self) -> Headers:
        assert self._start is not None
        kept = []
        for name, value in self._start.get("headers", ()):
            key = bytes(name).lower()
            if b"\r" in value or b"\n" in value or b"\r" in name or b"\n" in name:
                raise RuntimeError(f"the header field {name!r} has a line break")
            if key == b"content-length":
                self._left = int(value)
            if key not in _NOT_PASSED_ON:
                kept.append((bytes(name), bytes(value)))
        return kept
