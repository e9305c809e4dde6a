# SPDX-License-Identifier: Apache-2.0
"""Too many connections, and too few descriptors for them."""

import resource
import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from server_process import Process

ECHO = """import maas


@maas.endpoint("/echo")
def echo(text: str) -> str:
    return text
"""
FEW = 100


def get(address: tuple[str, int]) -> bytes:
    """What comes of one request on a connection of its own; nothing when it is closed at once."""
    try:
        with socket.create_connection(address, 10) as client:
            client.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = b""
            while chunk := client.recv(4096):
                answer += chunk
            return answer
    except ConnectionError:
        return b""


def start(serve: Callable[..., Process], folder: Path, *flags: str) -> tuple[Process, str, int]:
    (folder / "app.py").write_text(ECHO)
    process = serve("app.py", *flags)
    url = urlsplit(process.url)
    assert url.hostname is not None
    assert url.port is not None
    return process, url.hostname, url.port


def test_connections_over_the_cap_are_told_so_and_others_go_on(
    serve: Callable[..., Process], tmp_path: Path
) -> None:
    _, host, port = start(serve, tmp_path, "--max-connections", "3")
    with ExitStack() as open_ones:
        held = [open_ones.enter_context(socket.create_connection((host, port))) for _ in range(3)]
        for client in held:
            client.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert client.recv(4096).startswith(b"HTTP/1.1 200")
        refused = get((host, port))
        assert refused.startswith(b"HTTP/1.1 503")
        assert b"too many connections" in refused
        held[0].sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert held[0].recv(4096).startswith(b"HTTP/1.1 200")


def test_running_out_of_descriptors_does_not_stop_accepting_for_good(
    serve: Callable[..., Process], tmp_path: Path
) -> None:
    process, host, port = start(serve, tmp_path)
    used = len(list(Path(f"/proc/{process.popen.pid}/fd").iterdir()))
    resource.prlimit(process.popen.pid, resource.RLIMIT_NOFILE, (used + FEW, used + FEW))
    with ExitStack() as open_ones:
        for _ in range(2 * FEW):
            try:
                open_ones.enter_context(socket.create_connection((host, port), 10))
            except ConnectionError:
                continue
        assert get((host, port)) == b""  # closed without a word: nobody waits for nothing
    for _ in range(1000):
        if get((host, port)).startswith(b"HTTP/1.1 200"):
            break
    else:
        raise AssertionError("the server accepts no more")
    assert process.popen.poll() is None
