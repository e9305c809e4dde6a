# SPDX-License-Identifier: Apache-2.0
import asyncio
import json
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, StreamingResponse

import maas
from maas import asgi_http

START = {"type": "http.response.start", "status": 200, "headers": []}


def serve(app: Any) -> maas.TestClient:
    return maas.TestClient(maas.mount("/app", app))


def raw(*messages: Any) -> Any:
    """An application that sends these."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            for message in messages:
                await send(message)

    return app


def test_the_columns_of_the_core_become_a_request() -> None:
    columns = [b"PUT", b"/app/a%20b", b"q=1", b"a\0x\0b\0\0a\0y\0", b"1.1", b"::1:80", b"body"]
    request = asgi_http.Request([[column] for column in columns])
    scope = request.scope("http", "/app", {"s": 1})
    assert scope["path"] == "/app/a b"
    assert scope["raw_path"] == b"/app/a%20b"
    assert scope["root_path"] == "/app"
    assert scope["query_string"] == b"q=1"
    assert scope["client"] == ("::1", 80)
    assert scope["headers"] == [(b"a", b"x"), (b"b", b""), (b"a", b"y")]
    assert request.header(b"a") == b"x"
    assert request.header(b"c") == b""


def test_a_real_application_with_middleware_routes_and_errors() -> None:
    app = FastAPI()

    @app.middleware("http")
    async def stamp(request: Request, go_on: Any) -> Any:
        response = await go_on(request)
        response.headers["X-Stamp"] = "yes"
        return response

    @app.post("/sum")
    async def add(numbers: list[int]) -> dict[str, int]:
        return {"sum": sum(numbers)}

    @app.get("/sync")
    def sync() -> str:
        return threading.current_thread().name

    with serve(app) as client:
        json_type = [("Content-Type", "application/json")]
        status, headers, body = client.exchange("POST", "/app/sum", json_type, b"[1,2]")
        assert (status, json.loads(body)) == (200, {"sum": 3})
        assert ("x-stamp", "yes") in headers
        assert ("content-length", str(len(body))) in headers
        assert client.exchange("POST", "/app/sum", json_type, b'["x"]')[0] == 422
        assert client.exchange("GET", "/app/nothing", [], b"")[0] == 404
        assert b"maas-loop" not in client.exchange("GET", "/app/sync", [], b"")[2]
        assert client.exchange("HEAD", "/app/sum", [], b"")[2] == b""
        assert not dict(client.exchange("GET", "/livez", [], b"")[1]).get("x-stamp")


def test_a_large_upload_arrives_whole_and_one_beyond_the_limit_is_refused_by_the_core() -> None:
    app = FastAPI()

    @app.put("/size")
    async def size(request: Request) -> int:
        return sum([len(part) async for part in request.stream()])

    with serve(app) as client:
        body = b"x" * 20_000_000
        assert client.exchange("PUT", "/app/size", [], body)[2] == b"20000000"


def test_an_answer_is_streamed_with_back_pressure() -> None:
    app = FastAPI()
    made = 0

    @app.get("/large")
    async def large() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            nonlocal made
            for _ in range(2000):
                made += 1
                yield b"x" * 10_000

        return StreamingResponse(parts())

    with serve(app) as client:
        call = client.server.begin("GET", "/app/large", [], b"")
        assert call.wait()[0] == 200
        received = 0
        while chunk := call.read():
            received += len(chunk)
            assert made * 10_000 - received < 500_000
        assert received == 20_000_000


def test_a_client_that_leaves_is_a_disconnect() -> None:
    app = FastAPI()
    begun, left = threading.Event(), threading.Event()

    @app.get("/endless")
    async def endless() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b"x"
                    await asyncio.sleep(0.001)
            finally:
                left.set()

        return StreamingResponse(parts())

    @app.get("/polls")
    async def polls(request: Request) -> None:
        begun.set()
        while not await request.is_disconnected():
            await asyncio.sleep(0.001)
        left.set()

    with serve(app) as client:
        call = client.server.begin("GET", "/app/endless", [], b"")
        assert call.wait()[0] == 200
        call.cancel()
        assert left.wait(10)
        left.clear()
        call = client.server.begin("GET", "/app/polls", [], b"")
        assert begun.wait(10)
        call.cancel()
        assert left.wait(10)


def test_what_an_application_raises_is_logged_and_500(caplog: pytest.LogCaptureFixture) -> None:
    app = FastAPI()

    @app.get("/raises")
    async def raises() -> None:
        raise ValueError("secret")

    with serve(app) as client:
        status, _, body = client.exchange("GET", "/app/raises", [], b"")
        assert status == 500
        assert b"secret" not in body
        while "secret" not in caplog.text:
            threading.Event().wait(0.01)  # it is raised again behind the answer


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([], "returned before its answer"),
        ([START], "returned before its answer"),
        ([{"type": "http.response.body", "body": b"x"}], "not what the application may send"),
        ([START, START], "not what the application may send"),
        (
            [START | {"headers": [(b"a", b"b\r\nc: d")]}, {"type": "http.response.body"}],
            "line break",
        ),
        (
            [
                START | {"headers": [(b"content-length", b"3")]},
                {"type": "http.response.body", "body": b"four"},
            ],
            "another length",
        ),
    ],
)
def test_an_application_that_breaks_the_rules_gets_500(
    messages: list[Any], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    with serve(raw(*messages)) as client:
        assert client.exchange("GET", "/app", [], b"")[0] == 500
    assert said in caplog.text


def test_statuses_without_a_body_and_empty_bodies() -> None:
    for status in (204, 304):
        with serve(raw(START | {"status": status}, {"type": "http.response.body"})) as client:
            assert client.exchange("GET", "/app", [], b"")[::2] == (status, b"")
    with serve(raw(START, {"type": "http.response.body"})) as client:
        assert client.exchange("GET", "/app", [], b"")[::2] == (200, b"")


def test_fields_that_the_core_writes_itself_are_not_passed_on() -> None:
    app = FastAPI()

    @app.get("/")
    async def root() -> PlainTextResponse:
        fields = {"Connection": "close", "Date": "never", "Transfer-Encoding": "x", "X-A": "b"}
        return PlainTextResponse("hi", headers=fields)

    with serve(app) as client:
        names = {name.lower() for name, _ in client.exchange("GET", "/app/", [], b"")[1]}
    assert {"x-a", "content-length"} <= names
    assert not {"connection", "date", "transfer-encoding"} & names
