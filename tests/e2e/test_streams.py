"""Streams of a real server process over real sockets."""

import json
import re
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from server_process import Process

import maas

APP = """
import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
import maas

made = 0
go = threading.Event()

@maas.endpoint("/made")
def how_many() -> int:
    return made

@maas.endpoint("/go")
def let_go() -> None:
    go.set()

@maas.endpoint("/large")
def large() -> Iterator[str]:
    global made
    try:
        while True:
            made += 1
            yield "x" * 10_000
    finally:
        maas_log("large is closed")

@maas.endpoint("/fails")
def fails(good: int) -> Iterator[int]:
    yield from range(good)
    raise maas.Error(409, "no more")

@maas.endpoint("/held")
def held() -> Iterator[str]:
    yield "first"
    go.wait(60)
    yield "second"

@maas.endpoint("/waits")
async def waits() -> AsyncIterator[str]:
    try:
        yield "first"
        await asyncio.sleep(600)
    finally:
        maas_log("waits is closed")

def maas_log(text):
    import logging
    logging.getLogger("maas").warning(text)
"""


def serve_app(serve: Callable[..., Process], folder: Path, *arguments: str) -> Process:
    (folder / "app.py").write_text(APP)
    return serve("app.py", *arguments)


def post(path: str, body: str = "{}", version: str = "1.1", more: str = "") -> bytes:
    return (
        f"POST {path} HTTP/{version}\r\nHost: localhost\r\nContent-Type: application/json\r\n{more}"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def connect(process: Process, *requests: bytes) -> socket.socket:
    parts = urlsplit(process.url)
    assert parts.hostname is not None
    connection = socket.create_connection((parts.hostname, parts.port or 80), timeout=30)
    connection.sendall(b"".join(requests))
    return connection


def read_until(connection: socket.socket, end: bytes | None) -> bytes:
    """Up to these bytes; None is the end of the connection."""
    found = b""
    while end is None or end not in found:
        part = connection.recv(1 << 16)
        if not part:
            assert end is None, found
            return found
        found += part
    return found


def test_the_client_gets_items_and_the_errors_of_their_status(
    serve: Callable[..., Process], tmp_path: Path
) -> None:
    client = serve_app(serve, tmp_path).client()
    with pytest.raises(maas.AlreadyExistsError, match="no more"):
        client.stream("/fails", good=0)
    found = client.stream("/fails", good=3)
    assert [next(found) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(maas.AlreadyExistsError, match="no more") as raised:
        next(found)
    assert raised.value.request_id
    with pytest.raises(maas.UnprocessableError):
        client.stream("/fails", good="x")
    with pytest.raises(maas.InvalidArgumentError, match="use call"):
        client.stream("/made")


def test_a_failure_midway_is_framed_and_the_end_is_abnormal(
    serve: Callable[..., Process], tmp_path: Path
) -> None:
    process = serve_app(serve, tmp_path)
    accept = "Accept: application/x-ndjson\r\n"
    for more, start in (("", b"event: error\ndata: {"), (accept, b"1\n{")):
        with connect(process, post("/fails", '{"good": 2}', more=more)) as connection:
            found = read_until(connection, None)
        assert b"Transfer-Encoding: chunked" in found
        assert not found.endswith(b"0\r\n\r\n")
        joined = re.sub(rb"\r\n(?:[0-9a-f]+\r\n)?", b"", found)  # without the chunks' frames
        failure = json.loads(b"{" + joined.split(start)[1].splitlines()[0])
        assert failure["error"] == "no more"
        assert failure["status"] == 409


def test_http_1_0_and_a_pipelined_request(serve: Callable[..., Process], tmp_path: Path) -> None:
    process = serve_app(serve, tmp_path)
    process.client().call("/go")
    with connect(process, post("/held", version="1.0")) as connection:
        found = read_until(connection, None)
    assert b"Transfer-Encoding" not in found
    assert found.endswith(b'id: 0\ndata: "first"\n\nid: 1\ndata: "second"\n\n')
    with connect(process, post("/held"), post("/made")) as connection:
        found = read_until(connection, b"\r\n\r\n0")
        assert b'data: "second"\n\n' in found
        assert found.count(b"HTTP/1.1 200 OK") == 2


@pytest.mark.parametrize("resets", [False, True])
@pytest.mark.parametrize("path", ["/large", "/waits"])
def test_a_client_that_leaves_closes_the_generator(
    serve: Callable[..., Process], tmp_path: Path, path: str, resets: bool
) -> None:
    process = serve_app(serve, tmp_path)
    connection = connect(process, post(path))
    read_until(connection, b"id: 0\n")
    if resets:
        linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    connection.close()
    process.wait_for(f"{path[1:]} is closed")


def test_a_slow_reader_costs_bounded_memory(serve: Callable[..., Process], tmp_path: Path) -> None:
    process = serve_app(serve, tmp_path)
    client = process.client()
    before = resident(process)
    with connect(process, post("/large")) as connection:
        read_until(connection, b"id: 0\n")
        made, last = client.call("/made"), -1
        while made != last:  # it has been held up
            time.sleep(0.1)
            last, made = made, client.call("/made")
        assert made * 10_000 < 24e6  # mostly in the sockets' buffers
        assert resident(process) - before < 24e6
        read_until(connection, b"id: %d\n" % made)  # it goes on when the client does
        assert client.call("/made") > made
    process.wait_for("large is closed")


def resident(process: Process) -> int:
    status = Path(f"/proc/{process.popen.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


def test_a_draining_server_waits_for_streams(serve: Callable[..., Process], tmp_path: Path) -> None:
    process = serve_app(serve, tmp_path)
    client = process.client()
    client.call("/made")  # it keeps its connection, on which a draining server still answers
    with connect(process, post("/held")) as connection:
        read_until(connection, b"first")
        process.send(signal.SIGTERM)
        process.wait_for("finishing what runs")
        client.call("/go")
        found = read_until(connection, None)
    assert b"second" in found
    assert found.endswith(b"0\r\n\r\n")
    assert process.exit_code() == 0


def test_at_the_limit_of_a_drain_a_stream_gets_the_error_event(
    serve: Callable[..., Process], tmp_path: Path
) -> None:
    process = serve_app(serve, tmp_path, "--drain-timeout-s", "0.5")
    with connect(process, post("/waits")) as connection:
        read_until(connection, b"first")
        process.send(signal.SIGTERM)
        found = read_until(connection, None)
    assert b"event: error" in found
    assert b'"status":503' in found
    assert not found.endswith(b"0\r\n\r\n")
    process.exit_code()
