"""An application of another framework in a real server process."""

import http.client
import json
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from server_process import Process

import maas

APP = """
import asyncio
import logging
from contextlib import asynccontextmanager
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
import maas

log = logging.getLogger("maas").warning

@maas.endpoint("/native")
def native(n: int) -> int:
    return n + 1

@asynccontextmanager
async def lifespan(app):
    log("app starts")
    yield
    log("app stops")

app = FastAPI(lifespan=lifespan)

@app.get("/endless")
async def endless():
    async def parts():
        try:
            while True:
                yield b"x" * 10_000
        finally:
            log("endless is closed")
    return StreamingResponse(parts())

@app.get("/cut")
async def cut():
    async def parts():
        yield b"some"
        raise ValueError("midway")
    return StreamingResponse(parts())

@app.get("/block")
async def block():
    await asyncio.sleep(600)

@app.post("/size")
async def size(request: Request) -> int:
    return len(await request.body())

@app.get("/who")
async def who(request: Request) -> str:
    return request.client.host

site = maas.mount("/app", app)
"""


def serve_app(serve: Callable[..., Process], folder: Path, *arguments: str) -> Process:
    (folder / "app.py").write_text(APP)
    return serve("app.py", *arguments)


def connection(process: Process) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urlsplit(process.url).netloc, timeout=30)


def test_lifespan_keep_alive_uploads_and_the_clients_address(
    serve: Callable[..., Process], tmp_path: Path
) -> None:
    process = serve_app(serve, tmp_path)
    process.wait_for("app starts")
    kept = connection(process)
    for body in (b"", b"x" * 100, b"x" * 5_000_000):
        kept.request("POST", "/app/size", body)
        assert kept.getresponse().read() == str(len(body)).encode()
        kept.request("GET", "/app/who")
        assert kept.getresponse().read() == b'"127.0.0.1"'
    kept.close()
    assert process.client().call("/native", n=1) == 2
    process.send(signal.SIGTERM)
    assert process.exit_code() == 0
    assert "app stops" in process.log


def test_a_body_beyond_the_limit_is_refused_by_the_core(
    serve: Callable[..., Process], tmp_path: Path
) -> None:
    process = serve_app(serve, tmp_path, "--max-body-bytes", "1000")
    kept = connection(process)
    kept.request("POST", "/app/size", b"x" * 1001)
    answer = kept.getresponse()
    assert answer.status == 413
    assert json.loads(answer.read())["error"]
    kept.close()


def test_a_client_that_leaves_closes_the_answer(
    serve: Callable[..., Process], tmp_path: Path
) -> None:
    process = serve_app(serve, tmp_path)
    asked = connection(process)
    asked.request("GET", "/app/endless")
    assert asked.getresponse().read(10) == b"x" * 10
    asked.close()
    process.wait_for("endless is closed")


def test_an_error_midway_cuts_the_answer_off(serve: Callable[..., Process], tmp_path: Path) -> None:
    process = serve_app(serve, tmp_path)
    parts = urlsplit(process.url)
    assert parts.hostname is not None
    with socket.create_connection((parts.hostname, parts.port or 80), timeout=30) as raw:
        raw.sendall(b"GET /app/cut HTTP/1.1\r\nHost: localhost\r\n\r\n")
        found = b""
        while part := raw.recv(1 << 16):
            found += part
    assert b"some" in found
    assert not found.endswith(b"0\r\n\r\n")
    process.wait_for("midway")


def test_a_coroutine_that_waits_holds_no_native_endpoint_up(
    serve: Callable[..., Process], tmp_path: Path
) -> None:
    process = serve_app(serve, tmp_path, "--drain-timeout-s", "0.5")
    asked = connection(process)
    asked.request("GET", "/app/block")
    client: maas.Client = process.client()
    assert [client.call("/native", n=n) for n in range(20)] == list(range(1, 21))
    process.send(signal.SIGTERM)
    assert asked.getresponse().status == 503
    process.exit_code()
    asked.close()
