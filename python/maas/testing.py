# SPDX-License-Identifier: Apache-2.0
"""A client for tests: the whole server without sockets, and time that a test may hold."""

from __future__ import annotations

from maas import engine
from maas.client import Caller, Headers
from maas.errors import InvalidArgumentError
from maas.server import Server


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

    def advance(self, seconds: float) -> None:
        """Lets time pass; only with `manual_clock=True`."""
        if self._own_engine is None:
            raise InvalidArgumentError("time passes by itself; use TestClient(manual_clock=True)")
        self._own_engine.advance(seconds)

    def close(self) -> None:
        """Ends the server, and the engine if it has its own."""
        self.server.stop()
        if self._own_engine is not None:
            self._own_engine.close()

    def __enter__(self) -> TestClient:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
