# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

import maas
from maas import store


def test_the_folder_is_the_one_given_or_that_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert store.folder() == Path("~/.maas").expanduser()
    monkeypatch.setenv("MAAS_HOME", str(tmp_path / "home"))
    assert store.folder() == tmp_path / "home"
    assert store.folder(tmp_path / "other") == tmp_path / "other"


def test_a_store_that_is_only_asked_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(maas.NotFoundError, match="models add"):
        store.opened(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_store_is_opened_once(tmp_path: Path) -> None:
    assert store.opened(tmp_path, create=True) is store.opened(tmp_path)


def test_the_user_of_the_process_is_named() -> None:
    assert "@" in store.user()
