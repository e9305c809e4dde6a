# SPDX-License-Identifier: Apache-2.0
import socket
import threading
from typing import Any

import pytest

import maas
from maas import logs


@maas.endpoint("/echo")
def echo(text: str) -> str:
    return text


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def test_serving_without_blocking_returns_a_running_server() -> None:
    with maas.serve(echo, port=0, blocking=False) as running, maas.Client(running.url) as client:
        assert client.call("/echo", text="hi") == "hi"
        assert "/echo" in running.stats


def test_serving_again_on_the_same_port_swaps_what_is_served() -> None:
    @maas.endpoint("/echo")
    def louder(text: str) -> str:
        return text.upper()

    first = maas.serve(echo, port=0, blocking=False)
    with maas.Client(first.url) as client:
        assert client.call("/echo", text="hi") == "hi"
        again = maas.serve(louder, port=first.port, blocking=False)
        assert again is first
        assert client.call("/echo", text="hi") == "HI"
    first.stop()


def test_without_a_target_the_names_of_the_caller_are_served() -> None:
    names: dict[str, Any] = {"maas": maas, "echo": echo}
    exec("server = maas.serve(port=0, blocking=False)", names)
    with names["server"] as running, maas.Client(running.url) as client:
        assert client.call("/echo", text="hi") == "hi"


def test_a_stopped_server_gives_its_port_back() -> None:
    first = maas.serve(echo, port=0, blocking=False)
    port = first.port
    first.stop()
    first.stop()
    with maas.serve(echo, port=port, blocking=False) as again:
        assert again is not first
        assert again.port == port


def test_blocking_ends_when_the_server_is_stopped(free_port: int) -> None:
    before = logs.logger.handlers[:], logs.logger.propagate
    about: dict[str, Any] = {"host": "127.0.0.1", "port": free_port}
    serving = threading.Thread(target=maas.serve, args=(echo,), kwargs=about)
    serving.start()
    with maas.Client(f"http://127.0.0.1:{free_port}") as client:
        while not client.ready():
            serving.join(0.01)
    maas.serve(echo, **about, blocking=False).stop()
    serving.join(10)
    assert not serving.is_alive()
    logs.logger.handlers[:], logs.logger.propagate = before
