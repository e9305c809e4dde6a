# SPDX-License-Identifier: Apache-2.0
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from maas import targets
from maas.reload import Reloader
from maas.service import Service

APP = """
import maas
from part import WORD

@maas.endpoint("/word")
def word() -> str:
    return WORD
"""


class Watched:
    """A target in a folder of its own, and what was published of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.published: list[Service] = []
        self.write("watched_app.py", APP)
        self.write("part.py", "WORD = 'one'\n")
        self.target = str(folder / "watched_app.py")
        targets.load(self.target)
        self.reloader = Reloader(self.target, self.published.append)
        self._time = 1_000_000_000

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.write_text(text)
        self._time = getattr(self, "_time", 0) + 10
        os.utime(path, (self._time, self._time))

    def word(self) -> str:
        answer: str = self.published[-1].endpoints[0].function()
        return answer


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield Watched(tmp_path)
    for name in ("watched_app", "part"):
        sys.modules.pop(name, None)


def test_without_a_change_nothing_is_published(watched: Watched) -> None:
    assert not watched.reloader.check()
    assert watched.published == []


def test_a_changed_part_is_served_anew(watched: Watched) -> None:
    watched.write("part.py", "WORD = 'two'\n")
    assert watched.reloader.check()
    assert watched.word() == "two"
    assert not watched.reloader.check()


def test_a_syntax_error_keeps_the_old_one_and_logs_file_and_line(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    watched.write("part.py", "WORD = \n")
    assert not watched.reloader.check()
    assert watched.published == []
    assert "the old version keeps serving" in caplog.text
    assert "part.py:1: syntax error" in caplog.text
    watched.write("part.py", "WORD = 'three'\n")
    assert watched.reloader.check()
    assert watched.word() == "three"


def test_a_file_that_an_editor_is_replacing_is_waited_for(watched: Watched) -> None:
    (watched.folder / "part.py").unlink()
    assert not watched.reloader.check()
    watched.write("part.py", "WORD = 'four'\n")
    assert watched.reloader.check()
    assert watched.word() == "four"


def test_the_watch_ends_when_it_is_stopped(watched: Watched) -> None:
    watched.reloader.start()
    watched.reloader.stop()
