# SPDX-License-Identifier: Apache-2.0
"""A version of the registry as a model file to load: checked, leased, with its signature."""

from __future__ import annotations

import json
import os
import re
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maas import store
from maas.errors import ConflictError, InvalidArgumentError, NotFoundError
from maas.types import Tensor

if TYPE_CHECKING:
    from maas import _core

MODEL_SUFFIXES = (".pt", ".pth", ".ts")
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}([:@][A-Za-z0-9._-]+)?")


@dataclass(frozen=True, slots=True, weakref_slot=True)
class StoredModel:
    """The files of one version under their names, for as long as this object lives."""

    name: str
    version: int
    digest: str
    path: Path  # the model file
    inputs: dict[str, Tensor] | None
    outputs: dict[str, Tensor] | None
    batch_dim: bool
    sample: Path | None  # JSON of inputs and outputs (maas.sample)
    lease: _core.Lease = field(repr=False)


def find(
    reference: str | os.PathLike[str], place: str | os.PathLike[str] | None = None
) -> StoredModel | None:
    """The version that NAME, NAME:VERSION or NAME@ALIAS stands for.

    Nothing when it is no such reference; of a bare name also when the registry has no such model.
    """
    text = os.fspath(reference)
    if not _REFERENCE.fullmatch(text):
        return None
    is_marked = ":" in text or "@" in text
    if text.endswith(MODEL_SUFFIXES) and not is_marked:
        return None
    name = re.split("[:@]", text)[0]
    if exists(name, place):
        return open_version(text, place)
    if is_marked:
        raise NotFoundError(
            f"the registry in {str(store.folder(place))!r} has no model {name!r}; "
            "`maas models add NAME PATH` adds one"
        )
    return None


def exists(name: str, place: str | os.PathLike[str] | None = None) -> bool:
    """Whether the registry has a model of that name."""
    try:
        with store.public_errors():
            return store.opened(place).model(name) is not None
    except NotFoundError:
        return False


def version_of(reference: str, place: str | os.PathLike[str] | None = None) -> int:
    """The number of the version that a reference stands for now."""
    with store.public_errors():
        number: int = store.opened(place).find(reference)["version"]
        return number


def follows(reference: str) -> bool:
    """Whether a reference may come to stand for another version: it names no number."""
    return ":" not in reference


def open_version(reference: str, place: str | os.PathLike[str] | None = None) -> StoredModel:
    """Checks every byte of a version, keeps it from being deleted, and lays its files out."""
    with store.public_errors():
        held = store.opened(place)
        row = held.find(reference)
        if row["state"] != "READY":
            raise ConflictError(
                f"version {row['version']} of {row['name']!r} is not ready: {row['reason']}"
            )
        lease = held.lease(row["name"], row["version"])
        held.verify(row["name"], row["version"])
        manifest = json.loads(held.manifest(row["name"], row["version"]))
        laid_out = lay_out(held, manifest["files"])
    signature = manifest["signature"]
    made = StoredModel(
        name=row["name"],
        version=row["version"],
        digest=row["digest"],
        path=model_file(laid_out, manifest["files"]),
        inputs=tensors_of(signature.get("inputs")),
        outputs=tensors_of(signature.get("outputs")),
        batch_dim=signature.get("batch_dim", True),
        sample=Path(held.blob_path(manifest["sample"]["sha256"])) if "sample" in manifest else None,
        lease=lease,
    )
    weakref.finalize(made, remove, laid_out)
    return made


def lay_out(held: _core.Store, files: list[dict[str, Any]]) -> Path:
    """A new folder with a link to each blob under the path of its file."""
    import tempfile

    made = Path(tempfile.mkdtemp(prefix="maas-"))
    for entry in files:
        path = made / entry["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(held.blob_path(entry["sha256"]))
    return made


def remove(folder: Path) -> None:
    """Removes what `lay_out` has made."""
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


def model_file(folder: Path, files: list[dict[str, Any]]) -> Path:
    """The one of the files that a back-end loads."""
    found: list[str] = [entry["path"] for entry in files if entry["path"].endswith(MODEL_SUFFIXES)]
    if len(found) != 1:
        names = ", ".join(entry["path"] for entry in files[:10])
        raise InvalidArgumentError(
            f"{len(found)} of its files ({names}) end in {', '.join(MODEL_SUFFIXES)}; "
            "one must, to be loaded"
        )
    return folder / found[0]


def tensors_of(specs: list[dict[str, Any]] | None) -> dict[str, Tensor] | None:
    """The tensors of a signature; nothing where a shape is not known."""
    if not specs or any(spec["shape"] is None for spec in specs):
        return None
    return {
        spec["name"]: Tensor(
            spec["dtype"],
            spec["shape"],
            spec.get("optional", False),
            spec.get("shape_tensor", False),
        )
        for spec in specs
    }


def signature_of(core: _core.Model) -> dict[str, Any]:
    """What a loaded model takes and gives, as a manifest says it: shapes are those of a row."""
    return {
        "batch_dim": core.batch_dim,
        "inputs": [_spec(spec) for spec in core.inputs],
        "outputs": [_spec(spec) for spec in core.outputs],
    }


def _spec(spec: _core.TensorSpec) -> dict[str, Any]:
    made: dict[str, Any] = {"name": spec.name, "dtype": spec.dtype, "shape": spec.shape}
    for flag in ("optional", "shape_tensor"):
        if getattr(spec, flag):
            made[flag] = True
    return made
