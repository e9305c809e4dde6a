# SPDX-License-Identifier: Apache-2.0
"""The engine of this process and the event loop of its `async def` handlers, made when needed.

A model that is loaded in a file needs an engine before any server exists, so a process has one
by default. It is configured once, before its first use; servers and tests may bring their own.
"""

from __future__ import annotations

import atexit
import itertools
import logging
import os
import sys
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, NoReturn

from maas import config, logs
from maas.errors import InvalidArgumentError, from_core

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from maas import _core

_EXECUTION = ("cores", "io_threads", "executors", "intra_op_threads", "max_held_bytes")


class LoopWatch:
    """What threads of the core tell the event loop, without the GIL: number to action."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        from maas import _core

        self.loop = loop
        self.events = _core.LoopEvents()
        self._actions: dict[int, Callable[[], None]] = {}
        self._numbers = itertools.count()
        loop.call_soon_threadsafe(loop.add_reader, self.events.fileno(), self._read)

    def add(self, action: Callable[[], None]) -> int:
        """The number that calls `action` on the loop; the loop's own thread adds and removes."""
        number = next(self._numbers)
        self._actions[number] = action
        return number

    def remove(self, number: int) -> None:
        """Whoever still tells that number is not heard."""
        self._actions.pop(number, None)

    def _read(self) -> None:
        for number in dict.fromkeys(self.events.take()):
            if (action := self._actions.get(number)) is not None:
                action()


class LoopCalls:
    """Calls for the event loop, from any thread; those that come together wake it once."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self._woken = False

    def soon(self, call: Callable[..., object], *arguments: Any) -> None:
        """Makes the call on the loop."""
        self._waiting.append((call, arguments))
        if not self._woken:  # set before the loop looks, so no call is ever left behind
            self._woken = True
            self._loop.call_soon_threadsafe(self._make)

    def _make(self) -> None:
        self._woken = False
        while self._waiting:
            call, arguments = self._waiting.popleft()
            call(*arguments)


class _Process:
    """What this process has one of; every field is guarded by `lock`."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.settings: config.Settings | None = None
        self.engine: _core.Engine | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self.loop_watch: LoopWatch | None = None
        self.loop_calls: LoopCalls | None = None
        self.at_exit: list[Callable[[], None]] = []
        self.is_worker = False


_process = _Process()


def configure(settings: config.Settings) -> None:
    """Sets what the default engine is made from; too late once it exists with other values."""
    with _process.lock:
        if _process.engine is not None and _execution(settings) != _execution(current_settings()):
            raise InvalidArgumentError(
                "the engine of this process runs already; set "
                f"{', '.join(_EXECUTION)} before the first model is loaded"
            )
        _process.settings = settings


def current_settings() -> config.Settings:
    """The settings of this process: those configured, else environment, maas.yaml, defaults."""
    with _process.lock:
        if _process.settings is None:
            _process.settings = config.load().settings
        return _process.settings


def default() -> _core.Engine:
    """The engine that this process's models share, made at the first call."""
    with _process.lock:
        if _process.engine is None:
            _process.engine = make(current_settings())
            atexit.register(_close)
        return _process.engine


def make(settings: config.Settings, *, manual_clock: bool = False) -> _core.Engine:
    """A new engine; with a manual clock, time passes only by `advance`."""
    from maas import _core

    try:
        return _core.Engine(
            cores=settings.cores,
            io_threads=settings.io_threads,
            executors=settings.executors,
            intra_op_threads=settings.intra_op_threads,
            max_held_bytes=settings.max_held_bytes,
            manual_clock=manual_clock,
            log=logs.core_sink,
        )
    except _core.CoreError as error:
        raise from_core(error) from None


def loop() -> asyncio.AbstractEventLoop:
    """The event loop that runs `async def` handlers, on a thread of its own."""
    import asyncio

    with _process.lock:
        if _process.loop is None:
            made = asyncio.new_event_loop()
            threading.Thread(target=made.run_forever, name="maas-loop", daemon=True).start()
            _process.loop = made
        return _process.loop


def become_worker(settings: config.Settings) -> None:
    """Makes this process a worker of another one: it serves nothing itself."""
    with _process.lock:
        _process.settings = settings
        _process.is_worker = True


def check_that_it_may_serve() -> None:
    """Raises an error in a worker, which imports a script whose last line starts a server."""
    with _process.lock:
        if _process.is_worker:
            raise InvalidArgumentError(
                "a worker process imports this file to find the handler, and must not serve it "
                'again; put what starts the server under `if __name__ == "__main__":`'
            )


def loop_calls() -> LoopCalls:
    """Calls for that event loop."""
    with _process.lock:
        if _process.loop_calls is None:
            _process.loop_calls = LoopCalls(loop())
        return _process.loop_calls


def loop_watch() -> LoopWatch:
    """How the core reaches that event loop."""
    with _process.lock:
        if _process.loop_watch is None:
            _process.loop_watch = LoopWatch(loop())
        return _process.loop_watch


def before_exit(action: Callable[[], None]) -> None:
    """Runs `action` at the end of the process, before the engine closes."""
    with _process.lock:
        if action not in _process.at_exit:
            _process.at_exit.append(action)


def not_before_exit(action: Callable[[], None]) -> None:
    """Takes back what `before_exit` was told."""
    with _process.lock:
        if action in _process.at_exit:
            _process.at_exit.remove(action)


def _execution(settings: config.Settings) -> tuple[int, ...]:
    return tuple(getattr(settings, name) for name in _EXECUTION)


def _close() -> None:
    # The threads of the core call into Python: they must be gone before the interpreter is. The
    # lock is free meanwhile, because what they run may ask for the engine.
    with _process.lock:
        actions, made = _process.at_exit[::-1], _process.engine
    for action in actions:
        action()
    if made is not None and not made.close():
        _leave_stuck_handlers()


def _leave_stuck_handlers() -> NoReturn:
    # A handler that never returns holds its thread: the interpreter can neither join nor end it.
    logs.logger.warning("a handler still runs; the process ends without it")
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)
