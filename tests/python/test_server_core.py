"""Settings reach the core's server."""

import json

import pytest

import maas
from maas import engine, server_core
from maas.config import Settings


def test_limits_title_and_page_reach_the_core() -> None:
    core = server_core.make(Settings(port=0, cors_origins="https://a.b"), engine.default(), "mine")
    status, headers, body = core.handle("GET", "/v2", [("Origin", "https://a.b")], b"")
    assert status == 200
    assert ("Access-Control-Allow-Origin", "https://a.b") in headers
    assert json.loads(body)["name"] == "mine"
    assert b"<html" in core.handle("GET", "/docs", [], b"")[2]


def test_what_the_core_refuses_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(maas.InvalidArgumentError, match="unknown compression"):
        server_core.make(Settings(compression="zip"), engine.default(), "x")
