# SPDX-License-Identifier: Apache-2.0
"""One call over gRPC as a request without a socket: its head, its answer, its status."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from maas.forms import Headers

if TYPE_CHECKING:
    from maas import _core
    from maas.engine import LoopWatch

Answer = tuple[int, Headers, bytes]

LONGEST_TIMEOUT_S = 86400.0
# Of statuses over HTTP, by "Status codes and their use in gRPC"; see status_of for the others.
STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    406: "INVALID_ARGUMENT",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    413: "RESOURCE_EXHAUSTED",
    415: "INVALID_ARGUMENT",
    422: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def status_of(status: int) -> str:
    """The name of gRPC's status for one of HTTP."""
    return STATUSES.get(status, "FAILED_PRECONDITION" if status < 500 else "INTERNAL")


def headers_of(context: Any) -> Headers:
    """The metadata of a call as the fields of a request, with what time its client has left."""
    headers = [(key, value) for key, value in context.invocation_metadata() if key[-4:] != "-bin"]
    left = context.time_remaining()
    if left is not None and left < LONGEST_TIMEOUT_S:
        headers.append(("x-request-timeout-ms", f"{max(left, 1e-6) * 1000:.3f}"))
    return headers


def infer_headers_of(context: Any) -> Headers:
    """The same for a body that is a message."""
    headers = [item for item in headers_of(context) if item[0] != "content-type"]
    return [("content-type", "application/proto"), *headers]


def trailers_of(headers: Headers) -> tuple[tuple[str, str], ...]:
    """What a client learns besides: the id, and when to come again."""
    found = {name.lower(): value for name, value in headers}
    trailers = [("x-request-id", found["x-request-id"])] if "x-request-id" in found else []
    if "retry-after" in found:  # "Server pushback" of gRPC's retry design
        trailers.append(("grpc-retry-pushback-ms", f"{int(found['retry-after']) * 1000}"))
    return tuple(trailers)


def error_of(body: bytes) -> str:
    """The sentence of an answer that is an error."""
    return str(json.loads(body)["error"])


async def answer_of(call: _core.PendingCall, watch: LoopWatch) -> Answer:
    """Waits for the answer; when it is cancelled, so is the call."""
    return await _Waiting(call, watch).end()


class _Waiting:
    """For one answer, by the loop that the watch tells; its deadline is a timer."""

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
