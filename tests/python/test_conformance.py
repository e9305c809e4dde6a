# SPDX-License-Identifier: Apache-2.0
"""The suite passes on our own server, and finds what is wrong with one that only looks like it."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import maas
from maas import conformance
from maas.conformance_cases import CASES


@pytest.fixture
def server(double: maas.Model) -> Iterator[maas.Server]:
    made = maas.Server(port=0)
    made.publish(double)
    with made:
        yield made


def test_our_own_server_passes_every_case(server: maas.Server) -> None:
    outcomes = conformance.run(server.url, "double")
    assert [item for item in outcomes if item.verdict != "passed"] == []
    assert len(outcomes) == len(CASES) > 50


def test_cases_of_extensions_that_a_server_does_not_name_are_skipped() -> None:
    with careless() as url:
        outcomes = {item.case: item for item in conformance.run(url, "m")}
    assert outcomes["binary inputs"].verdict == "skipped"
    assert "binary_tensor_data" in outcomes["binary inputs"].reason


def test_a_server_that_answers_200_to_everything_fails() -> None:
    with careless() as url:
        outcomes = {item.case: item for item in conformance.run(url, "m")}
    assert outcomes["inference answers every output in its declared type"].verdict == "passed"
    for case in (
        "an unknown datatype is refused",
        "too little data is refused",
        "JSON that is cut is refused",
        "the id comes back",
        "100,000 levels of nesting are refused",
    ):
        assert outcomes[case].verdict == "failed", case


def test_a_server_without_the_model_is_an_error(server: maas.Server) -> None:
    with pytest.raises(maas.UnavailableError, match="does not describe a model 'other'"):
        conformance.run(server.url, "other")
    with pytest.raises(maas.UnavailableError):
        conformance.run("http://127.0.0.1:1", "m", timeout_s=1)


class Careless(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, body: object) -> None:
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self) -> None:
        tensor = {"name": "x", "datatype": "FP32", "shape": [-1, 2]}
        self.answer(
            {
                "name": "m",
                "version": "1",
                "platform": "p",
                "extensions": [],
                "inputs": [tensor],
                "outputs": [tensor],
            }
        )

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        tensor = {"name": "x", "datatype": "FP32", "shape": [1, 2], "data": [1.0, 2.0]}
        self.answer({"model_name": "m", "model_version": "1", "outputs": [tensor]})

    def log_message(self, *_: object) -> None:
        pass


class careless:  # noqa: N801 - used like a function
    """A server that answers whatever it is asked."""

    def __enter__(self) -> str:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Careless)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
