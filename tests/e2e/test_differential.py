# SPDX-License-Identifier: Apache-2.0
"""Cases A to C behind nginx and HAProxy: no request that a proxy forwards is framed differently.

The application behind the proxy counts what reaches it. A proxy may refuse what we would take and
repair what we would refuse; but one connection's bytes must never become more requests, or another
body, behind it than the proxy itself saw.
"""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from server_process import START_S
from tests.python import http_cases
from tests.python.http_cases import Case, Echo

import maas
from maas import config

NGINX = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log {folder}/access.log; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b;
  fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  upstream maas {{ server 127.0.0.1:{behind}; keepalive 4; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://maas; proxy_http_version 1.1; proxy_set_header Connection "";
                  proxy_set_header Host localhost; proxy_request_buffering off; }}
  }}
}}
"""
HAPROXY = """
global
  log /dev/null local0
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
frontend f
  bind 127.0.0.1:{port}
  default_backend b
backend b
  http-reuse always
  http-request set-header Host localhost
  server maas 127.0.0.1:{behind}
"""
CASES = [
    case
    for name in ("a_framing", "b_head", "c_chunks")
    for case in http_cases.load(name)
    if "server" not in case and case.get("then") != "reset"
]
# Of them, those with a second request behind what is refused, or hidden in a body.
SMUGGLED = "/app/smuggled"


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Recorder(Echo):
    """Also keeps the paths and the bodies that have come."""

    def __init__(self) -> None:
        super().__init__()
        self.paths: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            self.paths.append(scope["path"])
        await super().__call__(scope, receive, send)


def configure(proxy: str, folder: Path, behind: int, port: int) -> list[str]:
    text = {"nginx": NGINX, "haproxy": HAPROXY}[proxy]
    path = folder / "proxy.conf"
    path.write_text(text.format(folder=folder, behind=behind, port=port))
    return [proxy, *(["-c"] if proxy == "nginx" else ["-db", "-f"]), str(path)]


@pytest.fixture(scope="module", params=["nginx", "haproxy"])
def proxy(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[int, Recorder]]:
    if shutil.which(request.param) is None:
        pytest.skip(f"needs {request.param}: apt-get install {request.param}")
    folder, recorder, port = tmp_path_factory.mktemp("proxy"), Recorder(), free_port()
    settings = replace(config.Settings(), allowed_hosts="*")
    with maas.Server(port=0, settings=settings) as server:
        server.publish([maas.mount("/app", recorder)])
        command = configure(request.param, folder, server.port, port)
        log = (folder / "log").open("wb")
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            wait_until(lambda: answers(port))
            yield port, recorder
        finally:
            process.terminate()
            process.wait(10)
            log.close()


def wait_until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + START_S
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def answers(port: int) -> bool:
    case: Case = {"request": "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"}
    try:
        found = http_cases.exchange({**case, "expect": {"status": [200]}}, port)
    except OSError:
        return False
    return [answer.status for answer in found.answers] == [200]


@pytest.mark.long
@pytest.mark.parametrize("case", CASES, ids=http_cases.label)
def test_a_proxy_and_the_server_behind_it_see_the_same_requests(
    case: Case, proxy: tuple[int, Recorder]
) -> None:
    port, recorder = proxy
    recorder.paths.clear()
    # As many answers as come before the proxy is silent: what it takes is its own affair.
    seen = http_cases.exchange({**case, "quiet_s": 0.1, "expect": {"status": []}}, port)
    assert SMUGGLED not in recorder.paths
    # Each request that arrived was answered by the proxy, none was made of another's bytes.
    wait_until(lambda: answers(port))
    answered = [answer for answer in seen.answers if answer.status == 200]
    assert recorder.paths.count("/app/second") <= len(answered)
    for answer in seen.answers:
        assert answer.status != 502, "the server broke off what the proxy had taken for a request"
