# SPDX-License-Identifier: Apache-2.0
"""One WebSocket of a mounted application: the frames, over the core's two streams of bytes.

RFC 6455 is the library `websockets`' part, without its sockets; `pip install 'maas[websockets]'`.
"""

from __future__ import annotations

import contextlib
from collections import deque
from typing import Any

from maas.asgi_http import Application, Channel, Headers, Message, Request
from maas.logs import logger

MAX_MESSAGE_BYTES = 16 << 20
PING_INTERVAL_S, CLOSE_TIMEOUT_S = 20.0, 10.0
_ABNORMAL, _INVALID_DATA, _FAILED = 1006, 1007, 1011


class WebSocketExchange:
    """Runs the application for one WebSocket."""

    def __init__(self, app: Application, request: Request, channel: Channel) -> None:
        self._app = app
        self._request = request
        self._channel = channel
        self._received: deque[Message] = deque([{"type": "websocket.connect"}])
        self._protocol: Any = None
        self._answer: Any = None  # to the handshake
        self._parts: list[bytes] = []  # of a message in several frames
        self._text = False
        self._asked = False  # for a sign, which has not come
        self._told = False  # the application, that it is over

    async def serve(self, root_path: str, state: dict[str, Any]) -> None:
        """To the end of the application."""
        request, channel = self._request, self._channel
        if not self._shake_hands():
            channel.close()
            return
        wanted = request.header(b"sec-websocket-protocol").decode("latin-1")
        scope = request.scope("websocket", root_path, state)
        scope.update(scheme="ws", subprotocols=[p.strip() for p in wanted.split(",") if p.strip()])
        error: BaseException | None = None
        try:
            await self._app(scope, self._receive, self._send)
        except BaseException as raised:
            error = raised
            channel.report(raised)
        with contextlib.suppress(Exception):  # the client may be gone
            await self._finish(error)
        channel.close()

    def _shake_hands(self) -> bool:
        """Whether the request is a WebSocket's; else it is answered here."""
        try:
            from websockets.server import ServerProtocol
        except ImportError:
            logger.error("WebSockets need a library: pip install 'maas[websockets]'")
            self._reject(501, b"WebSockets are not installed on this server\n")
            return False
        self._protocol = ServerProtocol(max_size=MAX_MESSAGE_BYTES)
        lines = [b"GET %b HTTP/1.1" % self._request.path]
        lines += [b"%b: %b" % item for item in self._request.headers]
        self._protocol.receive_data(b"\r\n".join([*lines, b"", b""]))
        handshakes = self._protocol.events_received()
        if not handshakes:
            self._reject(400, b"the request is no handshake of a WebSocket\n")
            return False
        answer = self._protocol.accept(handshakes[0])
        if answer.status_code != 101:
            kept = [(n.encode(), v.encode()) for n, v in answer.headers.raw_items()]
            dropped = (b"content-length", b"connection", b"date")
            self._reject(
                answer.status_code,
                bytes(answer.body or b""),
                [(n, v) for n, v in kept if n.lower() not in dropped],
            )
            return False
        self._answer = answer
        return True

    def _reject(self, status: int, body: bytes, headers: Headers | None = None) -> None:
        if body:
            self._channel.writer.offer(body)
        self._channel.end()
        self._channel.begin(status, headers or [(b"content-type", b"text/plain")])

    async def _receive(self) -> Message:
        while not self._received:
            if self._told:
                return {"type": "websocket.disconnect", "code": self._code()}
            await self._read()
        return self._received.popleft()

    async def _read(self) -> None:
        """Takes what has come, or waits for it; a client that is silent is asked for a sign."""
        channel, protocol = self._channel, self._protocol
        assert channel.reader is not None
        taken = None if channel.gone else channel.reader.take()
        if taken is None and not channel.gone:
            await self._wait()
            return
        data, over = taken or (b"", True)
        if protocol is not None and data:
            protocol.receive_data(data)
        if protocol is not None and over:
            protocol.receive_eof()
        for frame in protocol.events_received():
            self._take(frame)
        await self._flush()
        if over or protocol.close_rcvd is not None or protocol.parser_exc is not None:
            self._told = True

    async def _wait(self) -> None:
        """For news of the client; one that is silent is asked for a sign, and then given up."""
        import asyncio

        try:
            async with asyncio.timeout(PING_INTERVAL_S):
                await self._channel.moved()
        except TimeoutError:
            if self._asked:
                self._protocol.fail(_FAILED, "no answer to a ping")
                self._told = True
            elif self._channel.begun:
                self._protocol.send_ping(b"maas")
                self._asked = True
            await self._flush()

    def _take(self, frame: Any) -> None:
        from websockets.frames import Opcode

        self._asked = False
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY):
            self._text = frame.opcode is Opcode.TEXT
        elif frame.opcode is not Opcode.CONT:
            return
        self._parts.append(bytes(frame.data))
        if not frame.fin:
            return
        whole, self._parts = b"".join(self._parts), []
        if not self._text:
            self._received.append({"type": "websocket.receive", "bytes": whole})
            return
        try:
            self._received.append({"type": "websocket.receive", "text": whole.decode()})
        except UnicodeDecodeError:
            self._protocol.fail(_INVALID_DATA, "invalid UTF-8")
            self._told = True

    async def _send(self, message: Message) -> None:
        kind, protocol = message["type"], self._protocol
        if kind == "websocket.accept" and not self._channel.begun:
            await self._accept(message)
        elif kind == "websocket.close" and not self._channel.begun:
            self._reject(403, b"")
            self._told = True
        elif kind == "websocket.close":
            if protocol.state.name == "OPEN":
                protocol.send_close(message.get("code", 1000), message.get("reason") or "")
                await self._flush()
        elif kind == "websocket.send" and self._channel.begun:
            if protocol.state.name != "OPEN":
                raise OSError("the client left")
            if message.get("bytes") is not None:
                protocol.send_binary(bytes(message["bytes"]))
            else:
                protocol.send_text(message["text"].encode())
            await self._flush()
        else:
            raise RuntimeError(f"{kind} is not what the application may send now")

    async def _accept(self, message: Message) -> None:
        answer = self._answer
        if message.get("subprotocol"):
            answer.headers["Sec-WebSocket-Protocol"] = message["subprotocol"]
        self._protocol.send_response(answer)
        self._protocol.data_to_send()  # the head, which the core writes
        kept = [
            (name.encode(), value.encode())
            for name, value in answer.headers.raw_items()
            if name.lower() != "date"
        ]
        self._channel.begin(101, [*kept, *message.get("headers", ())])

    async def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                await self._channel.write(data)

    async def _finish(self, error: BaseException | None) -> None:
        """Closes in order, and waits a moment for the client's own close."""
        channel, protocol = self._channel, self._protocol
        if not channel.begun:
            if error is None:
                self._reject(403, b"")
            return
        if protocol.state.name == "OPEN":
            protocol.send_close(_FAILED if error is not None else 1000)
            await self._flush()
        if not self._told:
            import asyncio

            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    while not self._told:
                        await self._read()
        channel.end()

    def _code(self) -> int:
        received = self._protocol.close_rcvd
        return _ABNORMAL if received is None else int(received.code)
