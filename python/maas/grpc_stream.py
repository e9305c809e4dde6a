# SPDX-License-Identifier: Apache-2.0
"""ModelStreamInfer: requests of one stream run side by side and are answered in their order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from maas.grpc_calls import Answer, error_of
from maas.grpc_messages import message_class

# Requests of one stream that are under way at once; the next is read when one is answered.
MOST_REQUESTS = 64


class Stream:
    """One stream, on one event loop. What it holds is bounded in number and in bytes.

    Those count from the request until its answer is sent: a client that reads slowly, or not at
    all, is asked for no more.
    """

    def __init__(
        self,
        messages: AsyncIterator[bytes],
        infer: Callable[[bytes], Awaitable[Answer]],
        most_bytes: int,
    ) -> None:
        self._messages = messages
        self._infer = infer
        self._most_bytes = most_bytes
        self._begun: asyncio.Queue[asyncio.Task[bytes] | None] = asyncio.Queue()
        self._room = asyncio.Event()
        self._count = 0
        self._bytes = 0
        self._reader: asyncio.Task[None] | None = None
        self.is_cut = False  # its client would have asked for more

    async def items(self) -> AsyncIterator[bytes]:
        """The answers, each a ModelStreamInferResponse; one that failed does not end them."""
        self._reader = asyncio.ensure_future(self._read())
        try:
            while (work := await self._begun.get()) is not None:
                item = await work
                yield item
                self._bytes -= len(item)
                self._count -= 1
                self._room.set()
        finally:
            self._reader.cancel()
            while not self._begun.empty():
                if (left := self._begun.get_nowait()) is not None:
                    left.cancel()

    def end(self) -> None:
        """Takes no more requests; those that are under way are answered."""
        if self._reader is not None and not self._reader.done():
            self.is_cut = True
            self._reader.cancel()

    async def _read(self) -> None:
        try:
            async for message in self._messages:
                while self._count and not self._has_room(len(message)):
                    self._room.clear()
                    await self._room.wait()
                self._count += 1
                self._bytes += len(message)
                self._begun.put_nowait(asyncio.ensure_future(self._answer(message)))
                del message
        finally:
            self._begun.put_nowait(None)

    def _has_room(self, size: int) -> bool:
        return self._count < MOST_REQUESTS and self._bytes + size <= self._most_bytes

    async def _answer(self, message: bytes) -> bytes:
        status, _, body = await self._infer(message)
        item = _of_stream(body) if status == 200 else _error(message, body)
        self._bytes += len(item) - len(message)
        return item


def _of_stream(body: bytes) -> bytes:
    """A ModelStreamInferResponse around the core's answer, without reading that."""
    size, head = len(body), bytearray(b"\x12")  # field 2, a message
    while size >= 0x80:
        head.append(size & 0x7F | 0x80)
        size >>= 7
    head.append(size)
    return bytes(head) + body


def _error(message: bytes, body: bytes) -> bytes:
    from google.protobuf.message import DecodeError

    try:
        wanted = message_class("ModelInferRequest").FromString(message).id
    except DecodeError:
        wanted = ""
    failed = message_class("ModelStreamInferResponse")(error_message=error_of(body))
    failed.infer_response.id = wanted
    written: bytes = failed.SerializeToString()
    return written
