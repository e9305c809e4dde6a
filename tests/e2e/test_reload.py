"""`--reload` under load: no request is lost, and broken code changes nothing."""

import json
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from server_process import Process
from test_types import Raw

APP = """
import maas
from maas.logs import logger


@maas.on_startup
def begin() -> None:
    logger.info("startup of {version}")


@maas.on_shutdown
def end() -> None:
    logger.info("shutdown of {version}")


@maas.endpoint("/version")
def version(n: int) -> list[int]:
    return [{version}, n]
"""


class Edited:
    """An app that a test edits while it is served."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "edited_app.py"

    def write(self, text: str) -> None:
        """As an editor does: another file in its place."""
        new = self.path.with_suffix(".new")
        new.write_text(text)
        new.replace(self.path)

    def version(self, number: int) -> None:
        self.write(APP.replace("{version}", str(number)))


class Load:
    """Clients that never pause, each on one connection that is kept."""

    def __init__(self, url: str, clients: int) -> None:
        self.answers: list[list[int]] = []
        self.failures: list[object] = []
        self._url = url
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(clients)]
        for thread in self._threads:
            thread.start()

    def _run(self) -> None:
        raw = Raw(self._url)
        number = 0
        try:
            while not self._stop.is_set():
                number += 1
                body = json.dumps({"n": number}).encode()
                status, _, answer = raw.post("/version", body, Content_Type="application/json")
                if status == 200 and json.loads(answer)[1] == number:
                    self.answers.append(json.loads(answer))
                else:
                    self.failures.append((status, answer))
        except Exception as error:
            self.failures.append(error)  # a connection that was dropped
        finally:
            raw.close()

    def end(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)


def test_versions_are_swapped_under_load_without_one_failed_request(
    serve: Callable[..., Process], tmp_path: Path
) -> None:
    app = Edited(tmp_path)
    app.version(1)
    server = serve(app.path, "--reload")
    load = Load(server.url, 4)
    try:
        for number in range(2, 6):
            app.version(number)
            server.wait_for(f"startup of {number}")
            server.wait_for(f"shutdown of {number - 1}")
    finally:
        load.end()
    assert not load.failures
    assert {version for version, _ in load.answers} >= {2, 3, 4}
    order = re.findall(r"(startup|shutdown) of (\d)", server.log)
    assert order == [("startup", "1")] + [
        event for n in range(2, 6) for event in (("startup", str(n)), ("shutdown", str(n - 1)))
    ]


def test_broken_code_is_shown_with_its_line_and_the_old_goes_on(
    serve: Callable[..., Process], tmp_path: Path
) -> None:
    app = Edited(tmp_path)
    app.version(1)
    server = serve(app.path, "--reload")
    load = Load(server.url, 2)
    try:
        app.write("import maas\n\ndef f(:\n")
        server.wait_for("edited_app.py:3: syntax error")
        app.write("import maas\n\nmaas.nothing\n")
        server.wait_for("edited_app.py:3)")
        broken = APP.replace("{version}", "2").replace("logger.info(", "raise ValueError(")
        app.write(broken)
        server.wait_for("on_startup begin")
    finally:
        load.end()
    assert not load.failures
    assert {version for version, _ in load.answers} == {1}
    assert "shutdown of 1" not in server.log
    app.version(3)
    server.wait_for("shutdown of 1")
    assert server.client().call("/version", n=0) == [3, 0]


def test_an_edit_that_changes_one_character_at_once_is_seen(
    serve: Callable[..., Process], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    app = Edited(tmp_path)
    app.version(1)
    (tmp_path / "beside.py").write_text("WORD = 1\n")
    app.write(
        APP.replace("{version}", "1").replace("[1, n]", "[beside.WORD, n]") + "import beside\n"
    )
    server = serve(app.path, "--reload")
    client = server.client()
    before = (tmp_path / "beside.py").stat()
    assert client.call("/version", n=0) == [1, 0]
    # As many bytes, within the same second: what Python keeps of compiled sources looks fresh.
    (tmp_path / "beside.py").write_text("WORD = 2\n")
    os.utime(tmp_path / "beside.py", ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    server.wait_for("reloaded")
    assert client.call("/version", n=0) == [2, 0]


def test_a_new_file_that_is_broken_is_tried_again_when_it_is_mended(
    serve: Callable[..., Process], tmp_path: Path
) -> None:
    app = Edited(tmp_path)
    app.version(1)
    server = serve(app.path, "--reload")
    (tmp_path / "helper.py").write_text("def f(:\n")
    app.write(APP.replace("{version}", "2") + "import helper\n")
    server.wait_for("helper.py:1: syntax error")
    (tmp_path / "helper.py").write_text("def f(): ...\n")
    server.wait_for("shutdown of 1")
    assert server.client().call("/version", n=0) == [2, 0]
