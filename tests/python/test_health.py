# SPDX-License-Identifier: Apache-2.0
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

import maas
from maas import health
from maas.health import Monitor, reason_of


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (None, ""),
        (True, ""),
        (False, "returned False"),
        ("stale", "stale"),
        ("", "empty text"),
        ({}, "returned a dict"),
        (1, "returned a int"),
    ],
)
def test_only_none_and_true_are_well(result: Any, reason: str) -> None:
    assert (reason_of(result) == "") == (reason == "")
    assert reason in reason_of(result)


class Reports(list[str]):
    """What was reported, and a way to wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()

    def __call__(self, reason: str) -> None:
        with self._changed:
            self.append(reason)
            self._changed.notify_all()

    def wait_for(self, found: Callable[[list[str]], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: found(self), 10), list(self)


def test_changes_are_reported_once_each_and_both_ways() -> None:
    reports, well = Reports(), threading.Event()
    monitor = Monitor(reports, 0.01)
    monitor.watch((("iris", lambda: well.is_set() or "the model is stale"),))
    assert reports == ["service 'iris': the model is stale"]
    well.set()
    reports.wait_for(lambda all: all[-1] == "")
    monitor.stop()
    assert len(reports) == 2


def test_an_exception_is_a_reason_and_every_service_is_named() -> None:
    async def broken() -> None:
        raise ConnectionError("no database")

    reports = Reports()
    monitor = Monitor(reports, 60)
    monitor.watch((("a", broken), ("b", lambda: True), ("c", lambda: False)))
    monitor.stop()
    assert reports == [
        "service 'a': ConnectionError: no database; service 'c': health() returned False"
    ]


def test_a_check_that_hangs_is_a_reason_and_is_not_called_again_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(health, "TIMEOUT_S", 0.05)
    calls: list[int] = []
    release = threading.Event()

    def hangs() -> None:
        calls.append(1)
        release.wait(10)

    reports = Reports()
    monitor = Monitor(reports, 0.01)
    monitor.watch((("iris", hangs),))
    assert "has not answered within 0.05 s" in reports[0]
    assert len(calls) == 1
    release.set()
    reports.wait_for(lambda all: all[-1] == "")
    monitor.stop()


def test_readyz_says_which_service_is_unwell_and_why() -> None:
    state: dict[str, Any] = {"health": "warming up"}

    @maas.service(name="iris")
    class Iris:
        def health(self) -> Any:
            return state["health"]

        @maas.endpoint("/f")
        def f(self, n: int) -> int:
            return n

    with maas.TestClient(Iris) as client:
        status, _, body = client.exchange("GET", "/readyz", [], b"")
        assert status == 503
        assert json.loads(body)["error"] == "service 'iris': warming up"
        assert client.call("/f", n=1) == 1
        state["health"] = True
        client.server._health._round()
        assert client.ready()
        assert client.exchange("GET", "/v2/health/ready", [], b"")[0] == 200


def test_an_endpoint_that_is_called_health_is_no_check() -> None:
    @maas.service
    class Service:
        @maas.endpoint("/health")
        def health(self, n: int) -> int:
            return n

    with maas.TestClient(Service) as client:
        assert client.ready()
        assert client.call("/health", n=2) == 2


def test_a_version_without_checks_is_ready() -> None:
    @maas.service
    class Sick:
        def health(self) -> bool:
            return False

        @maas.endpoint("/f")
        def f(self, n: int) -> int:
            return n

    @maas.endpoint("/f")
    def f(n: int) -> int:
        return n

    with maas.TestClient(Sick) as client:
        assert not client.ready()
        client.server.publish(f)
        assert client.ready()
