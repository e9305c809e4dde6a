# SPDX-License-Identifier: Apache-2.0
"""Adapters: what the core calls for a batch of requests, around a handler written in Python.

All that can be decided once is decided when an adapter is made (validators, readers, encoders);
a request costs the reading of its values, the call, and the encoding of the answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from maas import encoding, engine, media
from maas.calls import LocalCall, waiting
from maas.context import Context, caller, running
from maas.errors import BatchLengthError, CancelledError, Error
from maas.logs import logger
from maas.reading import ArrayReader, TensorReader, Unreadable, reader

if TYPE_CHECKING:
    import asyncio

    from maas import _core
    from maas.endpoint_spec import EndpointSpec
    from maas.schema import Signature

# Code, HTTP status or 0, message, detail; and True when all rows of a call failed together.
Failure = tuple[str, int, str, str] | tuple[str, int, str, str, bool]
Answer = bytes | tuple[bytes, str] | Failure
Columns = Sequence[Any]
# The ids of a batch's requests; what tells the ids and more when the signature asks_origin, and for
# a call by code of this process.
Requests = Sequence["str | _core.RequestInfo"]

FAILED: Failure = ("internal", 0, "internal error", "")


Locals = Mapping[int, LocalCall]
_NO_LOCALS: Locals = {}


class Call:
    """One call of the handler: the rows of the batch that it answers, and its arguments."""

    __slots__ = ("accepts", "arguments", "locals", "rows")

    def __init__(
        self, rows: list[int], arguments: dict[str, Any], local: Locals = _NO_LOCALS
    ) -> None:
        self.rows = rows
        self.arguments = arguments
        self.locals = local  # by row: those that code of this process asked
        # What each row wants as its answer, where that is the client's choice.
        self.accepts: list[str] = [""] * len(rows)


class Adapter:
    """Between the columns of a batch and the handler's calls; constant, used by any thread."""

    def __init__(self, spec: EndpointSpec, signature: Signature) -> None:
        self.name = spec.name
        self.function = spec.function
        self.running = getattr(spec.function, "__func__", spec.function)
        self.batched = spec.max_batch_size > 1
        self.streaming = signature.streaming
        self.context = signature.context
        self.asks_origin = signature.asks_origin
        self.chooses = len(signature.gives) > 1
        media_types = [item.media for item in (*signature.parameters, signature.result) if item]
        self.decodes = any(item is not None and item.decodes for item in media_types)
        self.readers = [(p.name, reader(p)) for p in signature.parameters]

    def ids(self, requests: Requests) -> list[str]:
        """The request ids."""
        return [request if isinstance(request, str) else request.id for request in requests]

    def calls(self, columns: Columns, requests: Requests, answers: list[Any]) -> list[Call]:
        """The calls that answer a batch; rows that cannot be read are answered at once."""
        made = self._calls(columns, answers, self._locals(requests, answers))
        if self.asks_origin:
            for call in made:
                contexts = [Context(requests[row]) for row in call.rows]  # type: ignore[arg-type] # see Requests
                if self.context is not None:
                    call.arguments[self.context] = contexts if self.batched else contexts[0]
                if self.chooses:
                    call.accepts = [context.headers.get("accept", "") for context in contexts]
        return made

    def _locals(self, requests: Requests, answers: list[Any]) -> Locals:
        """The calls by code of this process; a row that nobody waits for any more is answered."""
        found: dict[int, LocalCall] = {}
        for row, request in enumerate(requests):
            if isinstance(request, str) or not request.local_call:
                continue
            if (local := waiting(request.local_call)) is None:
                answers[row] = failure(CancelledError("the caller left"))
            else:
                found[row] = local
        return found or _NO_LOCALS

    def _calls(self, columns: Columns, answers: list[Any], local: Locals) -> list[Call]:
        alone = not self.batched and len(answers) == 1 and not local and answers[0] is None
        if alone and (call := self._single(columns)):
            return [call]
        values = [
            read.rows(column) for (_, read), column in zip(self.readers, columns, strict=True)
        ]
        for row, given in local.items():
            for (name, read), column in zip(self.readers, values, strict=True):
                if not isinstance(read, TensorReader):
                    column[row] = given.arguments[name]
        for column in values:
            for row, value in enumerate(column):
                if isinstance(value, Unreadable):
                    answers[row] = _merged(answers[row], value)
        rows = [row for row, answer in enumerate(answers) if answer is None]
        pick = self._many if self.batched else self._one
        return [Call(group, pick(values, group), local) for group in self._groups(rows, values)]

    def accept(self, call: Call, result: Any, ids: Sequence[str], answers: list[Any]) -> None:
        """Encodes what a call returned into the answers of its rows."""
        if not self.batched:
            row = call.rows[0]
            answers[row] = self._encoded(result, ids[row], call.accepts[0], call.locals.get(row))
            return
        try:
            items = self.items(result, call)
        except BatchLengthError as error:
            self.reject(call, error, ids, answers)
            return
        for row, item, accept in zip(call.rows, items, call.accepts, strict=True):
            answers[row] = self._encoded(item, ids[row], accept, call.locals.get(row))

    def reject(
        self, call: Call, error: BaseException, ids: Sequence[str], answers: list[Any]
    ) -> None:
        """Answers the rows of a call that raised; what the handler did not mean is logged.

        The core is told that they failed together: it may run them apart to find whose fault it
        was. A wrong number of items is nobody's: that is a mistake in the code.
        """
        answer = failure(error)
        if answer is FAILED:
            self.log(error, " ".join(ids[row] for row in call.rows))
        if len(call.rows) > 1 and not isinstance(error, BatchLengthError):
            answer = (*answer[:4], True)
        for row in call.rows:
            answers[row] = answer

    def _single(self, columns: Columns) -> Call | None:
        """The call of a lone request, which is most of them; None when it cannot be read."""
        arguments = {}
        for (name, read), column in zip(self.readers, columns, strict=True):
            value = read.rows(column)[0]
            if value.__class__ is Unreadable:
                return None
            arguments[name] = value
        return Call([0], arguments)

    def _one(self, values: list[Any], rows: list[int]) -> dict[str, Any]:
        return {
            name: column[rows[0]] for (name, _), column in zip(self.readers, values, strict=True)
        }

    def _many(self, values: list[Any], rows: list[int]) -> dict[str, Any]:
        return {
            name: read.take(column, rows)
            for (name, read), column in zip(self.readers, values, strict=True)
        }

    def _groups(self, rows: list[int], values: list[Any]) -> list[list[int]]:
        """Rows that fit one call: all of them, unless an array's shape is free."""
        if not self.batched:
            return [[row] for row in rows]
        groups: dict[tuple[Any, ...], list[int]] = {}
        for row in rows:
            key = tuple(
                read.shape(column[row])
                for (_, read), column in zip(self.readers, values, strict=True)
                if isinstance(read, ArrayReader)
            )
            groups.setdefault(key, []).append(row)
        return list(groups.values())

    def _encoded(self, value: Any, request_id: str, accept: str, local: LocalCall | None) -> Answer:
        if isinstance(value, Error):
            return failure(value)
        if local is not None:
            local.result = value
            return b""
        try:
            return encoding.encode(value, accept)
        except Exception as error:
            self.log(error, request_id)
            return FAILED

    def items(self, result: Any, call: Call) -> list[Any]:
        """One item for each row of a call, or a BatchLengthError."""
        whole = isinstance(result, str | bytes | dict) or media.is_table(result)
        if whole or not hasattr(result, "__iter__"):
            items, got = [], f"one {type(result).__name__}"
        else:
            items = list(result)
            got = f"{len(items)} items"
        if len(items) == len(call.rows):
            return items
        verb = "yielded" if self.streaming else "returned"
        wanted = "yields a list of" if self.streaming else "returns"
        raise BatchLengthError(
            f"endpoint {self.name} {verb} {got} for a batch of {len(call.rows)} rows; a batched "
            f"handler {wanted} one item for each row"
        )

    def log(self, error: BaseException, request_ids: str) -> None:
        """Tells what a handler did not mean; its client gets "internal error"."""
        if isinstance(error, BatchLengthError):
            logger.error("%s", error.message, extra={"request_id": request_ids})
            return
        logger.error(
            "endpoint %s failed: %s: %s",
            self.name,
            type(error).__name__,
            error,
            exc_info=error,
            extra={"request_id": request_ids},
        )


def failure(error: BaseException) -> Failure:
    """What the client gets for an exception: what a maas.Error says, else "internal error"."""
    if not isinstance(error, Error) or isinstance(error, BatchLengthError):
        return FAILED
    detail = error.detail
    if error.status == 422 and not detail:
        detail = [{"loc": ["body"], "msg": error.message, "type": "value_error"}]
    return (error.code, error.status, error.message, json.dumps(detail) if detail else "")


def _merged(answer: Answer | None, value: Unreadable) -> Answer:
    """A row's 422 with one more reason: every bad value of a request is named at once."""
    known = json.loads(answer[3]) if isinstance(answer, tuple) and len(answer) == 4 else []
    detail = [*known, *value.detail]
    return ("unprocessable", 0, detail[0]["msg"], json.dumps(detail))


def synchronous(adapter: Adapter) -> Callable[[Columns, Requests], list[Answer]]:
    """The function the core calls on an executor thread for a `def`."""
    function = adapter.function

    def run(columns: Columns, requests: Requests) -> list[Answer]:
        running.set(adapter.running)  # the thread serves no other endpoint
        answers: list[Any] = [None] * len(requests)
        ids = adapter.ids(requests)
        for call in adapter.calls(columns, requests, answers):
            try:
                result = function(**call.arguments)
            except BaseException as error:  # sys.exit() fails one call, not the thread
                adapter.reject(call, error, ids, answers)
            else:
                adapter.accept(call, result, ids, answers)
        return answers

    return run


def asynchronous(adapter: Adapter) -> Callable[[Columns, Requests, _core.Done], None]:
    """The function the core calls for an `async def`: it hands the batch to the event loop."""
    from asyncio import to_thread

    loop = engine.loop()
    function = adapter.function
    tasks: set[asyncio.Task[None]] = set()

    async def off_loop(step: Callable[..., Any], *arguments: Any) -> Any:
        # An image takes milliseconds to read, in which the loop serves all others.
        return await to_thread(step, *arguments) if adapter.decodes else step(*arguments)

    async def answer(columns: Columns, requests: Requests, done: _core.Done) -> None:
        caller.set(done.caller)
        running.set(adapter.running)
        answers: list[Any] = [FAILED] * len(requests)
        try:
            open_answers: list[Any] = [None] * len(requests)
            ids = adapter.ids(requests)
            made = await off_loop(adapter.calls, columns, requests, open_answers)
            answers = open_answers
            for call in made:
                try:
                    result = await function(**call.arguments)
                except BaseException as error:  # the loop outlives any handler
                    adapter.reject(call, error, ids, answers)
                else:
                    await off_loop(adapter.accept, call, result, ids, answers)
        finally:
            done(answers)

    def start(columns: Columns, requests: Requests, done: _core.Done) -> None:
        task = loop.create_task(answer(columns, requests, done))
        tasks.add(task)  # the loop itself keeps only a weak reference
        task.add_done_callback(tasks.discard)

    soon = engine.loop_calls().soon

    def run(columns: Columns, requests: Requests, done: _core.Done) -> None:
        soon(start, columns, requests, done)

    return run
