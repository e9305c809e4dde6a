# SPDX-License-Identifier: Apache-2.0
"""What runs once around the serving of a target: on_startup, on_shutdown, and who runs them.

Startups run in the order of their definition, before the first request; shutdowns run in reverse,
after the last. `async` ones run on the loop of the `async def` handlers.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from maas import engine
from maas.errors import InvalidArgumentError, TargetError
from maas.logs import logger

F = TypeVar("F", bound=Callable[..., Any])

_RECORD = "__maas_hook__"
# Of one hook: a shutdown that hangs must not keep a process alive for ever.
SHUTDOWN_TIMEOUT_S = 10.0
_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Hooks:
    """What a target wants to be run; equal hooks are the same objects."""

    startup: tuple[Callable[[], Any], ...] = ()
    shutdown: tuple[Callable[[], Any], ...] = ()  # in the order in which they run
    health: tuple[tuple[str, Callable[[], Any]], ...] = ()  # by the name of their service

    def __add__(self, other: Hooks) -> Hooks:
        return Hooks(
            _distinct(self.startup + other.startup),
            _distinct(other.shutdown + self.shutdown),
            _distinct(self.health + other.health),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Teardown:
    """Undoes `setup`, which is then called again when the instance is served again."""

    instance: Any
    mark: str  # the attribute that says that it is set up

    def __call__(self) -> Any:
        """What `teardown` gives."""
        setattr(self.instance, self.mark, False)
        return self.instance.teardown()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Teardown) and other.instance is self.instance

    def __hash__(self) -> int:
        return id(self.instance)


def on_startup(function: F) -> F:
    """Runs a function without parameters once, before what is published takes requests.

    What it raises fails the publication: a server does not start, and on `--reload` the old
    version goes on. A method of a service may be decorated too; it runs after `setup()`.
    """
    return _recorded(function, "startup")


def on_shutdown(function: F) -> F:
    """Runs a function without parameters once, after the last request of what was published.

    That is when the server stops, and when another version has replaced this one.
    """
    return _recorded(function, "shutdown")


def hook_of(thing: object) -> str:
    """Either "startup" or "shutdown"; "" for what is no hook."""
    function = getattr(thing, "__func__", thing) if inspect.ismethod(thing) else thing
    recorded = inspect.getattr_static(function, _RECORD, "")
    return recorded if isinstance(recorded, str) and callable(thing) else ""


def hooks_from(functions: list[Callable[[], Any]]) -> Hooks:
    """The hooks among functions that are given in the order of their definition."""
    return Hooks(
        startup=tuple(item for item in functions if hook_of(item) == "startup"),
        shutdown=tuple(item for item in reversed(functions) if hook_of(item) == "shutdown"),
    )


def start(hooks: Hooks) -> None:
    """Runs the startups; the first that raises ends it with a TargetError."""
    for function in hooks.startup:
        try:
            call(function)
        except Exception as error:
            raise TargetError(
                f"on_startup {_named(function)} failed: {type(error).__name__}: {error}"
            ) from error


def stop(hooks: Hooks) -> None:
    """Runs the shutdowns, each within SHUTDOWN_TIMEOUT_S; what they raise is logged."""
    for function in hooks.shutdown:
        if not _bounded(function, SHUTDOWN_TIMEOUT_S):
            logger.warning(
                "on_shutdown %s still runs after %g s; going on without it",
                _named(function),
                SHUTDOWN_TIMEOUT_S,
            )


def retire(hooks: Hooks, is_idle: Callable[[], bool]) -> threading.Thread | None:
    """Runs the shutdowns of what was replaced as soon as its last request is answered."""
    if not hooks.shutdown:
        return None

    def run() -> None:
        waiting = threading.Event()
        while not is_idle():
            waiting.wait(_POLL_S)
        stop(hooks)

    thread = threading.Thread(target=run, name="maas-retire", daemon=True)
    thread.start()
    return thread


def call(function: Callable[[], Any], timeout_s: float | None = None) -> Any:
    """What a function, or the coroutine that it gives, returns."""
    result = function()
    if not inspect.iscoroutine(result):
        return result
    import asyncio

    return asyncio.run_coroutine_threadsafe(result, engine.loop()).result(timeout_s)


def _recorded(function: F, kind: str) -> F:
    if isinstance(function, type) or not callable(function):
        raise InvalidArgumentError(f"@maas.on_{kind} decorates a function, not {function!r}")
    if hook_of(function):
        raise InvalidArgumentError(
            f"{_named(function)} is decorated with @maas.on_{hook_of(function)} already"
        )
    needed = [
        item.name
        for item in inspect.signature(function).parameters.values()
        if item.default is item.empty
        and item.kind not in (item.VAR_POSITIONAL, item.VAR_KEYWORD)
        and item.name != "self"
    ]
    if needed:
        raise InvalidArgumentError(
            f"on_{kind} {_named(function)} is called without arguments; remove {needed[0]!r}, or "
            "give it a default"
        )
    function.__maas_hook__ = kind  # type: ignore[attr-defined]
    return function


def _bounded(function: Callable[[], Any], timeout_s: float) -> bool:
    """Calls it on a thread of its own; False when it has not ended in time."""

    def run() -> None:
        try:
            call(function)
        except Exception as error:
            logger.error(
                "on_shutdown %s failed: %s: %s",
                _named(function),
                type(error).__name__,
                error,
                exc_info=error,
            )

    thread = threading.Thread(target=run, name="maas-shutdown", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # the interpreter goes down and makes no threads any more
        run()
        return True
    thread.join(timeout_s)
    return not thread.is_alive()


def _named(function: Any) -> str:
    """Name, file and line."""
    name = getattr(function, "__qualname__", type(function).__name__).replace("<locals>.", "")
    code = getattr(inspect.unwrap(function), "__code__", None)
    return f"{name} ({code.co_filename}:{code.co_firstlineno})" if code else name


def _distinct(items: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(item for index, item in enumerate(items) if item not in items[:index])
