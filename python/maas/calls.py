# SPDX-License-Identifier: Apache-2.0
"""Calls of the core's models by code of this process: on whose behalf, waiting or awaited.

A call of a handler takes its values along by reference: the core carries its number, and the
adapter of the handler finds here what belongs to it.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from maas.context import caller
from maas.errors import from_core

if TYPE_CHECKING:
    import asyncio

    from maas import _core

T = TypeVar("T")


class LocalCall:
    """One call of a handler on its way: its arguments by name, and what the handler returned."""

    __slots__ = ("arguments", "number", "result")

    def __init__(self, arguments: dict[str, Any]) -> None:
        self.arguments = arguments
        self.result: Any = None
        self.number = next(_numbers)


_numbers = itertools.count(1)
# Those that somebody waits for, by number.
_waiting: dict[int, LocalCall] = {}


def waiting(number: int) -> LocalCall | None:
    """The call of this number; None when nobody waits for it any more."""
    return _waiting.get(number)


def run(
    core: _core.Model,
    inputs: Sequence[_core.Tensor],
    timeout_s: float,
    local: LocalCall | None = None,
) -> list[_core.Tensor]:
    """The outputs; this thread waits for them."""
    from maas import _core

    number = _expect(local)
    try:
        return core.run(inputs, timeout_s, caller.get(), number)
    except _core.CoreError as error:
        raise from_core(error) from None
    finally:
        _waiting.pop(number, None)


def submit(  # noqa: PLR0913 - a call, and what becomes of it
    loop: asyncio.AbstractEventLoop,
    core: _core.Model,
    inputs: Sequence[_core.Tensor],
    timeout_s: float,
    finished: Callable[[list[_core.Tensor]], T],
    local: LocalCall | None = None,
) -> asyncio.Future[T]:
    """A future of this loop for what `finished` makes of the outputs."""
    future: asyncio.Future[T] = loop.create_future()
    number = _expect(local)

    def finish(outputs: list[_core.Tensor] | None, error: Exception | None) -> None:
        _waiting.pop(number, None)
        if future.cancelled():
            return
        if error is not None or outputs is None:
            future.set_exception(from_core(error or RuntimeError("no outputs")))
            return
        try:
            future.set_result(finished(outputs))
        except Exception as raised:
            future.set_exception(raised)

    def done(outputs: list[_core.Tensor] | None, error: Exception | None) -> None:
        loop.call_soon_threadsafe(finish, outputs, error)

    try:
        core.submit(inputs, timeout_s, done, caller.get(), number)
    except BaseException:  # then `done` is never called
        _waiting.pop(number, None)
        raise
    return future


def running_loop() -> asyncio.AbstractEventLoop | None:
    """The event loop that runs on this thread."""
    # Without asyncio in the process no loop can run, and it need not be imported to know.
    module = sys.modules.get("asyncio")
    if module is None:
        return None
    loop: asyncio.AbstractEventLoop | None = module._get_running_loop()
    return loop


def _expect(local: LocalCall | None) -> int:
    if local is None:
        return 0
    _waiting[local.number] = local
    return local.number
