# SPDX-License-Identifier: Apache-2.0
"""The Open Inference Protocol over gRPC, on a port of its own: `maas[grpc]`.

The transport is `grpcio`'s server on an event loop in a thread of its own. Bytes of requests go to
the core, which reads the message into tensors and writes the answer's; the loop hears through a
file that an answer is there.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from maas.engine import LoopWatch
from maas.errors import InvalidArgumentError, UnavailableError
from maas.forms import Headers
from maas.grpc_calls import (
    Answer,
    answer_of,
    error_of,
    headers_of,
    infer_headers_of,
    status_of,
    trailers_of,
)
from maas.grpc_methods import INFER, METHODS, STREAM_INFER, Method
from maas.grpc_stream import Stream

if TYPE_CHECKING:
    from maas import _core
    from maas.config import Settings

    Begin = Callable[[str, str, Headers, bytes], _core.PendingCall]

MOST_BYTES = 2**31 - 1  # of a message of Protocol Buffers
# Of a message without tensors, as of the bodies of the operations that they stand for.
MOST_SMALL_BYTES = 64 * 1024
MOST_CALLS_OF_A_CONNECTION = 1000
KEEPALIVE_TIMEOUT_MS = 20_000
RETRY_LATER = (("grpc-retry-pushback-ms", "1000"),)


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
        self._watch: LoopWatch
        self._server: Any = None
        self._thread: threading.Thread | None = None  # while it serves
        self._stopping: Future[bool] | None = None  # once it takes no new calls
        self._streams: set[Stream] = set()
        self._calls = 0  # inferences and streams under way

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
        if self._thread is not None and self._stopping is None:
            self._stopping = asyncio.run_coroutine_threadsafe(self._drain(timeout_s), self._loop)

    def drained(self) -> bool:
        """Waits for what `drain` allowed; False when calls were cut off."""
        return self._stopping is None or self._stopping.result()

    def stop(self) -> None:
        """Ends behind `drain`. Safe to call twice."""
        if self._thread is not None:
            self.drained()
            self._end()

    def _end(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()
            self._loop.close()

    async def _listen(self) -> None:
        settings = self._settings
        idle_ms = max(int(settings.idle_timeout_s * 1000), 1)
        self._watch = LoopWatch(asyncio.get_running_loop())
        self._server = self._grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", min(settings.max_body_bytes, MOST_BYTES)),
                ("grpc.max_send_message_length", -1),
                ("grpc.max_metadata_size", settings.max_header_bytes),
                ("grpc.max_concurrent_streams", MOST_CALLS_OF_A_CONNECTION),
                ("grpc.max_connection_idle_ms", idle_ms),
                ("grpc.keepalive_time_ms", idle_ms),  # finds clients that have gone silently
                ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
                ("grpc.so_reuseport", 0),  # two servers on one port would share its clients
            ],
        )
        self._server.add_generic_rpc_handlers((_Handlers(self),))
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        self.port = self._server.add_insecure_port(f"{host}:{settings.grpc_port}")
        await self._server.start()

    async def _drain(self, timeout_s: float) -> bool:
        idle, start = self._calls == 0, self._loop.time()
        for stream in self._streams:
            stream.end()
        await self._server.stop(timeout_s)
        return idle or self._loop.time() - start < timeout_s

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
        await self._require_room(context)
        with self._counted():
            answer = await self._answer("POST", INFER, infer_headers_of(context), message)
            context.set_trailing_metadata(trailers_of(answer[1]))
            return answer[2] if answer[0] == 200 else await self._fail(context, *answer)

    async def _infer_stream(
        self, messages: AsyncIterator[bytes], context: Any
    ) -> AsyncIterator[bytes]:
        async def infer(message: bytes) -> Answer:
            return await self._answer("POST", INFER, infer_headers_of(context), message)

        await self._require_room(context)
        stream = Stream(messages, infer, self._settings.max_body_bytes)
        self._streams.add(stream)
        try:
            with self._counted():
                async for item in stream.items():
                    yield item
        finally:
            self._streams.discard(stream)
        if stream.is_cut:
            await self._abort(context, "UNAVAILABLE", "the server is shutting down")

    async def _operate(self, method: Method, message: bytes, context: Any) -> bytes:
        if len(message) > MOST_SMALL_BYTES:
            what = f"a message of this method is at most {MOST_SMALL_BYTES} bytes"
            await self._abort(context, "RESOURCE_EXHAUSTED", what)
        try:
            verb, path, body = method.read(message)
        except ValueError as error:
            return await self._abort(context, "INVALID_ARGUMENT", str(error))
        answer = await self._answer(verb, path, headers_of(context), body)
        made = method.write(answer[0], answer[2])
        return await self._fail(context, *answer) if made is None else made

    async def _answer(self, verb: str, path: str, headers: Headers, body: bytes) -> Answer:
        return await answer_of(self._begin(verb, path, headers, body), self._watch)

    async def _require_room(self, context: Any) -> None:
        if self._calls >= self._settings.max_connections:
            what = f"the server has {self._calls} calls under way; try again later"
            await self._abort(context, "UNAVAILABLE", what, RETRY_LATER)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self._calls += 1
        try:
            yield
        finally:
            self._calls -= 1

    async def _fail(self, context: Any, status: int, headers: Headers, body: bytes) -> bytes:
        return await self._abort(context, status_of(status), error_of(body), trailers_of(headers))

    async def _abort(
        self, context: Any, status: str, text: str, trailers: tuple[tuple[str, str], ...] = ()
    ) -> bytes:
        code = getattr(self._grpc.StatusCode, status)
        return await context.abort(code, text, trailers)  # type: ignore[no-any-return]


class _Handlers:
    """What `grpcio` asks for the handler of each call."""

    def __init__(self, server: GrpcServer) -> None:
        self._server = server

    def service(self, details: Any) -> Any:
        return self._server.handler_of(details.method)
