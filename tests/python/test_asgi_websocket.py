# SPDX-License-Identifier: Apache-2.0
import asyncio
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socket import create_connection
from typing import Any

import pytest
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

import maas
from maas import asgi_websocket

app = FastAPI()
seen: list[Any] = []
over = threading.Event()


@app.websocket("/echo")
async def echo(socket: WebSocket) -> None:
    await socket.accept()
    async for text in socket.iter_text():
        await socket.send_text(text)


@app.websocket("/bytes")
async def octets(socket: WebSocket) -> None:
    await socket.accept()
    async for data in socket.iter_bytes():
        await socket.send_bytes(data)


@app.websocket("/chat")
async def chat(socket: WebSocket) -> None:
    seen.append((socket.scope["subprotocols"], socket.headers["x-who"], socket.url.path))
    await socket.accept(subprotocol="v2", headers=[(b"x-room", b"7")])
    await socket.send_json({"hello": True})
    await socket.close(4001, "enough")


@app.websocket("/refuses")
async def refuses(socket: WebSocket) -> None:
    await socket.close()


@app.websocket("/raises")
async def raises(socket: WebSocket) -> None:
    await socket.accept()
    raise ValueError("secret")


@app.websocket("/waits")
async def waits(socket: WebSocket) -> None:
    await socket.accept()
    try:
        await socket.receive_text()
    except WebSocketDisconnect as error:
        seen.append(error.code)
        over.set()


@app.websocket("/slow")
async def slow(socket: WebSocket) -> None:
    await socket.accept()
    total = 0
    async for data in socket.iter_bytes():
        total += len(data)
        await asyncio.sleep(0)
        if len(data) == 1:
            await socket.send_text(str(total))


@pytest.fixture(scope="module")
def server() -> Iterator[maas.Server]:
    with maas.Server(port=0) as made:
        made.publish(maas.mount("/ws", app))
        yield made


@contextmanager
def socket(server: maas.Server, path: str, **options: Any) -> Iterator[ClientConnection]:
    options.setdefault("compression", None)
    with connect(f"ws://127.0.0.1:{server.port}/ws{path}", max_size=None, **options) as made:
        yield made


def test_text_and_bytes_of_all_sizes_go_both_ways(server: maas.Server) -> None:
    with socket(server, "/echo") as texts, socket(server, "/bytes") as data:
        for size in (0, 1, 125, 126, 65535, 65536, 3_000_000):
            texts.send("ä" * size)
            assert texts.recv(10) == "ä" * size
            data.send(b"\0" * size)
            assert data.recv(10) == b"\0" * size
        texts.send(["in ", "several ", "frames"])
        assert texts.recv(10) == "in several frames"


def test_subprotocol_fields_and_close_code(server: maas.Server) -> None:
    with socket(
        server, "/chat", subprotocols=["v1", "v2"], additional_headers={"X-Who": "me"}
    ) as ws:
        assert ws.subprotocol == "v2"
        assert ws.response is not None
        assert ws.response.headers["x-room"] == "7"
        assert ws.recv(10) == '{"hello":true}'
        with pytest.raises(ConnectionClosed):
            ws.recv(10)
        assert (ws.close_code, ws.close_reason) == (4001, "enough")
    assert seen.pop() == (["v1", "v2"], "me", "/ws/chat")


def test_a_ping_is_answered(server: maas.Server) -> None:
    with socket(server, "/echo") as ws:
        assert ws.ping().wait(10)


def test_one_that_the_application_refuses_is_403(server: maas.Server) -> None:
    with pytest.raises(InvalidStatus) as raised, socket(server, "/refuses"):
        pass
    assert raised.value.response.status_code == 403


def test_a_request_that_is_no_handshake_is_refused(server: maas.Server) -> None:
    client = maas.Client(server.url)
    status, _, _ = client.exchange("GET", "/ws/echo", [("Upgrade", "websocket")], b"")
    assert status in (400, 426)
    assert client.exchange("GET", "/ws/echo", [], b"")[0] == 404
    client.close()


def test_what_an_application_raises_closes_it_with_1011(
    server: maas.Server, caplog: pytest.LogCaptureFixture
) -> None:
    with socket(server, "/raises") as ws:
        with pytest.raises(ConnectionClosed):
            ws.recv(10)
        assert ws.close_code == 1011
    assert "secret" in caplog.text


@pytest.mark.parametrize("abrupt", [False, True])
def test_a_client_that_leaves_is_a_disconnect(server: maas.Server, abrupt: bool) -> None:
    over.clear()
    with socket(server, "/waits") as ws:
        if abrupt:
            ws.socket.close()
        else:
            ws.close(4002, "bye")
        assert over.wait(10)
    assert seen.pop() == (1006 if abrupt else 4002)


def test_invalid_text_and_a_message_that_is_too_large_are_closed(
    server: maas.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket(server, "/echo") as ws:
        ws.send(b"\xff", text=True)
        with pytest.raises(ConnectionClosed):
            ws.recv(10)
        assert ws.close_code == 1007
    monkeypatch.setattr(asgi_websocket, "MAX_MESSAGE_BYTES", 1000)
    with socket(server, "/echo") as ws:
        ws.send("x" * 1001)
        with pytest.raises(ConnectionClosed):
            ws.recv(10)
        assert ws.close_code == 1009


def test_an_application_that_is_slow_holds_its_client_up_and_loses_nothing(
    server: maas.Server,
) -> None:
    with socket(server, "/slow") as ws:
        for _ in range(300):
            ws.send(b"x" * 50_000)
        ws.send(b"x")
        assert ws.recv(30) == "15000001"


def test_a_silent_client_is_asked_for_a_sign_and_then_given_up(
    server: maas.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asgi_websocket, "PING_INTERVAL_S", 0.05)
    over.clear()
    handshake = (
        b"GET /ws/waits HTTP/1.1\r\nHost: localhost\r\n"
        b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    with create_connection(("127.0.0.1", server.port), timeout=20) as raw:
        raw.sendall(handshake)
        found = b""
        while part := raw.recv(1 << 16):
            found += part
    assert found.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in found  # the example of RFC 6455
    assert b"\x89\x04maas" in found  # a ping
    assert over.wait(10)
    seen.clear()


def test_a_server_that_stops_ends_it() -> None:
    made = maas.Server(port=0)
    made.publish(maas.mount("/ws", app))
    made.start()
    over.clear()
    with socket(made, "/waits") as ws:
        made.stop(0.05)
        assert over.wait(10)
        with pytest.raises(ConnectionClosed):
            ws.recv(10)
    seen.clear()


def test_without_the_library_the_answer_says_so(
    server: maas.Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "websockets.server", None)
    with pytest.raises(InvalidStatus) as raised, socket(server, "/echo"):
        pass
    assert raised.value.response.status_code == 501
    assert "maas[websockets]" in caplog.text
