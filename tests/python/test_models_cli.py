# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path
from typing import Any

import pytest

from maas import cli


@pytest.fixture(autouse=True)
def home(tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MAAS_HOME", str(tmp_path / "home"))
    for name in ("double", "triple"):
        Path(f"{name}.pt").write_bytes((models / f"{name}.pt").read_bytes())
    return tmp_path / "home"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*words: str, code: int = 0) -> Any:
        assert cli.main(["models", *words, "-o", "json"]) == code
        said = capsys.readouterr()
        return json.loads(said.out) if said.out else said.err

    return call


def test_a_models_life(run: Any, tmp_path: Path) -> None:
    added = run(
        "add",
        "net",
        "double.pt",
        "--alias",
        "champion",
        "--tag",
        "team=red",
        "--metric",
        "test:accuracy=0.5",
        "--code-revision",
        "abc",
        "--step",
        "scripted",
    )
    assert (added["version"], added["aliases"]) == (1, ["champion"])
    assert run("add", "net", "triple.pt")["version"] == 2
    assert [v["version"] for v in run("list", "net")["versions"]] == [1, 2]
    assert run("list")["models"][0]["aliases"] == {"champion": 1}
    assert run("promote", "net", "2", "--expect", "1")["previous"] == 1
    assert "is at version 2, not at version 1" in run(
        "promote", "net", "1", "--expect", "1", code=2
    )
    assert run("rollback", "net")["version"] == 1
    assert run("alias", "net", "blue", "2")["alias"] == "blue"
    assert run("show", "net")["history"][0]["alias"] == "blue"
    assert run("show", "net@champion")["lineage"] == {"code_revision": "abc", "steps": ["scripted"]}
    assert run("search", "tags.team = 'red'")["versions"][0]["version"] == 1
    assert set(run("diff", "net:1", "net:2")) >= {"files", "metrics", "tags", "lineage"}
    assert run("export", "net:1", "net.tar")["bytes"] > 0
    assert run("import", "net.tar", "--name", "copy")["name"] == "copy"
    assert "alias 'blue'" in run("delete", "net:2", code=2)
    assert "name the version" in run("delete", "net", code=2)
    assert run("delete", "copy:1")["state"] == "DELETED"
    assert run("fsck")["well"]
    assert run("gc", "--dry-run")["dry_run"]
    assert run("backup", str(tmp_path / "copy"))["versions"] == 2
    assert run("recover")["versions"] == 2
    assert run("log", "net")["entries"][1]["action"] == "publish"
    assert run("log", "--verify")["well"]


def test_a_failed_sample_is_exit_code_2(run: Any) -> None:
    Path("s.json").write_text('{"inputs": {"x": [[1.0]]}, "outputs": {"output_0": [[9.0]]}}')
    assert "kept as FAILED" in run("add", "net", "double.pt", "--sample", "s.json", code=2)
    assert run("list", "net")["versions"][0]["state"] == "FAILED"


def test_damage_is_exit_code_1_and_shown(run: Any, home: Path, capsys: Any) -> None:
    digest = run("add", "net", "double.pt")["digest"]
    blob = home / "blobs" / "sha256" / digest[:2] / digest
    blob.unlink()
    assert run("fsck", code=1)["findings"][0]["kind"] == "blob"
    assert cli.main(["models", "list", "net"]) == 0
    assert "DAMAGED" in capsys.readouterr().out


def test_text_names_each_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["models", "add", "net", "double.pt", "--alias", "champion"]) == 0
    for words in (
        ["list"],
        ["list", "net"],
        ["show", "net"],
        ["show", "net:1"],
        ["log"],
        ["fsck"],
        ["gc"],
        ["log", "--verify"],
        ["search", "name = 'net'"],
        ["diff", "net:1", "net:1"],
        ["promote", "net", "1"],
    ):
        capsys.readouterr()
        assert cli.main(["models", *words]) == 0
        assert capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("add", "net", "double.pt", "--tag", "x"), "--tag 'x' is not KEY=VALUE"),
        (("add", "net", "double.pt", "--metric", "x=y"), "'y' is not a number"),
        (("promote", "net", "one"), "version 'one' is not a whole number"),
        (("list", "none"), "there is no store"),
        (("lst",), "invalid choice"),
        (("list", "--ouput"), "unknown option --ouput"),
    ],
)
def test_wrong_use_is_one_sentence(
    words: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["models", *words]) == 2
    assert sentence in capsys.readouterr().err
