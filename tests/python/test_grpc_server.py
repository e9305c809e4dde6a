"""The gRPC service where no client is needed to see it; tests/e2e/test_grpc.py has the clients."""

import builtins
import socket
from typing import Any

import grpc
import pytest

import maas
from maas.config import Settings
from maas.grpc_calls import STATUSES, status_of
from maas.grpc_server import GrpcServer


def server(port: int = 0) -> maas.Server:
    return maas.Server(port=0, settings=Settings(grpc_port=port))


def test_every_status_is_one_of_grpc_s() -> None:
    names = {*STATUSES.values(), status_of(418), status_of(500)}
    assert {name for name in names if not hasattr(grpc.StatusCode, name)} == set()


def test_there_is_no_service_unless_it_is_asked_for() -> None:
    with maas.Server(port=0) as plain:
        assert plain.grpc_port is None
    with server() as running:
        port = running.grpc_port
        assert port
    socket.create_server(("127.0.0.1", port)).close()  # it has let go of it


def test_it_may_be_stopped_before_it_was_started_and_twice() -> None:
    made = server()
    made.stop()
    made.stop()
    with server() as running:
        running.stop()


def test_without_grpcio_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("grpc"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(maas.InvalidArgumentError, match=r"pip install 'maas\[grpc\]'"):
        GrpcServer(lambda *_: None, Settings(grpc_port=0))  # type: ignore[arg-type]


def test_a_script_serves_it_too() -> None:
    @maas.endpoint("/echo")
    def echo(text: str) -> str:
        return text

    running = maas.serve(echo, port=0, grpc_port=0, blocking=False)
    try:
        with grpc.insecure_channel(f"127.0.0.1:{running.grpc_port}") as channel:
            live = channel.unary_unary("/inference.GRPCInferenceService/ServerLive")
            assert live(b"") == b"\x08\x01"
    finally:
        running.stop()
