# SPDX-License-Identifier: Apache-2.0
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI, Request

import maas
from maas import _core, asgi


async def plain(scope: Any, receive: Any, send: Any) -> None:
    """The smallest application: it knows no lifespan."""
    assert scope["type"] == "http"
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


def application(events: list[str], fails: str = "") -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, int]]:
        events.append("startup")
        if fails == "startup":
            raise RuntimeError("no database")
        yield {"answer": 42}
        events.append("shutdown")
        if fails == "shutdown":
            raise RuntimeError("no goodbye")

    return FastAPI(lifespan=lifespan)


def get(client: maas.TestClient, path: str) -> tuple[int, bytes]:
    status, _, body = client.exchange("GET", path, [], b"")
    return status, body


@pytest.mark.parametrize("path", ["app", "/a//b", "/a b", "/ä", 3])
def test_a_path_that_is_none_is_refused(path: Any) -> None:
    with pytest.raises(maas.InvalidArgumentError, match="not like '/app'"):
        maas.mount(path, plain)


@pytest.mark.parametrize("path", ["/v2", "/v2/models", "/metrics", "/docs/"])
def test_paths_of_the_server_cannot_be_mounted(path: str) -> None:
    with pytest.raises(maas.InvalidArgumentError, match="belongs to the server"):
        maas.mount(path, plain)


def test_what_cannot_be_called_is_no_application() -> None:
    with pytest.raises(maas.InvalidArgumentError, match="no ASGI application"):
        maas.mount("/app", "app")  # type: ignore[arg-type]


def test_paths_below_it_are_its_own_and_those_of_maas_stay_maass() -> None:
    @maas.endpoint("/app/own")
    def own() -> str:
        return "maas"

    with maas.TestClient([maas.mount("/app/", plain), own]) as client:
        assert client.call("/app/own") == "maas"
        assert get(client, "/app/own")[0] == 405
        assert get(client, "/app") == (200, b"/app")
        assert get(client, "/app/a%20b/c") == (200, b"/app/a b/c")
        assert get(client, "/apple")[0] == 404
        assert client.exchange("PATCH", "/app/x", [], b"")[2] == b"/app/x"


def test_a_mount_at_the_root_gets_what_is_left() -> None:
    with maas.TestClient(maas.mount("/", plain)) as client:
        assert get(client, "/anything") == (200, b"/anything")
        assert get(client, "/livez")[0] == 200
        assert b"anything" not in get(client, "/docs")[1]


def test_it_is_collected_like_an_endpoint() -> None:
    site = maas.mount("/app", plain)
    assert maas.Service(mounts=[site]).mounts == (site,)
    with maas.TestClient({"site": site, "_private": maas.mount("/other", plain)}) as client:
        assert get(client, "/app")[0] == 200
        assert get(client, "/other")[0] == 404
    with pytest.raises(maas.AlreadyExistsError, match="two applications"):
        maas.Service(mounts=[site, maas.mount("/app", plain)])
    with pytest.raises(maas.TargetError, match="is no mount"):
        maas.Service(mounts=[plain])  # type: ignore[list-item]


def test_lifespan_runs_once_around_what_is_served_and_state_reaches_requests() -> None:
    events: list[str] = []
    app = application(events)

    @app.get("/answer")
    async def answer(request: Request) -> int:
        return int(request.state.answer)

    client = maas.TestClient(maas.mount("/app", app))
    assert events == ["startup"]
    assert get(client, "/app/answer") == (200, b"42")
    client.close()
    assert events == ["startup", "shutdown"]


def test_a_startup_that_fails_is_the_failure_of_publishing_and_what_served_goes_on() -> None:
    events: list[str] = []
    with maas.TestClient(maas.mount("/app", plain)) as client:
        with pytest.raises(maas.TargetError, match=r"/bad failed to start: .*no database"):
            client.server.publish(maas.mount("/bad", application(events, "startup")))
        assert get(client, "/app")[0] == 200
        assert get(client, "/bad")[0] == 404


def test_an_application_is_kept_by_a_publication_that_has_it_and_ended_by_one_that_has_not() -> (
    None
):
    events: list[str] = []
    site = maas.mount("/app", application(events))

    @maas.endpoint("/one")
    def one() -> int:
        return 1

    with maas.TestClient(site) as client:
        client.server.publish([site, one])
        assert events == ["startup"]
        client.server.publish(one)
        while len(events) < 2:  # when its last request has been answered
            threading.Event().wait(0.01)
        assert events == ["startup", "shutdown"]


def test_a_shutdown_that_fails_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    maas.TestClient(maas.mount("/app", application([], "shutdown"))).close()
    assert "failed to shut down" in caplog.text
    assert "no goodbye" in caplog.text


def test_a_lifespan_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    async def stuck(scope: Any, receive: Any, send: Any) -> None:
        import asyncio

        while not release.is_set():
            await asyncio.sleep(0.001)

    monkeypatch.setattr(asgi, "_STARTUP_S", 0.05)
    with pytest.raises(maas.TargetError, match=r"startup took longer than 0.05 s"):
        asgi.Lifespan(maas.mount("/app", stuck)).startup()
    release.set()


def test_its_columns_are_those_of_the_core() -> None:
    assert len(asgi.COLUMNS) == 7
    assert [_core.Field(name) for name in asgi.COLUMNS]
