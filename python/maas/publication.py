# SPDX-License-Identifier: Apache-2.0
"""A file or folder becomes a version: bytes, signature, sample, manifest."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maas import engine, model, sample, store, stored
from maas.errors import Error, InvalidArgumentError, NotFoundError
from maas.types import Tensor

if TYPE_CHECKING:
    from maas import _core

LINEAGE = ("parents", "data_digest", "code_revision", "environment", "steps")
_RUNTIME = "pytorch_torchscript"
_ENVIRONMENT_FILE = "environment.lock"
_ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_RESERVED = re.compile(r"latest|[vV]?\d+")


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One version of a model in the registry. What it is made of never changes."""

    name: str
    version: int
    digest: str  # SHA-256 of its manifest
    state: str  # READY, or FAILED for the reason
    reason: str
    damage: str  # what is wrong with its bytes, as far as is known
    runtime: str
    description: str
    author: str
    created_ms: int
    size: int
    aliases: tuple[str, ...]
    tags: dict[str, str]
    metrics: dict[str, float]  # "data:name" to value

    @staticmethod
    def of(row: Mapping[str, Any]) -> ModelVersion:
        """The version of a row of the catalogue."""
        made = {item.name: row[item.name] for item in fields(ModelVersion)}
        made["aliases"] = tuple(row["aliases"])
        made["metrics"] = {f"{m['data']}:{m['name']}": m["value"] for m in row["metrics"]}
        return ModelVersion(**made)

    @property
    def created(self) -> datetime:
        """When it was published."""
        return datetime.fromtimestamp(self.created_ms / 1000, UTC)


@dataclass(frozen=True, slots=True)
class Source:
    """What is published, as it was given."""

    name: str
    path: str
    runtime: str | None
    tags: Mapping[Any, Any]
    metrics: Mapping[str, Any]
    sample: str | os.PathLike[str] | Mapping[str, Any] | None
    description: str
    lineage: dict[str, Any]
    inputs: Mapping[str, Tensor] | None
    outputs: Mapping[str, Tensor] | None
    batch_dim: bool

    def __post_init__(self) -> None:
        model.check_name(self.name)
        for key, value in self.tags.items():
            if not isinstance(key, str) or not isinstance(value, str):
                raise InvalidArgumentError(f"tag {key!r}: key and value are strings")
        for key in self.lineage:
            if key not in LINEAGE:
                raise InvalidArgumentError(f"lineage has no {key!r}; it has {', '.join(LINEAGE)}")


def check_alias(alias: str) -> None:
    """Raises an error when this cannot name an alias."""
    if not _ALIAS.fullmatch(alias) or _RESERVED.fullmatch(alias):
        raise InvalidArgumentError(
            f"alias {alias!r} is not letters, digits and . _ -, or is reserved: latest, numbers "
            "and v with a number name versions themselves"
        )


def publish(source: Source, place: str | os.PathLike[str] | None, who: str | None) -> ModelVersion:
    """The version that was published, READY or FAILED."""
    files = _files_of(Path(source.path).expanduser())
    metrics = _metrics_of(source.metrics)
    wanted = None if source.sample is None else sample.read(source.sample)
    held = store.opened(place, create=True)
    with store.public_errors():
        lineage = _lineage(source.lineage, files, held)
        entries = _put(held, files)
        checked = _Check(held, source, entries)
        state, reason = checked.run(wanted)
        manifest: dict[str, Any] = {
            "format": 1,
            "files": entries,
            "runtime": checked.runtime,
            "description": source.description,
            "author": who or store.user(),
            "created_ms": time.time_ns() // 1_000_000,
            "tags": source.tags,
            "metrics": metrics,
            "signature": checked.signature,
            "lineage": lineage,
        }
        if checked.sample is not None:
            manifest["sample"] = _put_bytes(held, sample.to_json(checked.sample))
        row = held.publish(
            source.name,
            manifest=json.dumps(manifest),
            state=state,
            reason=reason,
            actor=store.actor(who),
        )
    return ModelVersion.of(row)


class _Check:
    """Loads the model from the store's own bytes and runs its sample."""

    def __init__(self, held: _core.Store, source: Source, entries: list[dict[str, Any]]) -> None:
        self._held, self._source, self._entries = held, source, entries
        self.runtime = source.runtime or ""
        self.signature: dict[str, Any] = {}
        self.sample: sample.Sample | None = None
        loadable = [e for e in entries if e["path"].endswith(stored.MODEL_SUFFIXES)]
        self._loads = len(loadable) == 1 and source.runtime in (None, _RUNTIME)
        if not self._loads and source.runtime is None:
            raise InvalidArgumentError(
                f"{source.path!r} has {len(loadable)} model files "
                f"({', '.join(stored.MODEL_SUFFIXES)}); with one it is loaded and checked, and "
                "anything else needs `runtime`, the name of what runs it"
            )

    def run(self, wanted: sample.Sample | None) -> tuple[str, str]:
        """The state of the version, and why it failed."""
        if not self._loads:
            if wanted is not None:
                raise InvalidArgumentError(
                    f"the sample cannot be run: nothing here runs {self.runtime!r}"
                )
            return "READY", ""
        self.runtime = _RUNTIME
        engine.default()  # what is wrong with the settings is no fault of the model
        folder = stored.lay_out(self._held, self._entries)
        try:
            return self._run(wanted, stored.model_file(folder, self._entries))
        except Error as error:
            if self.sample is None:
                self.sample = wanted if _has_arrays(wanted) else None
            return "FAILED", error.message.replace(f"{folder}/", "")
        finally:
            stored.remove(folder)

    def _run(self, wanted: sample.Sample | None, path: Path) -> tuple[str, str]:
        source = self._source
        loaded = model.load(
            path,
            name=source.name,
            inputs=source.inputs,
            outputs=source.outputs,
            batch_dim=source.batch_dim,
        )
        self.signature = loaded.signature
        if wanted is None:
            return "READY", ""
        self.sample, problem = sample.run(wanted, loaded)
        return ("FAILED", problem) if problem else ("READY", "")


def _has_arrays(wanted: sample.Sample | None) -> bool:
    return wanted is not None and all(hasattr(v, "dtype") for v in wanted.inputs.values())


def _files_of(path: Path) -> dict[str, Path]:
    """The files to publish, by their path in the version."""
    if path.is_file():
        return {path.name: path}
    if not path.is_dir():
        raise NotFoundError(f"{str(path)!r} was not found; name a model file or a folder")
    found = {str(f.relative_to(path)): f for f in sorted(path.rglob("*")) if f.is_file()}
    if not found:
        raise InvalidArgumentError(f"the folder {str(path)!r} has no files")
    return found


def _metrics_of(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    metrics = []
    for key, value in given.items():
        data, _, name = key.rpartition(":")
        if not isinstance(value, int | float) or not math.isfinite(value):
            raise InvalidArgumentError(f"metric {key!r} is a number, not {value!r}")
        metrics.append({"data": data, "name": name, "value": float(value)})
    return metrics


def _lineage(given: Mapping[str, Any], files: dict[str, Path], held: _core.Store) -> dict[str, Any]:
    """The lineage as a manifest has it; a lock of the environment becomes one of the files."""
    lineage = dict(given)
    parents = [held.find(str(parent)) for parent in lineage.pop("parents", [])]
    if parents:
        lineage["parents"] = [
            {key: row[key] for key in ("name", "version", "digest")} for row in parents
        ]
    if environment := lineage.pop("environment", None):
        path = Path(environment).expanduser()
        if not path.is_file():
            raise NotFoundError(f"the environment's lock file {str(path)!r} was not found")
        files.setdefault(_ENVIRONMENT_FILE, path)
        lineage["environment"] = hashlib.sha256(path.read_bytes()).hexdigest()
    return lineage


def _put(held: _core.Store, files: Mapping[str, Path]) -> list[dict[str, Any]]:
    entries = []
    for name, path in files.items():
        digest, size = held.put_file(str(path))
        entries.append({"path": name, "sha256": digest, "size": size})
    return entries


def _put_bytes(held: _core.Store, data: bytes) -> dict[str, Any]:
    writer = held.writer()
    writer.write(data)
    digest, size = writer.finish()
    return {"sha256": digest, "size": size}
