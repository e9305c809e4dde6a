# SPDX-License-Identifier: Apache-2.0
import gc
from pathlib import Path

import numpy as np
import pytest

import maas
from maas import stored

ROW = maas.Tensor("float32", [3])


@pytest.fixture(autouse=True)
def home(tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAAS_HOME", str(tmp_path / "home"))
    for name in ("double", "triple"):
        maas.models.add("net", models / f"{name}.pt", inputs={"x": ROW}, outputs={"y": ROW})
    return tmp_path / "home"


def test_load_takes_a_version_with_its_signature() -> None:
    maas.models.promote("net", 1)
    x = np.ones((1, 3), np.float32)
    for reference, factor, version in (("net", 2, 1), ("net:2", 3, 2), ("net@latest", 3, 2)):
        model = maas.load(reference)
        assert model.run(x=x)["y"].tolist() == [[factor] * 3]
        assert (model.name, model.version) == ("net", version)
        assert model.inputs == {"x": ROW}


def test_a_loaded_version_is_not_deleted_until_it_is_let_go() -> None:
    model = maas.load("net:1")
    with pytest.raises(maas.ConflictError, match="is served"):
        maas.models.delete("net", 1)
    del model
    gc.collect()
    maas.models.delete("net", 1)


def test_its_files_are_gone_with_it() -> None:
    held = stored.open_version("net:1")
    folder = held.path.parent
    assert held.path.resolve().is_file()
    del held
    gc.collect()
    assert not folder.exists()


def test_a_damaged_version_is_named_and_not_loaded(home: Path) -> None:
    entry = maas.models.details("net:1")["files"][0]
    blob = home / "blobs" / "sha256" / entry["sha256"][:2] / entry["sha256"]
    blob.chmod(0o644)
    data = bytearray(blob.read_bytes())
    data[len(data) // 2] ^= 1
    blob.write_bytes(data)
    with pytest.raises(
        maas.InternalError, match=r"version 1 of 'net' is damaged: file 'double.pt'"
    ):
        maas.load("net:1")
    assert maas.models.get("net", 1).damage


def test_what_is_no_reference_is_a_file() -> None:
    assert stored.find("models/net.pt") is None
    assert stored.find("unknown") is None
    with pytest.raises(maas.NotFoundError, match="has no model 'unknown'"):
        maas.load("unknown@champion")
    with pytest.raises(maas.NotFoundError, match="model file 'unknown' was not found"):
        maas.load("unknown")


def test_one_model_file_is_needed(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_text("x")
    maas.models.add("other", tmp_path / "model.bin", runtime="other")
    with pytest.raises(maas.InvalidArgumentError, match="0 of its files"):
        maas.load("other:1")
