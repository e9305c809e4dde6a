# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

import maas

ROW = maas.Tensor("float32", [3])


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAAS_HOME", str(tmp_path / "home"))
    (tmp_path / "a.bin").write_text("bytes")
    return tmp_path / "home"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a.bin"


def add(file: Path, count: int = 1, **about: object) -> None:
    for _ in range(count):
        maas.models.add("net", file, runtime="none", **about)  # type: ignore[arg-type]


def test_numbers_rise_and_are_never_used_again(file: Path) -> None:
    add(file, 3)
    maas.models.delete("net", 3)
    add(file)
    assert [version.version for version in maas.models.list("net")] == [1, 2, 4]
    for version in (1, 2, 4):
        maas.models.delete("net", version)
    assert maas.models.add("net", file, runtime="none").version == 5


def test_an_alias_moves_only_from_where_it_is_expected(file: Path) -> None:
    add(file, 3)
    maas.models.alias("net", "champion", 1, expect=0)
    with pytest.raises(maas.ConflictError, match="is at version 1, not at version 2"):
        maas.models.alias("net", "champion", 3, expect=2)
    maas.models.promote("net", 2, 1)
    assert maas.models.get("net").aliases == ("champion",)
    assert maas.models.rollback("net")["version"] == 1
    moves = [(m["action"], m["version"]) for m in maas.models.history("net", "champion")]
    assert moves == [("rollback", 1), ("set", 2), ("set", 1)]
    maas.models.unalias("net", "champion")
    assert maas.models.model("net").aliases == {}


def test_a_version_that_an_alias_is_at_is_not_deleted(file: Path) -> None:
    add(file, alias="blue")
    with pytest.raises(maas.ConflictError, match="alias 'blue'"):
        maas.models.delete("net", 1)
    with pytest.raises(maas.InvalidArgumentError, match="name the version"):
        maas.models.delete("net", None)


def test_a_search_finds_and_pages(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maas.models._PAGE", 2)
    add(file, 5, tags={"team": "red"}, metrics={"test:loss": 0.25})
    found = maas.models.search("tags.team = 'red' AND metrics.test.loss < 0.3")
    assert [version.version for version in found] == [1, 2, 3, 4, 5]
    with pytest.raises(maas.InvalidArgumentError, match="at character 1"):
        list(maas.models.search("nam = 'x'"))


def test_details_change_and_are_compared(file: Path) -> None:
    add(file)
    add(file, description="second")
    maas.models.annotate("net", 1, tags={"k": "v"}, description="first")
    assert maas.models.get("net", 1).tags == {"k": "v"}
    maas.models.annotate("net", 1, tags={"k": None})
    maas.models.annotate("net", description="a net")
    assert maas.models.model("net").description == "a net"
    assert maas.models.diff("net:1", "net:2")["about"]["description"] == ["first", "second"]


def test_every_change_is_in_the_audit(file: Path) -> None:
    maas.models.add("net", file, runtime="none", who="ann")
    maas.models.promote("net", 1, who="bob")
    entries = [*maas.models.log("net")]
    assert [(e["who"], e["action"]) for e in entries] == [
        ("ann", "create_model"),
        ("ann", "publish"),
        ("bob", "alias_set"),
    ]
    rows, head = maas.models.verify_log()
    assert (rows, head) == (3, entries[-1]["hash"])


def test_upkeep_reports_and_recovers(file: Path, home: Path, tmp_path: Path) -> None:
    add(file, 2, alias="champion")
    assert maas.models.fsck()["well"]
    assert maas.models.gc(dry_run=True)["blobs"] == 0
    assert maas.models.backup(tmp_path / "copy")["versions"] == 2
    (home / "catalogue.db").write_bytes(b"garbage" * 1000)
    with pytest.raises(maas.InternalError, match="recover"):
        maas.models.get("net")
    assert maas.models.recover()["versions"] == 2
    assert maas.models.get("net").version == 2
    assert maas.models.get("net", store=tmp_path / "copy").version == 2
    maas.models.delete("net", 1)
    assert maas.models.gc(grace_s=0)["blobs"] == 1


def test_what_is_not_there_is_said(file: Path) -> None:
    with pytest.raises(maas.NotFoundError, match="there is no store"):
        maas.models.get("net")
    add(file)
    with pytest.raises(maas.NotFoundError, match="no model 'other'"):
        list(maas.models.list("other"))
    with pytest.raises(maas.NotFoundError, match="no version 7"):
        maas.models.promote("net", 7)
    with pytest.raises(maas.InvalidArgumentError, match="from 1 on"):
        maas.models.promote("net", 0)
    assert maas.models.get("net").created.year >= 2024
    assert maas.models.model("net").created.year >= 2024
