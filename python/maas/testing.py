# SPDX-License-Identifier: Apache-2.0
"""A client for tests: the whole server without sockets, and time that a test may hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from maas import engine
from maas.client import Caller, answer_of
from maas.errors import DeadlineExceededError, InvalidArgumentError
from maas.event_stream import Chunks
from maas.forms import Headers
from maas.server import Server

if TYPE_CHECKING:
    from maas import _core

# Of real time: how long handlers may compute while a test waits for them.
PATIENCE_S = 10.0


class PendingCall:
    """A call that `TestClient.submit` has made, answered or not."""

    def __init__(self, call: _core.PendingCall, settle: Callable[[], None] | None) -> None:
        self._call = call
        self._settle = settle

    @property
    def done(self) -> bool:
        """Whether it has its answer."""
        return self._call.done()

    def result(self) -> Any:
        """What `call` gives or raises; waits for it.

        With a manual clock it waits only for what needs no time to pass: else it would be for ever.
        """
        if self._settle is not None and not self.done:
            self._settle()
            if not self.done:
                raise InvalidArgumentError(
                    "the call has no answer before time passes; use advance(seconds) first"
                )
        return answer_of(*self._call.wait())

    def cancel(self) -> None:
        """The caller leaves, as a client that closes its connection does."""
        self._call.cancel()


class TestClient(Caller):
    """Calls a target through the real routes: ``maas.TestClient(echo).call("/echo", text="hi")``.

    With `manual_clock=True` it has an engine of its own whose time stands still until `advance`.
    """

    __test__ = False  # pytest takes a class with this name for a test

    def __init__(self, target: object, *, manual_clock: bool = False) -> None:
        settings = engine.current_settings()
        own = engine.make(settings, manual_clock=True) if manual_clock else None
        self._own_engine = own
        self.server = Server(settings=settings, core_engine=own)
        self.server.publish(target)

    def exchange(
        self, method: str, path: str, headers: Headers, body: bytes
    ) -> tuple[int, Headers, bytes]:
        """One request through the server's own routes."""
        return self.server.handle(method, path, headers, body)

    def open(self, path: str, headers: Headers, body: bytes) -> tuple[int, Headers, Chunks]:
        """One request whose body is read as it comes."""
        call = self.server.begin("POST", path, headers, body)
        status, about, body = call.wait()
        return status, about, _Body(call, body)

    def submit(self, path: str, **inputs: Any) -> PendingCall:
        """Makes the same call as `call` does, and does not wait for its answer."""
        call = self.server.begin("POST", path, *self.written(path, inputs))
        return PendingCall(call, self.settle if self._own_engine is not None else None)

    def settle(self) -> None:
        """Waits until nothing more can happen without time passing; with `manual_clock=True`."""
        if not self._manual_engine().settle(PATIENCE_S):
            raise DeadlineExceededError(
                f"a handler or model still runs after {PATIENCE_S:g} s of real time"
            )

    def advance(self, seconds: float) -> None:
        """Lets time pass, after what can happen before and until what it brings has happened."""
        own = self._manual_engine()
        self.settle()
        own.advance(seconds)
        self.settle()

    def close(self) -> None:
        """Ends the server, and the engine if it has its own."""
        self.server.stop()
        if self._own_engine is not None:
            self._own_engine.close()

    def __enter__(self) -> TestClient:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _manual_engine(self) -> _core.Engine:
        if self._own_engine is None:
            raise InvalidArgumentError("time passes by itself; use TestClient(manual_clock=True)")
        return self._own_engine


class _Body:
    """The body of an answer without a socket."""

    def __init__(self, call: _core.PendingCall, begun: bytes) -> None:
        self._call = call
        self._begun = begun

    def __iter__(self) -> Iterator[bytes]:
        if self._begun:
            yield self._begun
        while chunk := self._call.read():
            yield chunk

    def close(self) -> None:
        self._call.cancel()
