"""The server as its users meet it: a process, its signals, its log, its exit code."""

import contextlib
import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from server_process import Process

APP = """
import threading
import maas

entered = threading.Event()

@maas.endpoint("/wait")
def wait(seconds: float) -> str:
    print("entered", flush=True)
    maas_log.warning("entered")
    threading.Event().wait(seconds)
    return "done"

@maas.endpoint("/fail")
def fail(text: str) -> str:
    raise ValueError(f"cannot use {text}")

@maas.endpoint("/spin", timeout_s=600)
def spin(seconds: float) -> str:
    import time
    end = time.monotonic() + seconds
    maas_log.warning("spinning")
    while time.monotonic() < end:
        pass
    return "spun"

import logging
maas_log = logging.getLogger("maas")
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    path = tmp_path / "app.py"
    path.write_text(APP)
    return path


def post(url: str, path: str, body: object) -> tuple[int, dict[str, str], bytes]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 0, timeout=60)
    try:
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def in_background(url: str, path: str, body: object) -> tuple[threading.Thread, list[int]]:
    status: list[int] = []
    thread = threading.Thread(target=lambda: status.append(post(url, path, body)[0]))
    thread.start()
    return thread, status


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_finishes_what_runs_and_exits_with_0(
    serve: Callable[..., Process], app: Path, number: signal.Signals
) -> None:
    server = serve(app)
    thread, status = in_background(server.url, "/wait", {"seconds": 1.0})
    server.wait_for("entered")
    server.send(number)
    thread.join(30)
    assert status == [200]
    assert server.exit_code() == 0


def test_a_second_signal_ends_at_once(serve: Callable[..., Process], app: Path) -> None:
    server = serve(app)
    thread = threading.Thread(target=_ignoring_errors, args=(server.url,))
    thread.start()
    server.wait_for("entered")
    server.send(signal.SIGTERM)
    server.wait_for("finishing what runs")
    started = time.monotonic()
    server.send(signal.SIGTERM)
    assert server.exit_code() == 128 + signal.SIGTERM
    assert time.monotonic() - started < 10
    thread.join(30)


def _ignoring_errors(url: str) -> None:
    with contextlib.suppress(OSError, http.client.HTTPException):
        post(url, "/wait", {"seconds": 25.0})


def test_an_exception_gives_500_with_an_id_that_finds_its_traceback_in_the_log(
    serve: Callable[..., Process], app: Path
) -> None:
    server = serve(app)
    status, headers, body = post(server.url, "/fail", {"text": "this"})
    assert status == 500
    answer = json.loads(body)
    assert answer["request_id"] == headers["X-Request-Id"]
    assert "Traceback" not in body.decode()
    assert "cannot use this" not in body.decode()
    server.wait_for("ValueError: cannot use this")
    assert answer["request_id"] in server.log


def test_wrong_values_are_422_and_malformed_json_is_400(
    serve: Callable[..., Process], app: Path
) -> None:
    server = serve(app)
    status, _, body = post(server.url, "/wait", {"seconds": "long"})
    assert status == 422
    problem = json.loads(body)["detail"][0]
    assert problem["loc"] == ["body", "seconds"]
    assert set(problem) >= {"loc", "msg", "type"}
    status, _, body = post(server.url, "/wait", {})
    assert (status, json.loads(body)["detail"][0]["type"]) == (422, "missing")
    parts = urlsplit(server.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 0, timeout=60)
    connection.request("POST", "/wait", "{", {"Content-Type": "application/json"})
    assert connection.getresponse().status == 400
    connection.close()


def test_a_spinning_handler_does_not_hold_up_a_native_model(
    serve: Callable[..., Process], app: Path, digits: Path
) -> None:
    app.write_text(
        APP
        + f"""
row = maas.Tensor("float32", [8, 8])
net = maas.load({str(digits)!r}, inputs={{"image": row}}, max_batch_size=4)
"""
    )
    server = serve(app)
    thread, status = in_background(server.url, "/spin", {"seconds": 2.0})
    server.wait_for("spinning")
    client = server.client()
    image = [[[0.0] * 8] * 8]
    answered = 0
    while thread.is_alive():
        client.infer("digits", {"image": image})
        answered += 1
    assert status == [200]
    assert answered > 50


def test_reload_serves_edited_code_and_keeps_the_old_when_it_is_broken(
    serve: Callable[..., Process], app: Path
) -> None:
    app.write_text('import maas\n@maas.endpoint("/v")\ndef v() -> int:\n    return 1\n')
    server = serve(app, "--reload")
    client = server.client()
    assert client.call("/v") == 1
    app.write_text('import maas\n@maas.endpoint("/v")\ndef v() -> int:\n    return 2 +\n')
    server.wait_for("syntax error")
    assert client.call("/v") == 1
    app.write_text('import maas\n@maas.endpoint("/v")\ndef v() -> int:\n    return 22\n')
    deadline = time.monotonic() + 30
    while client.call("/v") != 22:
        assert time.monotonic() < deadline


def run(*arguments: str | Path, folder: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "maas", "serve", *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stderr


def test_a_port_in_use_is_one_sentence_and_exit_2(app: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, error = run(app, "--port", str(port), folder=tmp_path)
    assert code == 2
    assert str(port) in error
    assert "in use" in error
    assert "Traceback" not in error


TWICE = """
@maas.endpoint("/a")
def first() -> int:
    return 1


@maas.endpoint("/a")
def second() -> int:
    return 2
"""


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ('maas.load("nowhere.pt")', ["nowhere.pt", "was not found"]),
        ('maas.load("text.pt")', ["text.pt", "TorchScript"]),
        ('maas.endpoint("/x")(42)', ["42"]),
        ('maas.endpoint("no-slash")(lambda: 1)', ["no-slash", "/"]),
        (TWICE, ["/a", "another path"]),
    ],
)
def test_what_cannot_be_served_is_one_sentence_and_exit_2(
    tmp_path: Path, source: str, words: list[str]
) -> None:
    (tmp_path / "text.pt").write_text("this is no model")
    (tmp_path / "app.py").write_text(f"import maas\n{source}\n")
    code, error = run("app.py", folder=tmp_path)
    assert code == 2, error
    assert "Traceback" not in error
    assert len(error.strip().splitlines()) == 1
    for word in words:
        assert word in error


def test_a_misspelt_option_or_key_is_named_with_a_suggestion(app: Path, tmp_path: Path) -> None:
    code, error = run(app, "--prot", "1", folder=tmp_path)
    assert (code, "--port" in error) == (2, True)
    (tmp_path / "maas.yaml").write_text("hots: 127.0.0.1\n")
    code, error = run(app, "--config", "maas.yaml", folder=tmp_path)
    assert (code, bool(re.search(r"hots.*host", error))) == (2, True)
