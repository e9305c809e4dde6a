# SPDX-License-Identifier: Apache-2.0
import asyncio
import json
import logging
import math
import threading
import time
from typing import Any, cast

import pytest

import maas
from maas.context import Headers


def headers_of(client: maas.TestClient, path: str, body: bytes) -> tuple[int, str, Any]:
    status, headers, data = client.exchange(
        "POST", path, [("Content-Type", "application/json")], body
    )
    about = {name.lower(): value for name, value in headers}
    return status, about["x-request-id"], json.loads(data)


def test_a_handler_gets_the_context_of_its_request_and_the_body_has_no_key_for_it() -> None:
    @maas.endpoint("/f", timeout_s=7)
    def f(text: str, ctx: maas.Context) -> list[Any]:
        return [text, ctx.request_id, ctx.cancelled, ctx.remaining_s(), repr(ctx)]

    with maas.TestClient(f, manual_clock=True) as client:
        status, request_id, answer = headers_of(client, "/f", b'{"text":"a"}')
        assert status == 200
        assert answer == ["a", request_id, False, 7.0, f"maas.Context({request_id!r})"]
        (operation,) = client.request("GET", "/openapi.json")["paths"]["/f"].values()
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        assert list(schema["properties"]) == ["text"]
        with pytest.raises(maas.UnprocessableError):
            client.call("/f", text="a", ctx="b")


def test_an_async_handler_and_a_method_get_it_too_by_any_name() -> None:
    @maas.service
    class Service:
        @maas.endpoint("/method")
        def method(self, about: maas.Context, n: int) -> list[Any]:
            return [about.request_id, n]

        @maas.endpoint("/async")
        async def waits(self, n: int, c: maas.Context | None = None) -> list[Any]:
            assert c is not None
            return [c.request_id, n]

    with maas.TestClient(Service) as client:
        for path in ("/method", "/async"):
            _, request_id, answer = headers_of(client, path, b'{"n":1}')
            assert answer == [request_id, 1]


def test_a_batched_handler_gets_one_for_each_row() -> None:
    @maas.endpoint("/f", max_batch_size=3, batch_timeout_ms=10_000, batch_policy="window")
    def f(n: int, ctx: maas.Context) -> Any:
        contexts: Any = ctx
        return [[item.request_id, i] for item, i in zip(contexts, cast(Any, n), strict=True)]

    found: list[tuple[int, Any]] = []
    with maas.TestClient(f) as client:

        def call(n: int) -> None:
            _, request_id, answer = headers_of(client, "/f", b'{"n":%d}' % n)
            found.append((n, [request_id, n] == answer))

        threads = [threading.Thread(target=call, args=(n,)) for n in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(found) == [(0, True), (1, True), (2, True)]


def test_a_handler_sees_its_deadline_pass() -> None:
    entered, looked, ended = threading.Event(), threading.Event(), threading.Event()
    seen: list[Any] = []

    @maas.endpoint("/f", timeout_s=2)
    def f(n: int, ctx: maas.Context) -> int:
        seen.append((ctx.cancelled, ctx.remaining_s()))
        entered.set()
        looked.wait(10)
        seen.append((ctx.cancelled, ctx.remaining_s()))
        ended.set()
        return n

    with maas.TestClient(f, manual_clock=True) as client:

        def call() -> None:
            with pytest.raises(maas.DeadlineExceededError):
                client.call("/f", n=1)

        caller = threading.Thread(target=call)
        caller.start()
        assert entered.wait(10)
        assert client._own_engine is not None
        client._own_engine.advance(2.5)
        caller.join(10)  # before the handler ends, whose answer could come first
        looked.set()
        assert ended.wait(10)
    assert seen == [(False, 2.0), (True, 0.0)]


def test_its_log_carries_the_request_id(caplog: pytest.LogCaptureFixture) -> None:
    @maas.endpoint("/f")
    def f(ctx: maas.Context) -> str:
        ctx.log.warning("slow: %s", "disk")
        return ctx.request_id

    with maas.TestClient(f) as client, caplog.at_level(logging.WARNING):
        request_id = client.call("/f")
    (record,) = caplog.records
    assert (record.getMessage(), record.__dict__["request_id"]) == ("slow: disk", request_id)


class Request:
    """What the core gives, for a request that has no deadline."""

    id = "r1"
    cancelled = False

    def remaining_s(self) -> float:
        return math.inf


def test_a_context_is_live() -> None:
    request = Request()
    context = maas.Context(request)  # type: ignore[arg-type]
    assert (context.cancelled, context.remaining_s()) == (False, math.inf)
    request.cancelled = True
    assert context.cancelled


def test_the_head_of_the_request_is_there_by_name_in_any_case() -> None:
    @maas.endpoint("/f")
    def f(n: int, ctx: maas.Context) -> list[Any]:
        headers = ctx.headers
        assert headers is ctx.headers
        found = [
            headers["X-ONE"],
            headers.get("missing"),
            "x-two" in headers,
            cast(Any, 5) in headers,
        ]
        return [*found, sorted(headers), len(headers), ctx.path, ctx.identity, repr(headers)]

    with maas.TestClient(f) as client:
        given = [("X-One", "1"), ("x-Two", "é"), ("X-ONE", "3")]
        status, _, body = client.exchange("POST", "/f?a=b", given, b'{"n":1}')
    assert status == 200
    assert json.loads(body)[:4] == ["1, 3", None, True, False]
    assert json.loads(body)[4:8] == [["x-one", "x-two"], 2, "/f?a=b", None]


def test_the_deadline_is_on_the_monotonic_clock() -> None:
    @maas.endpoint("/f", timeout_s=20)
    async def f(n: int, ctx: maas.Context) -> bool:
        assert ctx.deadline is not None
        async with asyncio.timeout_at(ctx.deadline):
            return 19 < ctx.deadline - time.monotonic() <= 20

    with maas.TestClient(f) as client:
        assert client.call("/f", n=1)


def test_headers_that_nobody_sent_are_missing() -> None:
    with pytest.raises(KeyError):
        Headers([])["accept"]
