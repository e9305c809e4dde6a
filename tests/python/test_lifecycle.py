# SPDX-License-Identifier: Apache-2.0
import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

import maas
from maas import lifecycle
from maas.lifecycle import Hooks

Log = list[str]


def app(log: Log, name: str, wait: threading.Event | None = None) -> dict[str, Any]:
    """A module's names: one endpoint and two pairs of hooks."""

    @maas.on_startup
    def open_one() -> None:
        log.append(f"{name} open one")

    @maas.on_startup
    async def open_two() -> None:
        await asyncio.sleep(0)
        log.append(f"{name} open two")

    @maas.on_shutdown
    def close_one() -> None:
        log.append(f"{name} close one")

    @maas.on_shutdown
    async def close_two() -> None:
        log.append(f"{name} close two")

    @maas.endpoint("/f")
    def f(n: int) -> str:
        if wait is not None:
            log.append(f"{name} begins")
            entered.set()
            wait.wait(10)
            log.append(f"{name} ends")
        return name

    entered = threading.Event()
    return {**locals(), "entered": entered}


def test_startups_run_in_order_before_and_shutdowns_in_reverse_after() -> None:
    log: Log = []
    with maas.TestClient(app(log, "a")) as client:
        assert log == ["a open one", "a open two"]
        assert client.call("/f", n=1) == "a"
    assert log[2:] == ["a close two", "a close one"]
    client.close()
    assert len(log) == 4


def test_a_new_version_starts_before_the_swap_and_the_old_one_stops_after_its_last_request() -> (
    None
):
    log: Log = []
    release = threading.Event()
    old = app(log, "old", release)
    with maas.TestClient(old) as client:
        call = client.submit("/f", n=1)
        assert old["entered"].wait(10)
        client.server.publish(app(log, "new"))
        assert client.call("/f", n=1) == "new"
        retiring = client.server._retiring
        assert [thread.is_alive() for thread in retiring] == [True]
        release.set()
        assert call.result() == "old"
        retiring[0].join(10)
        assert log == [
            *("old open one", "old open two", "old begins", "new open one", "new open two"),
            *("old ends", "old close two", "old close one"),
        ]
    assert log[-2:] == ["new close two", "new close one"]


def test_the_same_hooks_published_again_do_not_run_again() -> None:
    log: Log = []
    names = app(log, "a")
    with maas.TestClient(names) as client:
        client.server.publish(names)
        client.server.publish(names)
        assert log == ["a open one", "a open two"]
    assert len(log) == 4


def test_a_startup_that_fails_changes_nothing_and_says_where() -> None:
    log: Log = []

    @maas.on_startup
    def connect() -> None:
        raise ConnectionError("no database")

    @maas.endpoint("/f")
    def f(n: int) -> str:
        return "new"

    with maas.TestClient(app(log, "old")) as client:
        with pytest.raises(maas.TargetError, match=r"connect \(.*test_lifecycle.py:\d+\) failed"):
            client.server.publish({"f": f, "connect": connect})
        assert client.call("/f", n=1) == "old"
        assert len(log) == 2


def test_a_shutdown_that_fails_or_hangs_ends_no_other(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "SHUTDOWN_TIMEOUT_S", 0.05)
    hang, ran = threading.Event(), threading.Event()

    @maas.on_shutdown
    def last() -> None:
        ran.set()

    @maas.on_shutdown
    def hangs() -> None:
        hang.wait(10)

    @maas.on_shutdown
    def raises() -> None:
        raise ValueError("broken")

    with caplog.at_level(logging.WARNING, "maas"):
        lifecycle.stop(lifecycle.hooks_from([last, hangs, raises]))
    hang.set()
    assert ran.is_set()
    assert "raises" in caplog.messages[0]
    assert "still runs" in caplog.messages[1]


def test_methods_of_a_service_are_hooks_and_teardown_undoes_setup() -> None:
    log: Log = []

    @maas.service
    class Service:
        def setup(self) -> None:
            log.append("setup")

        def teardown(self) -> None:
            log.append("teardown")

        @maas.on_startup
        def begin(self) -> None:
            log.append("begin")

        @maas.on_shutdown
        async def end(self) -> None:
            log.append("end")

        @maas.endpoint("/f")
        def f(self, n: int) -> int:
            return n

    for _ in range(2):
        log.clear()
        with maas.TestClient(Service) as client:
            assert client.call("/f", n=1) == 1
        assert log == ["setup", "begin", "end", "teardown"]


def test_hooks_take_no_arguments_and_are_functions() -> None:
    def needs(database: str) -> None: ...

    with pytest.raises(maas.InvalidArgumentError, match="remove 'database'"):
        maas.on_startup(needs)
    with pytest.raises(maas.InvalidArgumentError, match="decorates a function"):
        maas.on_shutdown(int)

    @maas.on_startup
    def twice() -> None: ...

    with pytest.raises(maas.InvalidArgumentError, match="already"):
        maas.on_shutdown(twice)


def test_hooks_alone_are_nothing_to_serve() -> None:
    @maas.on_startup
    def begin() -> None: ...

    with pytest.raises(maas.TargetError, match="nothing to serve"):
        maas.TestClient({"begin": begin})


def test_hooks_add_up_without_twins() -> None:
    def a() -> None: ...
    def b() -> None: ...

    one: Hooks = Hooks(startup=(a,), shutdown=(a,))
    both: Hooks = one + Hooks(startup=(b, a), shutdown=(b, a))
    assert both.startup == (a, b)
    assert both.shutdown == (b, a)


def test_nothing_waits_where_nothing_is_to_be_shut_down() -> None:
    idle: Callable[[], bool] = lambda: True  # noqa: E731
    assert lifecycle.retire(Hooks(), idle) is None
