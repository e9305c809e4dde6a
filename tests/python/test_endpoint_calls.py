# SPDX-License-Identifier: Apache-2.0
import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import pytest

import maas

Row = Annotated[np.ndarray, maas.Tensor("float32", [3])]


@dataclass
class Point:
    x: float
    y: float


@contextmanager
def serving(*target: Any) -> Iterator[maas.Client]:
    server = maas.Server(port=0)
    server.publish(list(target))
    with server, maas.Client(server.url) as client:
        yield client


def test_rows_of_several_callers_share_a_batch_of_the_endpoint_they_call() -> None:
    sizes: list[int] = []
    both = threading.Barrier(2)

    @maas.endpoint("/length", max_batch_size=8, batch_timeout_ms=500, batch_policy="window")
    def length(text: str) -> int:
        sizes.append(len(text))
        return [len(item) for item in text]  # type: ignore[return-value] # one for each row

    @maas.endpoint("/twice")
    def twice(text: str) -> int:
        both.wait(10)
        return 2 * length(text)

    def ask(url: str, text: str) -> int:
        with maas.Client(url) as client:
            answer: int = client.call("/twice", text=text)
            return answer

    with serving(length, twice) as client, ThreadPoolExecutor() as threads:
        answers = list(threads.map(ask, [client.url] * 2, ["ab", "abc"]))
    assert answers == [4, 6]
    assert sizes == [2]  # one batch of two rows


def test_a_coroutine_awaits_a_plain_and_an_asynchronous_endpoint() -> None:
    @maas.endpoint("/plain")
    def plain(value: int) -> int:
        return value + 1

    @maas.endpoint("/waiting")
    async def waiting(value: int) -> int:
        await asyncio.sleep(0)
        return value * 10

    @maas.endpoint("/sum")
    async def both(value: int) -> int:
        parts = await asyncio.gather(plain(value), waiting(value))  # type: ignore[call-overload] # within a handler it is awaited
        return sum(parts)

    with serving(plain, waiting, both) as client:
        assert client.call("/sum", value=3) == 4 + 30


def test_values_and_results_go_by_reference() -> None:
    seen: list[Any] = []

    @maas.endpoint("/inner")
    def inner(point: Point, row: Row) -> Any:
        seen.append((point, row.__array_interface__["data"][0]))
        return seen

    @maas.endpoint("/outer")
    def outer(value: float) -> bool:
        point, row = Point(value, 2), np.ones(3, np.float32)
        result = inner(point, row)
        return (
            result is seen
            and seen[-1][0] is point
            and seen[-1][1] == row.__array_interface__["data"][0]
        )

    with serving(inner, outer) as client:
        assert client.call("/outer", value=1.0) is True
        assert isinstance(client.call("/inner", point={"x": 1, "y": 2}, row=[1, 2, 3]), list)


def test_defaults_and_the_callers_id_come_with_a_call() -> None:
    @maas.endpoint("/inner")
    def inner(ctx: maas.Context, factor: int = 3) -> tuple[str, int]:
        return ctx.request_id, factor

    @maas.endpoint("/outer")
    def outer(ctx: maas.Context) -> bool:
        return inner() == (ctx.request_id, 3)  # type: ignore[call-arg] # it gets a context of its own

    with serving(inner, outer) as client:
        assert client.call("/outer") is True


def test_an_error_of_the_called_endpoint_reaches_the_client() -> None:
    @maas.endpoint("/inner", max_batch_size=4)
    def inner(value: int) -> Any:
        return [maas.Error(422, f"no {item}s") if item == 2 else item for item in value]  # type: ignore[attr-defined]

    @maas.endpoint("/outer")
    def outer(value: int) -> Any:
        return inner(value)

    with serving(inner, outer) as client:
        assert client.call("/outer", value=1) == 1
        with pytest.raises(maas.UnprocessableError, match="no 2s"):
            client.call("/outer", value=2)


def test_a_wrong_argument_is_the_calling_handlers_mistake() -> None:
    reasons: list[str] = []

    @maas.endpoint("/inner")
    def inner(value: int) -> int:
        return value

    @maas.endpoint("/outer")
    def outer() -> None:
        wrong: list[Callable[[], Any]] = [
            lambda: inner("text"),  # type: ignore[arg-type]
            lambda: inner(),  # type: ignore[call-arg]
            lambda: inner(1, 2),  # type: ignore[call-arg]
        ]
        for call in wrong:
            try:
                call()
            except TypeError as error:
                reasons.append(str(error))

    with serving(inner, outer) as client:
        client.call("/outer")
    assert len(reasons) == 3
    assert "'value' does not fit" in reasons[0]
    assert "missing the argument 'value'" in reasons[1]


def test_within_itself_an_endpoint_is_the_function() -> None:
    @maas.endpoint("/factorial", max_concurrency=1)
    def factorial(n: int) -> int:
        return 1 if n < 2 else n * factorial(n - 1)

    with serving(factorial) as client:
        assert client.call("/factorial", n=5) == 120


def test_methods_of_a_service_call_each_other() -> None:
    @maas.service
    class Reader:
        @maas.endpoint("/words", max_batch_size=4)
        def words(self, text: str) -> list[str]:
            return [item.split() for item in text]  # type: ignore[misc]

        @maas.endpoint("/count")
        def count(self, text: str) -> int:
            return len(self.words(text))

    with serving(Reader) as client:
        assert client.call("/count", text="one two three") == 3
    plain: Any = Reader().words
    assert plain(["a b"]) == [["a", "b"]]


def test_a_batched_endpoint_that_is_not_served_runs_with_a_batch_of_one() -> None:
    @maas.endpoint("/row", max_batch_size=4)
    def row(x: Row, text: str) -> Any:
        assert x.shape == (1, 3)
        return [(float(x.sum()), item) for item in text]

    @maas.endpoint("/outer")
    def outer() -> Any:
        return row(np.ones(3, np.float32), "a")

    @maas.endpoint("/later")
    async def later() -> Any:
        return await row(np.ones(3, np.float32), "b")

    with serving(outer, later) as client:
        assert client.call("/outer") == [3.0, "a"]
        assert client.call("/later") == [3.0, "b"]


def test_a_native_endpoint_is_answered_by_its_model(double: maas.Model) -> None:
    @maas.endpoint(
        "/double",
        model=double,
        pre=[maas.ops.scale(10)],
        post={"best": [maas.ops.argmax()], "y": [maas.ops.output("y")]},
    )
    def twice(x: Row) -> dict[str, Any]: ...  # type: ignore[empty-body]

    @maas.endpoint("/outer")
    async def outer(x: Row) -> float:
        answer = await twice(x)  # type: ignore[misc] # within a handler it is awaited
        return float(answer["y"][int(answer["best"])])

    with serving(twice, outer) as client:
        assert client.call("/outer", x=[1, 3, 2]) == 60.0
        assert client.call("/double", x=[1, 3, 2]) == {"best": 1, "y": [20, 60, 40]}
    answer = twice(np.array([1, 3, 2], np.float32))
    assert answer["best"] == 1
    np.testing.assert_array_equal(answer["y"], [20, 60, 40])


def test_a_call_ends_at_the_deadline_of_the_request() -> None:
    release = threading.Event()

    @maas.endpoint("/slow")
    def slow() -> None:
        release.wait(20)

    @maas.endpoint("/outer", timeout_s=0.3)
    def outer() -> str:
        try:
            slow()
        except maas.DeadlineExceededError:
            reached.set()
            raise
        return "never"

    reached = threading.Event()
    with serving(slow, outer) as client:
        with pytest.raises(maas.DeadlineExceededError):
            client.call("/outer")
        assert reached.wait(10)
        release.set()
