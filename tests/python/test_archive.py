# SPDX-License-Identifier: Apache-2.0
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import maas
from maas import archive

ROW = maas.Tensor("float32", [3])


@pytest.fixture
def exported(tmp_path: Path, models: Path) -> Path:
    sample = {"inputs": {"x": [[1, 2, 3]]}}
    tensors: dict[str, Any] = {"inputs": {"x": ROW}, "outputs": {"y": ROW}}
    maas.models.add(
        "net", models / "double.pt", sample=sample, tags={"k": "v"}, store=tmp_path / "a", **tensors
    )
    archive.export("net:1", tmp_path / "net.tar", store=tmp_path / "a")
    return tmp_path / "net.tar"


def test_an_imported_version_is_the_same(exported: Path, tmp_path: Path) -> None:
    made = archive.import_file(exported, store=tmp_path / "b")
    assert made.digest == maas.models.get("net", 1, store=tmp_path / "a").digest
    assert (made.version, made.tags) == (1, {"k": "v"})
    assert archive.import_file(exported, name="other", store=tmp_path / "b").name == "other"
    assert maas.models.fsck(store=tmp_path / "b")["well"]


def test_the_same_version_gives_the_same_bytes(exported: Path, tmp_path: Path) -> None:
    archive.export("net:1", tmp_path / "again.tar", store=tmp_path / "a")
    assert exported.read_bytes() == (tmp_path / "again.tar").read_bytes()


def test_a_changed_or_cut_off_file_is_refused(exported: Path, tmp_path: Path) -> None:
    data = exported.read_bytes()
    broken = tmp_path / "broken.tar"
    rng = np.random.default_rng(0)
    for at in rng.integers(0, len(data), 40):
        changed = bytearray(data)
        changed[at] ^= 1
        broken.write_bytes(changed)
        try:
            made = archive.import_file(broken, store=tmp_path / "c")
        except maas.Error:
            continue
        # What no content depends on: padding, or a time in a header.
        assert made.digest == maas.models.get("net", 1, store=tmp_path / "a").digest
    for size in (0, 100, 2000, len(data) // 2):
        broken.write_bytes(data[:size])
        with pytest.raises(maas.Error):
            archive.import_file(broken, store=tmp_path / "c")


def test_only_what_it_needs_is_taken(exported: Path, tmp_path: Path) -> None:
    with tarfile.open(exported) as tar:
        names = tar.getnames()
        head = json.load(tar.extractfile("maas-version.json"))  # type: ignore[arg-type]
    assert names[:2] == ["maas-version.json", "manifest.json"]
    assert all(name.startswith("blobs/sha256/") for name in names[2:])
    assert head["format"] == 1


def test_what_cannot_be_exported_or_found_is_said(tmp_path: Path, models: Path) -> None:
    with pytest.raises(maas.NotFoundError):
        archive.import_file(tmp_path / "none.tar", store=tmp_path / "a")
    maas.models.add("net", models / "double.pt", store=tmp_path / "a")
    with pytest.raises(maas.InvalidArgumentError, match="cannot write"):
        archive.export("net:1", tmp_path / "no" / "net.tar", store=tmp_path / "a")
