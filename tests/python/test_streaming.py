# SPDX-License-Identifier: Apache-2.0
import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

import maas

JSON = [("Content-Type", "application/json")]


def items(function: Any, count: int | None = None, /, **fields: Any) -> list[Any]:
    """What a handler streams to one client that takes `count` items and leaves."""
    with maas.TestClient(function) as client:
        found = client.stream(function.__maas_endpoint__.path, **fields)
        if count is None:
            return list(found)
        taken = [next(found) for _ in range(count)]
        found.close()
        return taken


def together(function: Any, *calls: dict[str, Any]) -> list[list[Any]]:
    """What several clients get that ask at once; an error stands as the last item."""
    path = function.__maas_endpoint__.path
    results: list[list[Any]] = [[] for _ in calls]
    with maas.TestClient(function) as client:

        def read(place: int, fields: dict[str, Any]) -> None:
            try:
                for item in client.stream(path, **fields):
                    results[place].append(item)
            except maas.Error as error:
                results[place].append(error)

        threads = [threading.Thread(target=read, args=one) for one in enumerate(calls)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    return results


@maas.endpoint("/count")
def count(to: int) -> Iterator[int]:
    yield from range(to)


@maas.endpoint("/acount")
async def acount(to: int) -> AsyncIterator[int]:
    for i in range(to):
        await asyncio.sleep(0)
        yield i


@pytest.mark.parametrize("function", [count, acount])
@pytest.mark.parametrize("to", [0, 1, 5, 2000])
def test_a_generator_streams_its_items(function: Any, to: int) -> None:
    assert items(function, to=to) == list(range(to))


@pytest.mark.parametrize("function", [count, acount])
def test_wrong_input_is_an_ordinary_422(function: Any) -> None:
    with pytest.raises(maas.UnprocessableError):
        items(function, to="x")


@pytest.mark.parametrize("asynchronous", [False, True])
def test_an_error_before_the_first_item_has_its_status_and_one_behind_it_is_raised_midway(
    asynchronous: bool,
) -> None:
    def steps(good: int) -> Iterator[int]:
        yield from range(good)
        raise maas.Error(409, "no more")

    async def asteps(good: int) -> AsyncIterator[int]:
        for i in steps(good):
            yield i

    function = maas.endpoint("/steps")(asteps if asynchronous else steps)
    with maas.TestClient(function) as client:
        with pytest.raises(maas.AlreadyExistsError, match="no more"):
            client.stream("/steps", good=0)
        found = client.stream("/steps", good=2)
        assert [next(found), next(found)] == [0, 1]
        with pytest.raises(maas.AlreadyExistsError, match="no more"):
            next(found)


def test_what_a_handler_did_not_mean_is_logged_and_told_as_internal(
    caplog: pytest.LogCaptureFixture,
) -> None:
    @maas.endpoint("/broken")
    def broken() -> Iterator[Any]:
        yield 1
        raise ValueError("secret")

    @maas.endpoint("/nojson")
    def nojson() -> Iterator[Any]:
        yield 1
        yield object()

    for function, said in ((broken, "secret"), (nojson, "no JSON form")):
        with caplog.at_level(logging.ERROR), maas.TestClient(function) as client:
            found = client.stream(function.__maas_endpoint__.path)  # type: ignore[attr-defined]
            assert next(found) == 1
            with pytest.raises(maas.InternalError, match="internal error"):
                next(found)
        assert said in caplog.text


def test_frames_ids_types_and_ndjson() -> None:
    @maas.endpoint("/kinds")
    def kinds() -> Iterator[Any]:
        yield {"text": "two\nlines"}
        yield b"\x00\xff"
        yield None

    with maas.TestClient(kinds) as client:
        status, headers, body = client.exchange("POST", "/kinds", JSON, b"{}")
        assert status == 200
        assert ("Content-Type", "text/event-stream") in headers
        assert ("X-Accel-Buffering", "no") in headers
        assert body == (
            b'id: 0\ndata: {"text":"two\\nlines"}\n\nid: 1\ndata: "AP8="\n\nid: 2\ndata: null\n\n'
        )
        accept = [*JSON, ("Accept", "application/x-ndjson")]
        _, headers, body = client.exchange("POST", "/kinds", accept, b"{}")
        assert ("Content-Type", "application/x-ndjson") in headers
        assert body == b'{"text":"two\\nlines"}\n"AP8="\nnull\n'
        status, _, body = client.exchange("POST", "/kinds", [*JSON, ("Accept", "text/html")], b"{}")
        assert status == 406
        assert b"text/event-stream" in body


def test_a_client_that_leaves_closes_a_generator() -> None:
    closed = threading.Event()

    @maas.endpoint("/endless")
    def endless(ctx: maas.Context) -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            assert ctx.cancelled
            closed.set()

    assert items(endless, 3) == [1, 1, 1]
    assert closed.wait(10)


def test_a_client_that_leaves_closes_an_asynchronous_generator_where_it_waits() -> None:
    closed = threading.Event()

    @maas.endpoint("/endless")
    async def endless() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            closed.set()

    assert items(endless, 1) == [1]
    assert closed.wait(10)


def test_a_client_that_leaves_before_the_first_item_closes_an_asynchronous_generator() -> None:
    begun, closed = threading.Event(), threading.Event()

    @maas.endpoint("/never")
    async def never() -> AsyncIterator[int]:
        begun.set()
        try:
            await asyncio.Event().wait()
            yield 1
        finally:
            closed.set()

    with maas.TestClient(never) as client:
        call = client.submit("/never")
        assert begun.wait(10)
        call.cancel()
        assert closed.wait(10)
        while client.server.stats["/never"]["in_flight"]:
            pass  # its task has yet to end


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_reader_that_is_slow_holds_the_generator_up(asynchronous: bool) -> None:
    made = 0

    def steps() -> Iterator[int]:
        nonlocal made
        for i in range(5000):
            made = i
            yield i

    async def asteps() -> AsyncIterator[int]:
        for i in steps():
            yield i

    function = maas.endpoint("/steps")(asteps if asynchronous else steps)
    with maas.TestClient(function) as client:
        behind = 0
        for item in client.stream("/steps"):
            behind = max(behind, made - item)
        # What the stream holds, and as much again in what was taken from it at once.
        assert behind <= 520
        assert made == 4999


def test_hundreds_of_asynchronous_generators_run_at_once() -> None:
    running = 0
    all_run = asyncio.Event()

    @maas.endpoint("/many", max_concurrency=300)
    async def many() -> AsyncIterator[int]:
        nonlocal running
        running += 1
        if running == 200:
            all_run.set()
        yield 1
        await all_run.wait()
        yield 2

    assert together(many, *[{}] * 200) == [[1, 2]] * 200


def test_max_concurrency_bounds_generators_that_run() -> None:
    at_once = most = 0

    @maas.endpoint("/few", max_concurrency=3)
    async def few() -> AsyncIterator[int]:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        for _ in range(5):
            yield 1
            await asyncio.sleep(0.001)
        at_once -= 1

    assert together(few, *[{}] * 20) == [[1] * 5] * 20
    assert most <= 3


@maas.endpoint("/squares", max_batch_size=4, batch_policy="window", batch_timeout_ms=200)
def squares(n: int) -> Iterator[Any]:
    for step in range(max(n)):  # type: ignore[call-overload]
        yield [step if step < wanted else None for wanted in n]  # type: ignore[attr-defined]


@maas.endpoint("/asquares", max_batch_size=4, batch_policy="window", batch_timeout_ms=200)
async def asquares(n: int) -> AsyncIterator[Any]:
    for values in squares(n):
        yield values
        await asyncio.sleep(0)


@pytest.mark.parametrize("function", [squares, asquares])
def test_a_batched_generator_gives_each_row_its_items(function: Any) -> None:
    calls = [{"n": n} for n in (1, 5, 0, 3)]
    assert together(function, *calls) == [list(range(n)) for n in (1, 5, 0, 3)]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_an_error_as_an_item_ends_its_row_alone(asynchronous: bool) -> None:
    def steps(n: int) -> Iterator[Any]:
        for step in range(4):
            yield [
                maas.Error(404, "gone") if wanted == step else step
                for wanted in n  # type: ignore[attr-defined]
            ]

    async def asteps(n: int) -> AsyncIterator[Any]:
        for values in steps(n):
            yield values

    batching: Any = {"max_batch_size": 3, "batch_policy": "window", "batch_timeout_ms": 200}
    function = maas.endpoint("/steps", **batching)(asteps if asynchronous else steps)
    whole, midway, early = together(function, {"n": 9}, {"n": 2}, {"n": 0})
    assert whole == [0, 1, 2, 3]
    assert midway[:2] == [0, 1]
    assert isinstance(midway[2], maas.NotFoundError)
    assert [type(item) for item in early] == [maas.NotFoundError]


def test_one_bad_row_does_not_fail_its_neighbours_before_the_first_step() -> None:
    @maas.endpoint("/strict", max_batch_size=4, batch_policy="window", batch_timeout_ms=200)
    def strict(n: int) -> Iterator[Any]:
        if 13 in n:  # type: ignore[operator]
            raise ValueError("13")
        yield n

    found = together(strict, {"n": 1}, {"n": 13}, {"n": 2})
    assert found[0] == [1]
    assert isinstance(found[1][0], maas.InternalError)
    assert found[2] == [2]


def test_a_step_of_the_wrong_length_is_an_error_that_names_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    @maas.endpoint("/wrong", max_batch_size=2, batch_policy="window", batch_timeout_ms=50)
    def wrong(n: int) -> Iterator[Any]:
        yield n
        yield [1, 2, 3]

    with caplog.at_level(logging.ERROR):
        (found,) = together(wrong, {"n": 7})
    assert found[0] == 7
    assert isinstance(found[1], maas.InternalError)
    assert "yielded 3 items for a batch of 1 rows" in caplog.text


def test_a_row_whose_client_leaves_is_skipped_and_the_others_go_on() -> None:
    seen: list[int] = []
    closed = threading.Event()
    left = threading.Event()

    @maas.endpoint("/both", max_batch_size=2, batch_policy="window", batch_timeout_ms=500)
    def both(n: int) -> Iterator[Any]:
        seen.append(len(n))  # type: ignore[arg-type]
        try:
            yield n
            left.wait(10)
            for _ in range(3):
                yield n
            while True:
                yield [None for _ in n]  # type: ignore[attr-defined]
        finally:
            closed.set()

    with maas.TestClient(both) as client:
        calls = [client.server.begin("POST", "/both", JSON, b'{"n": %d}' % n) for n in (1, 2)]
        assert [call.wait()[0] for call in calls] == [200, 200]
        calls[0].cancel()
        left.set()
        body = b""
        while body.count(b"data: 2") < 4:
            body += calls[1].read()
        assert not closed.is_set()
        calls[1].cancel()
        assert closed.wait(10)
    assert seen == [2]


def test_statistics_count_streams_and_items() -> None:
    with maas.TestClient(count) as client:
        assert list(client.stream("/count", to=3)) == [0, 1, 2]
        assert list(client.stream("/count", to=2)) == [0, 1]
        stats = client.server.stats["/count"]
        while stats["in_flight"]:  # the handler's thread may need a moment to end
            stats = client.server.stats["/count"]
        assert (stats["streams"], stats["stream_items"], stats["in_flight"]) == (2, 5, 0)
        assert stats["compute_seconds"]["count"] == 2
        metrics = client.exchange("GET", "/metrics", [], b"")[2].decode()
        assert 'maas_streams_total{model="/count",version="1"} 2' in metrics
        assert 'maas_stream_items_total{model="/count",version="1"} 5' in metrics


def test_a_context_of_a_stream_has_met_its_deadline_with_the_first_item() -> None:
    left: list[float] = []
    resume = threading.Event()

    @maas.endpoint("/timed", timeout_s=5)
    def timed(ctx: maas.Context) -> Iterator[int]:
        left.append(ctx.remaining_s())
        yield 1
        resume.wait(10)
        left.append(ctx.remaining_s())
        yield int(ctx.cancelled)

    with maas.TestClient(timed, manual_clock=True) as client:
        found = client.stream("/timed")
        assert next(found) == 1
        resume.set()
        assert list(found) == [0]
    assert 0 < left[0] <= 5
    assert left[1] == float("inf")


def test_a_generator_of_a_service_and_its_hint_are_understood() -> None:
    @maas.service
    class Speaker:
        @maas.endpoint("/say")
        def say(self, text: str) -> Iterator[str]:
            yield from text

    with maas.TestClient(Speaker) as client:
        assert list(client.stream("/say", text="abc")) == ["a", "b", "c"]
        document = client.request("GET", "/openapi.json")
        content = document["paths"]["/say"]["post"]["responses"]["200"]["content"]
        data = content["text/event-stream"]["schema"]["properties"]["data"]
        assert data["contentSchema"]["type"] == "string"
        assert content["application/x-ndjson"]["schema"]["type"] == "string"


def test_defaults_of_concurrency_differ_for_streams() -> None:
    assert count.__maas_endpoint__.concurrency == 32  # type: ignore[attr-defined]
    assert acount.__maas_endpoint__.concurrency == 256  # type: ignore[attr-defined]
    assert squares.__maas_endpoint__.concurrency == 1  # type: ignore[attr-defined]


def test_a_generator_cannot_run_in_workers() -> None:
    with pytest.raises(maas.InvalidArgumentError, match="a generator streams from the server"):

        @maas.endpoint("/far", workers=1)
        def far() -> Iterator[int]:
            yield 1


def test_bytes_are_items_like_others() -> None:
    @maas.endpoint("/octets")
    def octets() -> Iterator[bytes]:
        yield b"\x00\xff"

    assert items(octets) == ["AP8="]
