# SPDX-License-Identifier: Apache-2.0
"""A version as one file, to carry to another registry (docs/formats/export.md)."""

from __future__ import annotations

import io
import json
import os
import re
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maas import model, store
from maas.errors import ConflictError, InvalidArgumentError, NotFoundError, UnprocessableError
from maas.publication import ModelVersion

if TYPE_CHECKING:
    from maas import _core

_PIECE = 1 << 20
_LONGEST = 64 << 20  # of what is read as a whole
_BLOB = re.compile(r"blobs/sha256/([0-9a-f]{64})")


def export(
    reference: str,
    file: str | os.PathLike[str],
    *,
    store: str | os.PathLike[str] | None = None,
) -> dict[str, Any]:
    """Writes a version, checked, to a file; the same version always gives the same bytes."""
    with _public():
        held = _opened(store)
        row = held.find(reference)
        if row["state"] != "READY":
            raise ConflictError(f"{row['name']}:{row['version']} is not ready: {row['reason']}")
        lease = held.lease(row["name"], row["version"])
        held.verify(row["name"], row["version"])
        text = held.manifest(row["name"], row["version"])
    head = {key: row[key] for key in ("name", "version", "digest", "description", "tags")}
    path = Path(file)
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with partial.open("wb") as out:
            with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
                _add(tar, "maas-version.json", json.dumps({"format": 1, **head}, sort_keys=True))
                _add(tar, "manifest.json", text)
                for digest in sorted(_needed(json.loads(text))):
                    _add_blob(tar, held, digest)
            out.flush()
            os.fsync(out.fileno())
        partial.replace(path)
    except OSError as error:
        raise InvalidArgumentError(f"cannot write {str(path)!r}: {error.strerror}") from None
    finally:
        partial.unlink(missing_ok=True)
        lease.give_back()
    return {**head, "file": str(path), "bytes": path.stat().st_size}


def import_file(
    file: str | os.PathLike[str],
    *,
    name: str | None = None,
    store: str | os.PathLike[str] | None = None,
    who: str | None = None,
) -> ModelVersion:
    """Publishes an exported version as the next one of its name; the digest stays the same."""
    path = Path(file)
    if not path.is_file():
        raise NotFoundError(f"{str(path)!r} was not found; name a file of `maas models export`")
    try:
        with tarfile.open(path, mode="r:") as tar:
            return _publish(tar, name, _opened(store, create=True), who)
    except (tarfile.TarError, KeyError, ValueError) as error:
        raise InvalidArgumentError(f"{str(path)!r} is no exported version: {error}") from None


def _publish(
    tar: tarfile.TarFile, name: str | None, held: _core.Store, who: str | None
) -> ModelVersion:
    head, text = _first_members(tar)
    model.check_name(name or head["name"])
    missing = _needed(json.loads(text))
    with _public():
        for member in tar:
            if found := _BLOB.fullmatch(member.name):
                _put(tar, member, held, found[1])
                missing.discard(found[1])
        if missing:
            raise UnprocessableError(f"the file ends before blob {min(missing)}; it is cut off")
        row = held.publish(
            name or head["name"], manifest=text, state="READY", reason="", actor=_actor(who)
        )
    if row["digest"] != head["digest"]:
        raise UnprocessableError(f"the manifest is another one than {head['digest']}")
    return ModelVersion.of(row)


def _first_members(tar: tarfile.TarFile) -> tuple[dict[str, Any], str]:
    parts = []
    for wanted in ("maas-version.json", "manifest.json"):
        member = tar.next()
        if member is None or member.name != wanted or member.size > _LONGEST:
            raise ValueError(f"it has no {wanted}")
        content = tar.extractfile(member)
        assert content is not None
        parts.append(content.read().decode())
    head = json.loads(parts[0])
    if not isinstance(head, dict) or head.get("format") != 1:
        raise ValueError("its format is another one than 1")
    return head, parts[1]


def _put(tar: tarfile.TarFile, member: tarfile.TarInfo, held: _core.Store, digest: str) -> None:
    content = tar.extractfile(member)
    if content is None:
        raise ValueError(f"{member.name} is no file")
    writer = held.writer()
    while piece := content.read(_PIECE):
        writer.write(piece)
    writer.finish(digest)


def _needed(manifest: dict[str, Any]) -> set[str]:
    needed = {entry["sha256"] for entry in manifest["files"]}
    if sample := manifest.get("sample"):
        needed.add(sample["sha256"])
    return needed


def _add(tar: tarfile.TarFile, name: str, text: str) -> None:
    data = text.encode()
    tar.addfile(_entry(name, len(data)), io.BytesIO(data))


def _add_blob(tar: tarfile.TarFile, held: _core.Store, digest: str) -> None:
    path = Path(held.blob_path(digest))
    with path.open("rb") as content:
        tar.addfile(_entry(f"blobs/sha256/{digest}", path.stat().st_size), content)


def _entry(name: str, size: int) -> tarfile.TarInfo:
    """The same for the same content: no owner, no time."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size, 0o444, 0
    return entry


_public = store.public_errors
_opened = store.opened
_actor = store.actor
