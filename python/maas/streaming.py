# SPDX-License-Identifier: Apache-2.0
"""Adapters for generators: what each step gives goes into the streams of the batch's rows.

A batch is answered behind its first step, so that an error before it is an ordinary answer. From
then on a row's stream ends with the generator, with an error of its own, or when its client
leaves; when all have ended the generator is closed.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any

from maas import encoding, engine
from maas.context import caller, running
from maas.errors import CancelledError, Error
from maas.handler import FAILED, Adapter, Call, Columns, Requests, failure

if TYPE_CHECKING:
    import asyncio

    from maas import _core

# What StreamWriter.offer says.
_FULL, _GONE = 1, 2


class Rows:
    """The rows that one generator answers, and the streams of those that have not ended."""

    def __init__(
        self,
        adapter: Adapter,
        call: Call,
        ids: Sequence[str],
        writers: Sequence[_core.StreamWriter],
    ) -> None:
        self.adapter = adapter
        self.call = call
        self.ids = ids
        self.open = {row: writers[row] for row in call.rows}
        self.full: list[_core.StreamWriter] = []  # to be waited for before the next step

    def put(self, value: Any) -> None:
        """What a step gave: an item for the row, or a list with one or None for each."""
        if not self.adapter.batched:
            self._put(self.call.rows[0], value)
            return
        for row, item in zip(self.call.rows, self.adapter.items(value, self.call), strict=True):
            if row in self.open and item is not None:
                self._put(row, item)
        self.drop_closed()

    def drop_closed(self) -> bool:
        """Forgets the rows whose clients have left; whether any row is left."""
        gone = [row for row, writer in self.open.items() if writer.closed]
        for row in gone:
            del self.open[row]
        return bool(self.open)

    def end(self, error: BaseException | None = None) -> None:
        """Ends the streams of all rows; what the handler did not mean is logged."""
        answer = None if error is None else failure(error)
        if error is not None and answer is FAILED:
            self.adapter.log(error, " ".join(self.ids[row] for row in self.open))
        for writer in self.open.values():
            writer.end(answer)
        self.open.clear()

    def take_full(self) -> list[_core.StreamWriter]:
        """Those that have no room."""
        full, self.full = self.full, []
        return full

    def _put(self, row: int, item: Any) -> None:
        writer = self.open[row]
        if isinstance(item, Error):
            self._end(row, failure(item))
            return
        try:
            text = encoding.to_json(item)
        except Exception as error:
            self.adapter.log(error, self.ids[row])
            self._end(row, FAILED)
            return
        room = writer.offer(text)
        if room == _FULL:
            self.full.append(writer)
        elif room == _GONE:
            del self.open[row]

    def _end(self, row: int, answer: tuple[Any, ...]) -> None:
        self.open.pop(row).end(answer)


def synchronous(adapter: Adapter) -> Callable[[Columns, Requests, _core.BatchStreams], None]:
    """The function the core calls on an executor thread for a `def` that yields."""

    def run(columns: Columns, requests: Requests, streams: _core.BatchStreams) -> None:
        running.set(adapter.running)  # the thread serves no other endpoint
        try:
            answers: list[Any] = [None] * len(requests)
            ids, writers = adapter.ids(requests), streams.writers()
            begun = []
            for call in adapter.calls(columns, requests, answers):
                rows = Rows(adapter, call, ids, writers)
                if (generator := _first(rows, answers)) is not None:
                    begun.append((generator, rows))
            streams.begin(answers)
            while begun:  # one in turn: all of them go on at the pace of the slowest
                begun = [one for one in begun if _step(*one)]
        finally:
            streams.end()

    return run


def _first(rows: Rows, answers: list[Any]) -> Generator[Any] | None:
    """Takes the first step; None when the generator has ended by then."""
    generator: Generator[Any] = rows.adapter.function(**rows.call.arguments)
    try:
        rows.put(next(generator))
    except StopIteration:
        rows.end()
        return None
    except BaseException as error:  # sys.exit() fails one call, not the thread
        rows.adapter.reject(rows.call, error, rows.ids, answers)
        rows.open.clear()
        _close(generator, rows)
        return None
    return generator


def _step(generator: Generator[Any], rows: Rows) -> bool:
    """Takes one more step when all readers have room; False when that was the last."""
    try:
        full = rows.take_full()
        for writer in full:
            writer.wait()
        if not rows.open or (full and not rows.drop_closed()):
            _close(generator, rows)
            return False
        rows.put(next(generator))
    except StopIteration:
        rows.end()
        return False
    except BaseException as error:
        rows.end(error)
        _close(generator, rows)
        return False
    return True


def _close(generator: Generator[Any], rows: Rows) -> None:
    try:
        generator.close()
    except BaseException as error:
        rows.adapter.log(error, " ".join(rows.ids[row] for row in rows.call.rows))


def asynchronous(adapter: Adapter) -> Callable[[Columns, Requests, _core.BatchStreams], None]:
    """The function the core calls for an `async def` that yields."""
    loop = engine.loop()
    watch = engine.loop_watch()
    tasks: set[asyncio.Task[None]] = set()

    def start(columns: Columns, requests: Requests, streams: _core.BatchStreams) -> None:
        task = loop.create_task(_serve(adapter, watch, (columns, requests), streams))
        tasks.add(task)  # the loop itself keeps only a weak reference
        task.add_done_callback(tasks.discard)

    soon = engine.loop_calls().soon

    def run(columns: Columns, requests: Requests, streams: _core.BatchStreams) -> None:
        soon(start, columns, requests, streams)

    return run


async def _serve(
    adapter: Adapter,
    watch: engine.LoopWatch,
    batch: tuple[Columns, Requests],
    streams: _core.BatchStreams,
) -> None:
    import asyncio

    columns, requests = batch
    caller.set(streams.caller)
    running.set(adapter.running)
    try:
        answers: list[Any] = [None] * len(requests)
        ids, writers = adapter.ids(requests), streams.writers()
        drives = [
            _Drive(Rows(adapter, call, ids, writers), watch)
            for call in adapter.calls(columns, requests, answers)
        ]
        await asyncio.gather(*(drive.first(answers) for drive in drives))
        streams.begin(answers)
        await asyncio.gather(*(drive.rest() for drive in drives))
    finally:
        streams.end()


# An asynchronous generator that never waits lets others run after so many steps.
_TURN = 32


class _Drive:
    """One asynchronous generator on its way; lives on the event loop."""

    def __init__(self, rows: Rows, watch: engine.LoopWatch) -> None:
        self._rows = rows
        self._watch = watch
        self._generator: AsyncGenerator[Any] = rows.adapter.function(**rows.call.arguments)
        self._number = watch.add(self._moved)
        self._task: asyncio.Task[Any] | None = None  # while it computes a step
        self._room: asyncio.Future[None] | None = None  # while it waits for a reader
        self._left = False
        self._over = False
        for writer in rows.open.values():
            writer.watch(watch.events, self._number)

    async def first(self, answers: list[Any]) -> None:
        """Takes the first step."""
        rows = self._rows
        try:
            if not rows.drop_closed():
                raise CancelledError("the client left")
            rows.put(await self._next())
        except StopAsyncIteration:
            await self._end()
        except BaseException as error:  # the loop outlives any handler
            rows.adapter.reject(rows.call, self._reason(error), rows.ids, answers)
            rows.open.clear()
            await self._end()

    async def rest(self) -> None:
        """Takes all further steps."""
        import asyncio

        steps, error = 0, None
        try:
            while not self._over:
                if self._rows.full:
                    await self._wait_for_room()
                if not self._rows.open:
                    break
                steps += 1
                if steps % _TURN == 0:
                    await asyncio.sleep(0)
                    if not self._rows.drop_closed():
                        break
                self._rows.put(await self._next())
        except StopAsyncIteration:
            pass
        except BaseException as raised:
            error = self._reason(raised)
        if not self._over:
            await self._end(error)

    async def _next(self) -> Any:
        import asyncio

        self._task = asyncio.current_task()
        try:
            return await anext(self._generator)
        finally:
            self._task = None

    async def _wait_for_room(self) -> None:
        full = self._rows.take_full()
        while any(writer.full for writer in full):
            self._room = self._watch.loop.create_future()
            await self._room
        self._rows.drop_closed()

    def _moved(self) -> None:
        """A reader took something, or has left."""
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
        if self._task is not None and not self._rows.drop_closed():
            self._left = True
            self._task.cancel()  # raised where the generator waits
            self._task = None

    def _reason(self, error: BaseException) -> BaseException:
        return CancelledError("the client left") if self._left else error

    async def _end(self, error: BaseException | None = None) -> None:
        self._over = True
        self._watch.remove(self._number)
        rows = self._rows
        if rows.open or not self._left:
            rows.end(error)
        try:
            await self._generator.aclose()
        except BaseException as raised:
            rows.adapter.log(raised, " ".join(rows.ids[row] for row in rows.call.rows))
