# SPDX-License-Identifier: Apache-2.0
"""Existing applications: an ASGI application answers what lies below a path, on the event loop.

The core reads requests and writes answers as for its own routes; the application's middleware is
on its own paths alone.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from maas import engine
from maas.asgi_http import Application, Channel, HttpExchange, Message, Request
from maas.asgi_websocket import WebSocketExchange
from maas.errors import AlreadyExistsError, InvalidArgumentError, TargetError
from maas.lifecycle import Hooks

if TYPE_CHECKING:
    import asyncio

    from maas import _core

_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*")
_OWN = ("/v2", "/livez", "/readyz", "/metrics", "/docs", "/openapi.json")
COLUMNS = Request.COLUMNS
# Requests and WebSockets at once; each is a coroutine.
MAX_CONCURRENCY = 4096
_STARTUP_S, _SHUTDOWN_S = 60.0, 10.0


class Mount:
    """An ASGI application and the path below which it answers."""

    def __init__(self, path: str, app: Application) -> None:
        given: object = path
        if not isinstance(given, str) or not _PATH.fullmatch(path.rstrip("/")):
            raise InvalidArgumentError(
                f"the path {path!r} of a mount is not like '/app': a slash, then letters, digits "
                "and . _ ~ - /"
            )
        self.path = path.rstrip("/")
        if self.path in _OWN or self.path.startswith("/v2/"):
            raise InvalidArgumentError(
                f"the path {path!r} belongs to the server; mount the application elsewhere"
            )
        if not callable(app):
            raise InvalidArgumentError(
                f"mount {path!r}: {app!r} is no ASGI application; give a FastAPI or Starlette "
                "object, or a function of scope, receive and send"
            )
        self.app = app
        self.lifespan = Lifespan(self)

    @property
    def hooks(self) -> Hooks:
        """What runs around its serving."""
        return Hooks(startup=(self.lifespan.startup,), shutdown=(self.lifespan.shutdown,))

    def __repr__(self) -> str:
        return f"maas.Mount({self.path or '/'!r}, {self.app!r})"


def mount(path: str, app: Application) -> Mount:
    """Serves an ASGI application below a path, beside the models and endpoints of this process.

    ``site = maas.mount("/app", FastAPI())``: found like an endpoint by its name in the module, or
    given as ``maas.Service(mounts=[...])``. Paths that maas serves itself stay maas's; "/" mounts
    everything else.
    """
    return Mount(path, app)


def distinct(mounts: Iterable[Mount]) -> tuple[Mount, ...]:
    """The mounts of one service, each at a path of its own."""
    by_path: dict[str, Mount] = {}
    for item in mounts:
        if not isinstance(item, Mount):
            raise TargetError(f"{item!r} is no mount; use maas.mount(path, app)")
        if by_path.setdefault(item.path, item) is not item:
            raise AlreadyExistsError(
                f"two applications are mounted at {item.path or '/'}; give one another path"
            )
    return tuple(by_path.values())


class Lifespan:
    """The startup and the shutdown of an application; its methods block.

    What replaces a publication may have the same mount, and starts before the other ends: only the
    first startup and the last shutdown reach the application.
    """

    def __init__(self, owner: Mount) -> None:
        self._owner = owner
        self.state: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._users = 0  # guarded by _lock
        self._requests: asyncio.Queue[Message] | None = None
        self._task: asyncio.Task[None] | None = None
        self._answers: dict[str, asyncio.Future[str]] = {}

    def startup(self) -> None:
        """Raises TargetError with the reason when the application does not start."""
        with self._lock:
            failure = "" if self._users else self._run(self._begin(), _STARTUP_S, "startup")
            if failure:
                raise TargetError(f"{self._named()} failed to start: {failure}")
            self._users += 1

    def shutdown(self) -> None:
        """Raises TargetError with the reason when the application fails."""
        with self._lock:
            self._users -= 1
            failure = "" if self._users else self._run(self._finish(), _SHUTDOWN_S, "shutdown")
            if failure:
                raise TargetError(f"{self._named()} failed to shut down: {failure}")

    def _named(self) -> str:
        return f"the application mounted at {self._owner.path or '/'}"

    def _run(self, step: Any, timeout_s: float, name: str) -> str:
        import asyncio

        future = asyncio.run_coroutine_threadsafe(step, engine.loop())
        try:
            return str(future.result(timeout_s))
        except TimeoutError:
            future.cancel()
            return f"{name} took longer than {timeout_s:g} s"

    async def _begin(self) -> str:
        import asyncio

        self._requests = asyncio.Queue()
        self._answers = {name: engine.loop().create_future() for name in ("startup", "shutdown")}
        self._task = engine.loop().create_task(self._serve())
        return await self._ask("startup")

    async def _finish(self) -> str:
        return await self._ask("shutdown")

    async def _ask(self, name: str) -> str:
        assert self._requests is not None
        self._requests.put_nowait({"type": f"lifespan.{name}"})
        return await self._answers[name]

    async def _serve(self) -> None:
        assert self._requests is not None
        scope = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self.state,
        }
        ended = ""
        try:
            await self._owner.app(scope, self._requests.get, self._send)
        except BaseException as error:
            # An application that knows no lifespan may raise before it has answered: it goes on.
            if self._answers["startup"].done():
                ended = f"{type(error).__name__}: {error}"
        for answer in self._answers.values():
            if not answer.done():
                answer.set_result(ended)

    async def _send(self, message: Message) -> None:
        name, _, outcome = message["type"].removeprefix("lifespan.").partition(".")
        answer = self._answers.get(name)
        if answer is not None and not answer.done():
            failed = outcome == "failed"
            lines = str(message.get("message", "")).strip().splitlines()  # often a traceback
            answer.set_result((lines[-1] if lines else "no reason given") if failed else "")


def serve_requests(
    owner: Mount,
) -> Callable[[Sequence[Sequence[bytes]], list[str], _core.BatchStreams], None]:
    """The function the core calls for each request below a mount."""
    loop = engine.loop()
    engine.loop_watch()
    running: set[asyncio.Task[None]] = set()

    def start(columns: Sequence[Sequence[bytes]], streams: _core.BatchStreams) -> None:
        request, channel = Request(columns), Channel(streams)
        kind = WebSocketExchange if channel.reader is not None else HttpExchange
        task = loop.create_task(
            kind(owner.app, request, channel).serve(owner.path, owner.lifespan.state)
        )
        running.add(task)  # the loop itself keeps only a weak reference
        task.add_done_callback(running.discard)

    def run(
        columns: Sequence[Sequence[bytes]], _ids: list[str], streams: _core.BatchStreams
    ) -> None:
        loop.call_soon_threadsafe(start, columns, streams)

    return run
