"""One stream of inferences, with requests that are answered when the test says so."""

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import pytest

from maas.grpc_calls import Answer
from maas.grpc_messages import message_class
from maas.grpc_stream import MOST_REQUESTS, Stream


def request(name: str) -> bytes:
    made: bytes = message_class("ModelInferRequest")(id=name).SerializeToString()
    return made


def ids(items: list[bytes]) -> list[str]:
    read = message_class("ModelStreamInferResponse").FromString
    return [read(item).infer_response.id for item in items]


class Requests:
    """Messages, and how many of them were asked for."""

    def __init__(self, messages: list[bytes]) -> None:
        self.messages = messages
        self.read = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for message in self.messages:
            self.read += 1
            yield message


async def echo(message: bytes) -> Answer:
    return 200, [], message


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(work, 30))


async def settled() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


def test_answers_come_in_the_order_of_the_requests() -> None:
    async def work() -> list[bytes]:
        gates = {str(i): asyncio.Event() for i in range(5)}

        async def infer(message: bytes) -> Answer:
            await gates[message_class("ModelInferRequest").FromString(message).id].wait()
            return await echo(message)

        stream = Stream(aiter(Requests([request(name) for name in gates])), infer, 10**6)
        for name in reversed(gates):
            gates[name].set()
        return [item async for item in stream.items()]

    assert ids(run(work())) == ["0", "1", "2", "3", "4"]


def test_one_that_fails_is_told_by_its_id_and_the_others_go_on() -> None:
    async def infer(message: bytes) -> Answer:
        if message == request("b"):
            return 400, [], json.dumps({"error": "no"}).encode()
        return await echo(message)

    async def work() -> list[bytes]:
        requests = Requests([request("a"), request("b"), request("c")])
        return [item async for item in Stream(aiter(requests), infer, 10**6).items()]

    items = run(work())
    assert ids(items) == ["a", "b", "c"]
    read = message_class("ModelStreamInferResponse").FromString
    assert [read(item).error_message for item in items] == ["", "no", ""]


def test_a_malformed_request_that_fails_has_no_id() -> None:
    async def infer(message: bytes) -> Answer:
        return 400, [], b'{"error":"malformed"}'

    async def work() -> list[bytes]:
        return [item async for item in Stream(aiter(Requests([b"\x1a\x7f"])), infer, 99).items()]

    assert ids(run(work())) == [""]


@pytest.mark.parametrize(
    ("size", "most_bytes", "expected"), [(2, 10**6, MOST_REQUESTS), (1000, 3500, 3), (9000, 10, 1)]
)
def test_no_more_is_read_than_there_is_room_for(size: int, most_bytes: int, expected: int) -> None:
    async def work() -> None:
        requests = Requests([b"x" * size] * 200)
        items = Stream(aiter(requests), echo, most_bytes).items()
        await anext(items)
        await settled()
        assert requests.read <= expected + 1  # one is read to see that it does not fit
        for _ in range(199):
            await anext(items)
        assert requests.read == 200
        assert [item async for item in items] == []

    run(work())


def test_its_end_lets_what_is_under_way_be_answered() -> None:
    async def work() -> list[bytes]:
        never = asyncio.Event()

        async def messages() -> AsyncIterator[bytes]:
            yield request("a")
            await never.wait()

        stream = Stream(messages(), echo, 10**6)
        items = stream.items()
        found = [await anext(items)]
        stream.end()
        return found + [item async for item in items]

    assert ids(run(work())) == ["a"]


def test_leaving_it_cancels_what_is_under_way() -> None:
    async def work() -> int:
        cancelled = 0

        async def infer(message: bytes) -> Answer:
            nonlocal cancelled
            if message == request("a"):
                return await echo(message)
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled += 1
                raise
            raise AssertionError

        requests = Requests([request("a"), request("b"), request("c")])
        items = Stream(aiter(requests), infer, 10**6).items()
        await anext(items)
        await settled()
        await items.aclose()  # type: ignore[attr-defined]
        await settled()
        return cancelled

    assert run(work()) == 2
