"""Rows E to G of the HTTP cases, sent byte by byte to a real server.

A case of tests/data/http_cases is one call: its body is made of texts, repetitions, bytes in
base64 and compressed parts. Behind each a valid request must be answered.
"""

import base64
import gzip
import json
import socket
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from protocol_server import serving
from server_process import ROOT

import maas

CASES = [
    pytest.param(case, id=f"{case['row']} {case['name']}")
    for file in ("e_types", "f_json", "g_tensors")
    for case in json.loads((ROOT / "tests/data/http_cases" / f"{file}.json").read_text())
]
# Values in JSON's grammar and outside it ("open": it leaves them to us), each a list as a body is.
TEXTS = json.loads((ROOT / "tests/data/json_texts.json").read_text())
TIMEOUT_S = 60
VALID = '{"inputs":[{"name":"x","shape":[1,3],"datatype":"FP32","data":[1,2,3]}]}'

INFER = {
    "method": "POST",
    "path": "/v2/models/m/infer",
    "headers": {"Content-Type": "application/json"},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[maas.Server]:
    with serving(tmp_path_factory.mktemp("models")) as running:
        yield running


def content(parts: Any) -> bytes:
    """The bytes of a body."""
    if isinstance(parts, list):
        return b"".join(map(content, parts))
    if isinstance(parts, str):
        return parts.encode()
    if "repeat" in parts:
        return str(parts["repeat"]).encode() * int(parts["times"])
    if "base64" in parts:
        return base64.b64decode(parts["base64"])
    if "gzip" in parts:
        packed = gzip.compress(content(parts["gzip"]), 1) * int(parts.get("members", 1))
        return packed[: len(packed) - int(parts.get("cut", 0))]
    return zlib.compress(content(parts["deflate"]))


def request_of(call: dict[str, Any], body: bytes) -> bytes:
    fields = {"Host": "127.0.0.1", "Content-Length": str(len(body)), **call["headers"]}
    lines = [f"{call['method']} {call['path']} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def exchange(port: int, request: bytes) -> tuple[int, str, bytes]:
    """Status, head and body of the answer."""
    with socket.create_connection(("127.0.0.1", port), TIMEOUT_S) as connection:
        connection.settimeout(TIMEOUT_S)
        connection.sendall(request)
        with connection.makefile("rb") as answer:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                line = answer.readline()
                assert line, f"the connection ended behind {head!r}"
                head += line
            text = head.decode("latin-1")
            length = next(
                int(line.partition(":")[2])
                for line in text.splitlines()
                if line.lower().startswith("content-length:")
            )
            return int(text.split()[1]), text, answer.read(length)


@pytest.mark.parametrize("case", CASES)
def test_a_case_is_answered_as_it_should_be(server: maas.Server, case: dict[str, Any]) -> None:
    wanted = case["expect"]
    request = request_of(case["call"], content(case["call"]["body"]))
    start = time.monotonic()
    status, head, body = exchange(server.port, request)
    took = time.monotonic() - start
    assert status in wanted["status"], (status, body[:300])
    if status >= 400:
        assert "Content-Type: application/json\r\n" in head
        assert json.loads(body)["error"]
        assert len(body) < 1000
    assert wanted.get("contains", "") in body.decode("utf-8", "replace")
    assert body.endswith(base64.b64decode(wanted.get("ends_base64", "")))
    # Generous: the bound shows what is not linear, on a machine that others use as well.
    assert took < 20 * wanted.get("within_s", TIMEOUT_S)
    assert exchange(server.port, request_of(INFER, VALID.encode()))[0] == 200


@pytest.mark.parametrize("name", sorted({text["name"] for text in TEXTS}))
def test_json_is_what_its_grammar_says(server: maas.Server, name: str) -> None:
    for text in TEXTS:
        if text["name"] == name:
            # As the value of a key that nobody knows: it is read over, and read strictly.
            body = b'{"x":' + content(text["text"]) + b"," + VALID[1:].encode()
            status, _, answer = exchange(server.port, request_of(INFER, body))
            assert status == {"accept": 200, "refuse": 400}[text["expect"]], (text, answer)


def resident_bytes() -> int:
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * 4096


def test_memory_does_not_grow_with_bad_compressed_bodies(server: maas.Server) -> None:
    packed = gzip.compress(b" " * (5 << 20), 1) * 14
    cut = gzip.compress(json.dumps(list(range(20000))).encode())[:-9]
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    call = {"method": "POST", "path": "/v2/models/m/infer", "headers": headers}
    requests = [(request_of(call, packed), 413), (request_of(call, cut), 400)]
    for request, status in requests * 2:
        assert exchange(server.port, request)[0] == status
    before = resident_bytes()
    for request, status in requests * 8 + [requests[1]] * 300:
        assert exchange(server.port, request)[0] == status
    assert resident_bytes() - before < 24 << 20
