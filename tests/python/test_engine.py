# SPDX-License-Identifier: Apache-2.0
import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

import maas
from maas import engine
from maas.config import Settings


def test_a_process_has_one_engine_by_default() -> None:
    assert engine.default() is engine.default()


def test_an_engine_tells_how_it_divides_the_cores() -> None:
    assert engine.default().budget


def test_the_default_engine_is_configured_before_its_first_use() -> None:
    engine.default()
    settings = engine.current_settings()
    engine.configure(replace(settings, idle_timeout_s=3.0))  # says nothing about execution
    with pytest.raises(maas.InvalidArgumentError, match="runs already; set cores"):
        engine.configure(replace(settings, executors=settings.executors + 7))
    with pytest.raises(maas.InvalidArgumentError, match="max_held_bytes before the first model"):
        engine.configure(replace(settings, max_held_bytes=1))
    engine.configure(settings)


def test_a_manual_clock_makes_an_engine_of_its_own() -> None:
    made = engine.make(Settings(), manual_clock=True)
    assert made is not engine.default()
    made.advance(1.0)
    made.close()


def test_the_loop_runs_on_a_thread_of_its_own() -> None:
    async def where() -> str:
        return threading.current_thread().name

    loop = engine.loop()
    assert loop is engine.loop()
    assert asyncio.run_coroutine_threadsafe(where(), loop).result(10) == "maas-loop"


def test_the_watch_of_the_loop_calls_who_was_told_and_nobody_who_was_removed() -> None:
    watch = engine.loop_watch()
    assert watch is engine.loop_watch()
    assert watch.loop is engine.loop()
    called = threading.Event()
    lines: list[int] = []

    @maas.endpoint("/endless")
    async def endless() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.sleep(600)
        finally:
            lines.append(threading.get_ident())
            called.set()

    with maas.TestClient(endless) as client:
        found = client.stream("/endless")
        assert next(found) == 1
        found.close()  # a thread that is not the loop's tells it
        assert called.wait(10)
    assert lines == [thread.ident for thread in threading.enumerate() if thread.name == "maas-loop"]

    async def forget() -> None:
        watch.remove(watch.add(lambda: lines.clear()))

    asyncio.run_coroutine_threadsafe(forget(), watch.loop).result(10)
    assert lines


def test_a_process_with_an_engine_and_a_loop_ends_cleanly() -> None:
    program = (
        "import maas; from maas import engine\n"
        "@maas.endpoint('/f')\n"
        "async def f(n: int) -> int: return n\n"
        "client = maas.TestClient(f)\n"
        "assert client.call('/f', n=2) == 2\n"
        "maas.serve(f, port=0, blocking=False)\n"
        "engine.before_exit(lambda: print('closing'))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "closing\n", "")


def test_calls_for_the_loop_are_made_in_order_and_wake_it_once_when_they_come_together() -> None:
    loop = engine.loop()
    wakes: list[object] = []

    class Counting:
        def call_soon_threadsafe(self, call: Any) -> None:
            wakes.append(call)
            loop.call_soon_threadsafe(call)

    calls = engine.LoopCalls(Counting())  # type: ignore[arg-type]
    go_on, done = threading.Event(), threading.Event()
    made: list[int] = []
    calls.soon(go_on.wait, 10)
    for number in range(100):
        calls.soon(made.append, number)
    calls.soon(done.set)
    go_on.set()
    assert done.wait(10)
    assert made == list(range(100))
    assert len(wakes) <= 3


def test_no_call_for_the_loop_is_lost_between_threads() -> None:
    calls = engine.loop_calls()
    made: list[int] = []
    done = threading.Event()

    def make(number: int) -> None:
        made.append(number)
        if len(made) == 4000:
            done.set()

    def ask() -> None:
        for number in range(1000):
            calls.soon(make, number)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done.wait(10)
    assert len(made) == 4000
