# SPDX-License-Identifier: Apache-2.0
import socket
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import maas
from maas.client import Caller
from maas.forms import Headers


class Canned(Caller):
    """Answers every request with the same, and keeps what was asked."""

    def __init__(self, status: int, headers: Headers, body: bytes) -> None:
        self.answer = (status, headers, body)
        self.asked: tuple[str, str, Headers, bytes] | None = None

    def exchange(
        self, method: str, path: str, headers: Headers, body: bytes
    ) -> tuple[int, Headers, bytes]:
        self.asked = (method, path, headers, body)
        return self.answer


JSON: Headers = [("Content-Type", "application/json")]


@pytest.fixture
def server() -> Iterator[maas.Server]:
    @maas.endpoint("/echo")
    def echo(value: Any) -> Any:
        return value

    @maas.endpoint("/octets")
    def octets(data: bytes) -> bytes:
        return data

    with maas.serve([echo, octets], port=0, blocking=False) as running:
        yield running


def test_a_call_sends_its_fields_and_gives_the_value(server: maas.Server) -> None:
    with maas.Client(server.url) as client:
        assert client.call("/echo", value={"a": [1, 2]}) == {"a": [1, 2]}
        assert client.call("/echo", value=np.array([0.5, 1], np.float32)) == [0.5, 1]
        assert client.call("/octets", data=b"\x00\xff") == b"\x00\xff"


def test_a_server_is_ready_or_not_there(server: maas.Server) -> None:
    client = maas.Client(server.url)
    assert client.ready()
    server.stop()
    client.close()
    assert not client.ready()
    with pytest.raises(maas.UnavailableError, match="no answer from http://127"):
        client.call("/echo", value=1)


def test_threads_share_a_client(server: maas.Server) -> None:
    found: list[Any] = []
    with maas.Client(server.url) as client:
        threads = [
            threading.Thread(target=lambda n=n: found.append(client.call("/echo", value=n)))
            for n in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(found) == list(range(8))


def test_a_kept_connection_that_was_closed_is_opened_again() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n7"
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve_twice() -> None:
            for _ in range(2):
                connection, _ = listener.accept()
                connection.recv(65536)
                connection.sendall(answer)
                connection.close()

        thread = threading.Thread(target=serve_twice)
        thread.start()
        with maas.Client(f"http://127.0.0.1:{listener.getsockname()[1]}") as client:
            assert client.request("GET", "/") == 7
            thread.join(0.05)  # lets the close arrive first; either order must work
            assert client.request("GET", "/") == 7
        thread.join()


def test_a_server_that_answers_nothing_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up() -> None:
            connection, _ = listener.accept()
            connection.recv(65536)
            connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with (
            maas.Client(f"http://127.0.0.1:{listener.getsockname()[1]}") as client,
            pytest.raises(maas.UnavailableError, match="closed the connection"),
        ):
            client.request("GET", "/")
        thread.join()


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "https://host", "", "http://"])
def test_a_url_that_cannot_be_called_is_refused(url: str) -> None:
    with pytest.raises(maas.InvalidArgumentError, match="is not like http"):
        maas.Client(url)


def test_a_failure_of_the_protocol_raises_its_class() -> None:
    client = Canned(404, JSON, b'{"error":"no model x","request_id":"r1"}')
    with pytest.raises(maas.NotFoundError, match="no model x") as caught:
        client.infer("x", {})
    assert caught.value.request_id == "r1"


def test_a_failure_of_an_endpoint_carries_its_detail() -> None:
    body = b'{"detail":[{"loc":["body","x"],"msg":"too short","type":"t"}]}'
    client = Canned(422, [*JSON, ("X-Request-Id", "r2")], body)
    with pytest.raises(maas.UnprocessableError, match=r"body\.x: too short") as caught:
        client.call("/f")
    assert caught.value.detail[0]["type"] == "t"
    assert caught.value.request_id == "r2"


def test_a_503_that_says_when_to_come_back_is_overload() -> None:
    with pytest.raises(maas.OverloadedError):
        Canned(503, [*JSON, ("Retry-After", "1")], b'{"error":"full"}').call("/f")
    with pytest.raises(maas.UnavailableError):
        Canned(503, JSON, b'{"error":"draining"}').call("/f")


def test_a_failure_that_is_no_json_still_has_a_message() -> None:
    with pytest.raises(maas.Error, match="the server answered 502"):
        Canned(502, [("Content-Type", "text/html")], b"<html>").call("/f")


def test_infer_speaks_the_protocol() -> None:
    body = b'{"outputs":[{"name":"y","datatype":"INT64","shape":[1,2],"data":[1,2]}]}'
    client = Canned(200, JSON, body)
    found = client.infer(
        "net", {"x": np.array([[0.5]], np.float32), "t": np.array([["a"]])}, version=3
    )
    assert found["y"].tolist() == [[1, 2]]
    assert found["y"].dtype == np.int64
    assert client.asked is not None
    _, path, _, sent = client.asked
    assert path == "/v2/models/net/versions/3/infer"
    assert b'"datatype":"FP32","data":[0.5]' in sent
    assert b'"datatype": "BYTES", "data": ["a"]' in sent


def test_a_list_is_sent_in_the_dtype_that_the_model_declares() -> None:
    body = b'{"inputs":[{"name":"x","datatype":"INT32","shape":[-1,2]}],"outputs":[]}'
    client = Canned(200, JSON, body)
    client.infer("net", {"x": [[1, 2]]})
    assert client.asked is not None
    assert b'"datatype":"INT32","data":[1,2]' in client.asked[3]


def test_what_cannot_be_sent_is_refused() -> None:
    client = Canned(200, JSON, b"{}")
    with pytest.raises(maas.InvalidArgumentError, match="complex64 cannot be sent"):
        client.infer("net", {"x": np.zeros(1, np.complex64)})
    with pytest.raises(maas.InvalidArgumentError, match="has no JSON form"):
        client.call("/f", x=object())
