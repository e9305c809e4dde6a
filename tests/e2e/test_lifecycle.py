"""What runs around a server's life, in a real process: hooks, teardown, readiness."""

import json
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

from server_process import Process
from test_types import Raw

import maas

APP = """
import threading

import maas
from maas.logs import logger

hang = threading.Event()
state = {"health": True}


@maas.on_shutdown
async def end() -> None:
    logger.info("shutdown")


@maas.service(name="worker")
class Worker:
    def setup(self) -> None:
        logger.info("setup")

    def teardown(self) -> None:
        logger.info("teardown")

    def health(self) -> bool | str:
        if state["health"] == "hang":
            hang.wait(30)
        return state["health"]

    @maas.endpoint("/state")
    def set_state(self, health: bool | str) -> bool:
        state["health"] = health
        return True

    @maas.endpoint("/release")
    def release(self) -> bool:
        state["health"] = True
        hang.set()
        return True

    @maas.endpoint("/slow")
    def slow(self, seconds: float) -> bool:
        logger.info("slow begins")
        threading.Event().wait(seconds)
        logger.info("slow ends")
        return True
"""


def started(serve: Callable[..., Process], folder: Path, *options: str) -> Process:
    (folder / "life_app.py").write_text(APP)
    return serve(folder / "life_app.py", *options)


def readiness(server: Process) -> tuple[int, str]:
    raw = Raw(server.url)
    try:
        raw._connection.request("GET", "/readyz")
        answer = raw._connection.getresponse()
        return answer.status, json.loads(answer.read()).get("error", "")
    finally:
        raw.close()


def wait_until_ready_is(server: Process, status: int, text: str = "") -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        got = readiness(server)
        if got[0] == status and text in got[1]:
            return
    raise AssertionError(f"{readiness(server)} is not {status} {text!r}")


def test_a_signal_runs_the_shutdowns_after_the_last_request(
    serve: Callable[..., Process], tmp_path: Path
) -> None:
    server = started(serve, tmp_path)
    thread = threading.Thread(target=server.client().call, args=("/slow",), kwargs={"seconds": 0.5})
    thread.start()
    server.wait_for("slow begins")
    server.send(signal.SIGTERM)
    assert server.exit_code() == 0
    thread.join(30)
    events = ("setup", "slow begins", "slow ends", "teardown", "shutdown")
    places = [server.log.index(f" {event}\n") for event in events]
    assert places == sorted(places), server.log


def test_a_request_that_does_not_end_in_time_does_not_keep_the_shutdowns_from_running(
    serve: Callable[..., Process], tmp_path: Path
) -> None:
    server = started(serve, tmp_path, "--drain-timeout-s", "0.2")

    def call() -> None:
        try:
            server.client().call("/slow", seconds=20.0)
        except maas.Error:
            return

    thread = threading.Thread(target=call)
    thread.start()
    server.wait_for("slow begins")
    server.send(signal.SIGTERM)
    assert server.exit_code() == 0
    thread.join(30)
    assert " shutdown\n" in server.log


def test_readiness_follows_the_health_of_a_service_and_a_hanging_check_blocks_nothing(
    serve: Callable[..., Process], tmp_path: Path
) -> None:
    server = started(serve, tmp_path, "--health-interval-s", "0.05")
    client = server.client()
    assert readiness(server) == (200, "")
    client.call("/state", health="the index is stale")
    wait_until_ready_is(server, 503, "service 'worker': the index is stale")
    client.call("/state", health=False)
    wait_until_ready_is(server, 503, "returned False")
    client.call("/state", health=True)
    wait_until_ready_is(server, 200)
    client.call("/state", health="hang")
    wait_until_ready_is(server, 503, "has not answered within 5 s")
    assert client.call("/slow", seconds=0.0) is True
    client.call("/release")
    wait_until_ready_is(server, 200)


def test_a_startup_that_fails_ends_the_command_with_its_place(
    serve: Callable[..., Process], tmp_path: Path
) -> None:
    (tmp_path / "bad_app.py").write_text(
        APP + '\n\n@maas.on_startup\ndef connect() -> None:\n    raise OSError("no database")\n'
    )
    process = Process([str(tmp_path / "bad_app.py")], tmp_path)
    try:
        assert process.exit_code() == 2
        assert "on_startup connect (" in process.log
        assert "OSError: no database" in process.log
        assert "serving" not in process.log
        assert "Traceback" not in process.log
    finally:
        process.end()
