"""`async def` handlers run on one loop, with hundreds in flight."""

import threading
from collections.abc import Callable
from pathlib import Path

from server_process import Process

import maas

APP = """
import asyncio
import threading

import maas

opened = asyncio.Event()
waiting: set[int] = set()
threads: set[int] = set()


@maas.endpoint("/wait")
async def wait(n: int) -> int:
    waiting.add(n)
    threads.add(threading.get_ident())
    await opened.wait()
    return n


@maas.endpoint("/waiting")
async def count() -> list[int]:
    return [len(waiting), len(threads)]


@maas.endpoint("/open")
async def open_all() -> int:
    opened.set()
    return len(waiting)
"""


def test_two_hundred_requests_wait_on_one_loop_for_another_request(
    serve: Callable[..., Process], tmp_path: Path
) -> None:
    (tmp_path / "waiting_app.py").write_text(APP)
    server = serve(tmp_path / "waiting_app.py")
    answers: list[int] = []

    def call(n: int) -> None:
        with maas.Client(server.url) as client:
            answers.append(client.call("/wait", n=n))

    threads = [threading.Thread(target=call, args=(n,)) for n in range(200)]
    for thread in threads:
        thread.start()
    client = server.client()
    while client.call("/waiting")[0] < 200:
        pass  # each call is a round trip
    assert client.call("/waiting") == [200, 1]
    assert answers == []
    assert client.call("/open") == 200
    for thread in threads:
        thread.join(60)
    assert sorted(answers) == list(range(200))
