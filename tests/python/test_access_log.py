# SPDX-License-Identifier: Apache-2.0
"""What a request is called, which trace it belongs to, and what is written of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.python.http_cases import Target, exchange

import maas
from maas import config

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@maas.endpoint("/headers")
def headers(ctx: maas.Context) -> dict[str, str]:
    return {**ctx.headers, "id": ctx.request_id}


def ask(server: maas.Server, fields: str, path: str = "/headers") -> tuple[dict[str, str], Any]:
    text = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    case = {"request": f"{text}{fields}Content-Length: 2\r\n\r\n{{}}", "expect": {"status": [200]}}
    answer = exchange(case, server.port).answers[0]
    return answer.headers, json.loads(answer.body)


@pytest.fixture
def server() -> Iterator[maas.Server]:
    with maas.Server(port=0) as running:
        running.publish(headers)
        yield running


def test_an_id_of_the_client_is_the_requests_own(server: maas.Server) -> None:
    sent, seen = ask(server, "X-Request-Id: job-7/a.b\r\n")
    assert sent["x-request-id"] == seen["id"] == "job-7/a.b"


@pytest.mark.parametrize("id", ["", "a b", "x" * 65, "a,b", "<script>", "\xe4"])
def test_an_id_that_is_not_fit_is_replaced(server: maas.Server, id: str) -> None:
    sent, seen = ask(server, f"X-Request-Id: {id}\r\n")
    assert sent["x-request-id"] == seen["id"] != id
    assert len(seen["id"]) == 16


def test_a_trace_is_passed_on_as_it_came(server: maas.Server) -> None:
    sent, seen = ask(server, f"traceparent: {PARENT}\r\ntracestate: a=b\r\n")
    assert (seen["traceparent"], seen["tracestate"]) == (PARENT, "a=b")
    assert "traceparent" not in sent


@pytest.mark.parametrize("parent", ["x", PARENT[:-1], PARENT.upper(), PARENT.replace("b7", "zz")])
def test_a_malformed_trace_is_not_passed_on(server: maas.Server, parent: str) -> None:
    _, seen = ask(server, f"traceparent: {parent}\r\ntracestate: a=b\r\n")
    assert "traceparent" not in seen
    assert "tracestate" not in seen


def test_a_trace_is_made_only_where_that_is_asked_for(server: maas.Server) -> None:
    assert "traceparent" not in ask(server, "")[1]
    settings = config.Settings(traceparent="make")
    with maas.Server(port=0, settings=settings) as making:
        making.publish(headers)
        version, trace, parent, flags = ask(making, "")[1]["traceparent"].split("-")
        assert (version, len(trace), len(parent), flags) == ("00", 32, 16, "00")
        assert ask(making, f"traceparent: {PARENT}\r\n")[1]["traceparent"] == PARENT


def test_each_answer_has_its_line(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    target = Target({"access_log": str(path), "log_format": "json"})
    target.ask("/livez?key=secret")
    exchange({"request": "nonsense\r\n\r\n", "expect": {"status": [400]}}, target.server.port)
    target.stop()
    good, bad = [json.loads(line) for line in path.read_text().splitlines()]
    assert (good["method"], good["path"], good["status"]) == ("GET", "/livez", 200)
    assert good["bytes_out"] > 100
    assert good["client"].startswith("127.0.0.1:")
    assert (bad["method"], bad["status"]) == ("-", 400)


def test_lines_may_be_text(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    target = Target({"access_log": str(path)})
    target.ask("/livez")
    target.stop()
    assert " GET /livez 200 " in path.read_text()


def test_a_log_that_cannot_be_written_is_one_clear_error() -> None:
    settings = config.Settings(access_log="/nowhere/at/all.log")
    with pytest.raises(maas.Error, match=r"cannot write the access log '/nowhere/at/all.log'"):
        maas.Server(port=0, settings=settings)
