"""Requests that share a batch over HTTP: one that fails leaves its neighbours alone."""

import threading
from collections.abc import Callable
from typing import Any

import maas

# Full batches alone run: each of the requests below meets all the others.
HELD: dict[str, Any] = {"batch_timeout_ms": 10_000, "batch_policy": "window"}


@maas.endpoint("/returned", max_batch_size=4, **HELD)
def returned(n: int) -> Any:
    rows: Any = n
    assert len(rows) == 4
    return [maas.Error(422, f"{i} is odd") if i % 2 else i * 10 for i in rows]


@maas.endpoint("/unavailable", max_batch_size=2, **HELD)
async def unavailable(n: int) -> Any:
    rows: Any = n
    return [maas.UnavailableError("try later") if i else "fine" for i in rows]


def divided(n: int) -> Any:
    rows: Any = n
    calls.append(rows)
    return [60 // i for i in rows]


calls: list[list[int]] = []
split = maas.EndpointSpec("/split", divided, max_batch_size=4, **HELD)
fail = maas.EndpointSpec("/fail", divided, max_batch_size=4, on_batch_error="fail", **HELD)


@maas.endpoint("/alone")
def alone(n: int) -> int:
    raise maas.Error(409, f"{n} is taken")


@maas.endpoint("/misread", max_batch_size=2, **HELD)
def misread(n: int) -> Any:
    return n


def together(server: maas.Server, path: str, values: list[Any]) -> list[Any]:
    """The answer, or the error, of each value; all are asked at the same time."""
    found: list[Any] = [None] * len(values)

    def ask(place: int) -> None:
        with maas.Client(server.url) as client:
            try:
                found[place] = client.call(path, n=values[place])
            except maas.Error as error:
                found[place] = (error.status, error.message)

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(len(values))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def served(check: Callable[[maas.Server], None]) -> None:
    with maas.Server(port=0) as server:
        server.publish([returned, unavailable, split, fail, alone, misread])
        check(server)


def test_an_error_returned_in_place_of_an_item_fails_that_item_alone() -> None:
    def check(server: maas.Server) -> None:
        assert together(server, "/returned", [0, 1, 2, 3]) == [
            0,
            (422, "body: 1 is odd"),
            20,
            (422, "body: 3 is odd"),
        ]
        assert server.stats["/returned"]["batch_rows"]["mean"] == 4

    served(check)


def test_an_async_handler_returns_errors_in_the_same_way() -> None:
    def check(server: maas.Server) -> None:
        assert together(server, "/unavailable", [0, 1]) == ["fine", (503, "try later")]

    served(check)


def test_a_value_that_breaks_its_hint_is_422_and_its_neighbour_is_answered() -> None:
    def check(server: maas.Server) -> None:
        fine, (status, message) = together(server, "/misread", [5, "x"])
        assert fine == 5
        assert status == 422
        assert "valid integer" in message

    served(check)


def test_an_error_raised_by_an_unbatched_handler_gives_its_status() -> None:
    def check(server: maas.Server) -> None:
        assert together(server, "/alone", [3]) == [(409, "3 is taken")]

    served(check)


def test_an_exception_is_traced_to_the_row_that_caused_it() -> None:
    def check(server: maas.Server) -> None:
        calls.clear()
        assert together(server, "/split", [1, 0, 2, 3]) == [60, (500, "internal error"), 30, 20]
        assert sorted(map(len, calls)) == [1, 1, 2, 2, 4]

    served(check)


def test_with_fail_an_exception_fails_the_whole_batch_and_runs_once() -> None:
    def check(server: maas.Server) -> None:
        calls.clear()
        assert together(server, "/fail", [1, 0, 2, 3]) == [(500, "internal error")] * 4
        assert sorted(map(len, calls)) == [4]

    served(check)
