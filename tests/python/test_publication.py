# SPDX-License-Identifier: Apache-2.0
import contextlib
from pathlib import Path
from typing import Any

import pytest

import maas

ROW = maas.Tensor("float32", [3])
SHAPES: dict[str, Any] = {"inputs": {"x": ROW}, "outputs": {"y": ROW}}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAAS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_a_version_carries_all_that_was_given(models: Path, tmp_path: Path) -> None:
    (tmp_path / "lock.txt").write_text("torch==2.13.0\n")
    first = maas.models.add("base", models / "double.pt", **SHAPES)
    made = maas.models.add(
        "net",
        models / "triple.pt",
        sample={"inputs": {"x": [[1, 2, 3]]}, "outputs": {"y": [[3, 6, 9]]}},
        tags={"team": "red"},
        metrics={"test:accuracy": 0.5},
        description="three times",
        lineage={
            "parents": ["base:1"],
            "data_digest": "sha256:abc",
            "code_revision": "deadbeef",
            "environment": str(tmp_path / "lock.txt"),
            "steps": ["scripted"],
        },
        **SHAPES,
    )
    assert (made.version, made.state, made.metrics) == (1, "READY", {"test:accuracy": 0.5})
    found = maas.models.details("net:1")
    assert found["signature"]["inputs"] == [{"name": "x", "dtype": "float32", "shape": [3]}]
    assert found["lineage"]["parents"] == [{"name": "base", "version": 1, "digest": first.digest}]
    assert {entry["path"] for entry in found["files"]} == {"triple.pt", "environment.lock"}
    assert found["sample"]["size"] > 0
    assert found["runtime"] == "pytorch_torchscript"


def test_a_sample_that_differs_is_kept_as_failed_and_never_serves(models: Path) -> None:
    wrong = {"inputs": {"x": [[1, 2, 3]]}, "outputs": {"y": [[1, 1, 1]]}}
    with pytest.raises(maas.UnprocessableError, match="version 1 of 'net' is kept as FAILED"):
        maas.models.add("net", models / "double.pt", sample=wrong, alias="champion", **SHAPES)
    kept = maas.models.get("net", 1)
    assert kept.state == "FAILED"
    assert "differs in 3 of 3 values" in kept.reason
    with pytest.raises(maas.ConflictError, match="not ready"):
        maas.models.promote("net", 1)
    with pytest.raises(maas.ConflictError, match="not ready"):
        maas.load("net:1")
    assert maas.models.add("net", models / "double.pt", **SHAPES).version == 2


def test_a_file_that_does_not_load_is_kept_as_failed(tmp_path: Path) -> None:
    (tmp_path / "bad.pt").write_text("no model")
    with pytest.raises(maas.UnprocessableError, match=r"bad\.pt"):
        maas.models.add("net", tmp_path / "bad.pt")
    reason = maas.models.get("net", 1).reason
    assert "/tmp" not in reason


def test_a_folder_is_published_with_its_paths(models: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    (folder / "model.pt").write_bytes((models / "double.pt").read_bytes())
    (folder / "sub" / "labels.txt").write_text("a\n")
    maas.models.add("net", folder)
    paths = [entry["path"] for entry in maas.models.details("net:1")["files"]]
    assert paths == ["model.pt", "sub/labels.txt"]


@pytest.mark.parametrize(
    ("about", "sentence"),
    [
        ({"name": "../x"}, "model name"),
        ({"path": "none.pt"}, "was not found"),
        ({"path": "notes.txt"}, "needs `runtime`"),
        ({"alias": "latest"}, "reserved"),
        ({"alias": "v3"}, "reserved"),
        ({"metrics": {"test:accuracy": float("nan")}}, "is a number, not nan"),
        ({"lineage": {"parent": "x"}}, "lineage has no 'parent'"),
        ({"lineage": {"parents": ["none:1"]}}, "there is no model 'none'"),
        ({"tags": {"k": 1}}, "key and value are strings"),
        ({"path": "notes.txt", "runtime": "x", "sample": {"inputs": {}}}, "nothing here runs 'x'"),
    ],
)
def test_wrong_use_is_said_and_nothing_is_published(
    about: dict[str, object], sentence: str, models: Path, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("x")
    given: dict[str, object] = {"name": "net", "path": models / "double.pt", **about}
    if given["path"] == "notes.txt":
        given["path"] = tmp_path / "notes.txt"
    with pytest.raises(maas.Error, match=sentence):
        maas.models.add(given.pop("name"), given.pop("path"), **given)  # type: ignore[arg-type]
    with contextlib.suppress(maas.NotFoundError):  # not even a store
        assert [*maas.models.models()] == []
