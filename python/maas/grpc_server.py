# SPDX-License-Identifier: Apache-2.0
"""The Open Inference Protocol over gRPC, on a port of its own: `maas[grpc]`.

The transport is `grpcio`'s server on an event loop in a thread of its own. Bytes of requests go to
the core, which reads the message into tensors and writes the answer's; the loop hears through a
file that an answer is there.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from maas.engine import LoopWatch
from maas.errors import InvalidArgumentError, UnavailableError
from maas.forms import Headers
from maas.grpc_messages import message_class
from maas.grpc_methods import INFER, METHODS, STREAM_INFER, Method

if TYPE_CHECKING:
    from maas import _core
    from maas.config import Settings

    Begin = Callable[[str, str, Headers, bytes], _core.PendingCall]

Answer = tuple[int, Headers, bytes]

# Requests of one stream that are under way at once; the next is read when one is answered.
MOST_OF_A_STREAM = 64
LONGEST_TIMEOUT_S = 86400.0
MOST_BYTES = 2**31 - 1  # of a message of Protocol Buffers
# Of the protocol's statuses over HTTP; see "Status codes and their use in gRPC".
STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    413: "RESOURCE_EXHAUSTED",
    415: "INVALID_ARGUMENT",
    422: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class GrpcServer:
    """Serves what `begin` answers; any thread may call it."""

    def __init__(self, begin: Begin, settings: Settings) -> None:
        try:
            import grpc.aio
        except ImportError:
            raise InvalidArgumentError(
                "grpc_port needs the package grpcio; install it with: pip install 'maas[grpc]'"
            ) from None
        self.port = settings.grpc_port
        self._begin = begin
        self._settings = settings
        self._grpc = grpc
        self._loop: asyncio.AbstractEventLoop
        self._thread: threading.Thread | None = None  # while it serves
        self._server: Any = None
        self._watch: LoopWatch | None = None
        self._stopping: Future[None] = Future()

    def start(self) -> None:
        """Listens; UnavailableError names the address when it cannot."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="maas-grpc", daemon=True
        )
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        except RuntimeError as error:
            self._end()
            host, port = self._settings.host, self._settings.grpc_port
            raise UnavailableError(f"cannot listen on {host}:{port} for gRPC: {error}") from None

    def drain(self, timeout_s: float) -> None:
        """Takes no new calls from now on, and gives those that run this long; does not wait."""
        if self._thread is not None:
            self._stopping = asyncio.run_coroutine_threadsafe(
                self._server.stop(timeout_s), self._loop
            )

    def stop(self) -> None:
        """Waits for what `drain` allowed, and ends. Safe to call twice."""
        if self._thread is not None:
            self._stopping.result()
            self._end()

    def _end(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()
            self._loop.close()

    async def _listen(self) -> None:
        settings = self._settings
        self._watch = LoopWatch(asyncio.get_running_loop())
        self._server = self._grpc.aio.server(
            maximum_concurrent_rpcs=settings.max_connections,
            options=[
                ("grpc.max_receive_message_length", min(settings.max_body_bytes, MOST_BYTES)),
                ("grpc.max_send_message_length", -1),
                ("grpc.max_metadata_size", settings.max_header_bytes),
                ("grpc.max_connection_idle_ms", max(int(settings.idle_timeout_s * 1000), 1)),
                ("grpc.so_reuseport", 0),  # two servers on one port would share its clients
            ],
        )
        self._server.add_generic_rpc_handlers((_Handlers(self),))
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        self.port = self._server.add_insecure_port(f"{host}:{settings.grpc_port}")
        await self._server.start()

    def handler_of(self, path: str) -> Any:
        """What answers a method; None for one that there is not."""
        grpc = self._grpc
        if path == INFER:
            return grpc.unary_unary_rpc_method_handler(self._infer)
        if path == STREAM_INFER:
            return grpc.stream_stream_rpc_method_handler(self._infer_stream)
        if (method := METHODS.get(path)) is None:
            return None

        async def call(message: bytes, context: Any) -> bytes:
            return await self._operate(method, message, context)

        return grpc.unary_unary_rpc_method_handler(call)

    async def _infer(self, message: bytes, context: Any) -> bytes:
        answer = await self._answer("POST", INFER, _infer_headers(context), message)
        context.set_trailing_metadata(_trailers(answer[1]))
        return answer[2] if answer[0] == 200 else await self._fail(context, *answer)

    async def _infer_stream(
        self, messages: AsyncIterator[bytes], context: Any
    ) -> AsyncIterator[bytes]:
        """Answers in the order of the requests; one that fails does not end the stream."""
        begun: asyncio.Queue[tuple[bytes, asyncio.Task[Answer]] | None] = asyncio.Queue()
        room = asyncio.Semaphore(MOST_OF_A_STREAM)

        async def read() -> None:
            try:
                async for message in messages:
                    await room.acquire()
                    work = self._answer("POST", INFER, _infer_headers(context), message)
                    begun.put_nowait((message, asyncio.ensure_future(work)))
            finally:
                begun.put_nowait(None)

        reader = asyncio.ensure_future(read())
        try:
            while (item := await begun.get()) is not None:
                status, _, body = await item[1]
                room.release()
                yield _of_stream(body) if status == 200 else _stream_error(item[0], body)
        finally:
            reader.cancel()
            while not begun.empty():
                if (left := begun.get_nowait()) is not None:
                    left[1].cancel()

    async def _operate(self, method: Method, message: bytes, context: Any) -> bytes:
        try:
            verb, path, body = method.read(message)
        except ValueError as error:
            status = self._grpc.StatusCode.INVALID_ARGUMENT
            return await context.abort(status, str(error))  # type: ignore[no-any-return]
        answer = await self._answer(verb, path, _headers(context), body)
        made = method.write(answer[0], answer[2])
        return await self._fail(context, *answer) if made is None else made

    async def _answer(self, verb: str, path: str, headers: Headers, body: bytes) -> Answer:
        assert self._watch is not None
        return await _Waiting(self._begin(verb, path, headers, body), self._watch).end()

    async def _fail(self, context: Any, status: int, headers: Headers, body: bytes) -> bytes:
        code = getattr(self._grpc.StatusCode, STATUSES.get(status, "INTERNAL"))
        return await context.abort(code, _error_of(body), _trailers(headers))  # type: ignore[no-any-return]


class _Handlers:
    """What `grpcio` asks for the handler of each call."""

    def __init__(self, server: GrpcServer) -> None:
        self._server = server

    def service(self, details: Any) -> Any:
        return self._server.handler_of(details.method)


class _Waiting:
    """For the answer of one call, by the loop that the watch tells; its deadline is a timer."""

    def __init__(self, call: _core.PendingCall, watch: LoopWatch) -> None:
        self._call = call
        self._watch = watch
        self._answered: asyncio.Future[Answer] = watch.loop.create_future()
        self._timer: asyncio.TimerHandle | None = None
        self._number = watch.add(self._look)
        call.watch(watch.events, self._number)

    async def end(self) -> Answer:
        try:
            self._look()
            return await self._answered
        except asyncio.CancelledError:
            self._call.cancel()
            raise
        finally:
            self._watch.remove(self._number)
            if self._timer is not None:
                self._timer.cancel()

    def _look(self) -> None:
        if self._answered.done():
            return
        if (answer := self._call.poll()) is not None:
            self._answered.set_result(answer)
        elif self._timer is None and (left := self._call.remaining()) is not None:
            self._timer = self._watch.loop.call_later(max(left, 0.001), self._expire)

    def _expire(self) -> None:
        self._timer = None  # another one, should the clock of the core be behind
        self._look()


def _headers(context: Any) -> Headers:
    """The metadata of a call as the fields of a request, with what time its client has left."""
    headers = [(key, value) for key, value in context.invocation_metadata() if key[-4:] != "-bin"]
    left = context.time_remaining()
    if left is not None and left < LONGEST_TIMEOUT_S:
        headers.append(("x-request-timeout-ms", f"{max(left, 1e-6) * 1000:.3f}"))
    return headers


def _infer_headers(context: Any) -> Headers:
    headers = [item for item in _headers(context) if item[0] != "content-type"]
    return [("content-type", "application/proto"), *headers]


def _trailers(headers: Headers) -> tuple[tuple[str, str], ...]:
    found = {name.lower(): value for name, value in headers}
    trailers = [("x-request-id", found["x-request-id"])] if "x-request-id" in found else []
    if "retry-after" in found:  # "Server pushback" of gRPC's retry design
        trailers.append(("grpc-retry-pushback-ms", f"{int(found['retry-after']) * 1000}"))
    return tuple(trailers)


def _error_of(body: bytes) -> str:
    return str(json.loads(body)["error"])


def _of_stream(body: bytes) -> bytes:
    """A ModelStreamInferResponse around the core's answer, without reading that."""
    size, head = len(body), bytearray(b"\x12")  # field 2, a message
    while size >= 0x80:
        head.append(size & 0x7F | 0x80)
        size >>= 7
    head.append(size)
    return bytes(head) + body


def _stream_error(message: bytes, body: bytes) -> bytes:
    from google.protobuf.message import DecodeError

    try:
        wanted = message_class("ModelInferRequest").FromString(message).id
    except DecodeError:
        wanted = ""
    failed = message_class("ModelStreamInferResponse")(error_message=_error_of(body))
    failed.infer_response.id = wanted
    written: bytes = failed.SerializeToString()
    return written
