# SPDX-License-Identifier: Apache-2.0
"""The model registry: versions of models with all that belongs to them, and aliases that serve.

``maas.models.add("iris", "iris.pt", alias="champion")`` publishes a version; `promote` and
`rollback` move what serves. Every function takes `store=`, the folder of another registry than the
one of `MAAS_HOME` (default: ``~/.maas``). docs/guide/registry.md is the tour.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from maas import comparison, publication, store
from maas.errors import InvalidArgumentError, NotFoundError, UnprocessableError
from maas.publication import ModelVersion
from maas.types import Tensor

__all__ = [
    "ModelInfo",
    "ModelVersion",
    "add",
    "alias",
    "annotate",
    "backup",
    "delete",
    "details",
    "diff",
    "fsck",
    "gc",
    "get",
    "history",
    "list",
    "log",
    "model",
    "models",
    "promote",
    "recover",
    "rollback",
    "search",
    "show",
    "unalias",
    "verify_log",
]

CHAMPION = "champion"
_PAGE = 500
_Store = str | os.PathLike[str] | None


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A name in the registry, and what stands under it."""

    name: str
    description: str
    created_ms: int
    versions: int
    latest: int
    next_version: int
    tags: dict[str, str]
    aliases: dict[str, int]

    @property
    def created(self) -> datetime:
        """When its first version was published."""
        return datetime.fromtimestamp(self.created_ms / 1000, UTC)


def add(  # noqa: PLR0913 - what a version carries
    name: str,
    path: str | os.PathLike[str],
    *,
    runtime: str | None = None,
    alias: str | None = None,
    tags: Mapping[str, str] | None = None,
    metrics: Mapping[str, float] | None = None,
    sample: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    description: str = "",
    lineage: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Tensor] | None = None,
    outputs: Mapping[str, Tensor] | None = None,
    batch_dim: bool = True,
    store: _Store = None,
    who: str | None = None,
) -> ModelVersion:
    """Publishes a file or a folder as the next version of a model, and gives that version.

    A model file is loaded, and its signature taken, before anyone sees the version; a `sample`
    (`maas.sample`) is run. A version that does not load, or whose outputs are not the expected
    ones, is kept as FAILED with the reason, and an error is raised. `metrics` are named
    ``"data:name"``; `lineage` has any of parents, data_digest, code_revision, environment, steps.
    `inputs` and `outputs` are those of `maas.load`, for a file that does not tell them.
    """
    source = publication.Source(
        name=name,
        path=os.fspath(path),
        runtime=runtime,
        tags=dict(tags or {}),
        metrics=dict(metrics or {}),
        sample=sample,
        description=description,
        lineage=dict(lineage or {}),
        inputs=inputs,
        outputs=outputs,
        batch_dim=batch_dim,
    )
    if alias is not None:
        publication.check_alias(alias)
    made = publication.publish(source, store, who)
    if made.state != "READY":
        raise UnprocessableError(
            f"version {made.version} of {name!r} is kept as {made.state}: {made.reason}"
        )
    if alias is None:
        return made
    _move(name, alias, made.version, None, (store, who))
    return get(name, made.version, store=store)


def get(name: str, version: int | str | None = None, *, store: _Store = None) -> ModelVersion:
    """A version by its number or alias; without one the champion, or else the newest."""
    mark = "" if version is None else f":{version}" if isinstance(version, int) else f"@{version}"
    return show(f"{name}{mark}", store=store)


def show(reference: str, *, store: _Store = None) -> ModelVersion:
    """The version that NAME, NAME:VERSION or NAME@ALIAS stands for."""
    with _public():
        return ModelVersion.of(_opened(store).find(reference))


def details(reference: str, *, store: _Store = None) -> dict[str, Any]:
    """All of a version as JSON has it: also its files, signature, lineage and sample."""
    with _public():
        held = _opened(store)
        row = held.find(reference)
        manifest = json.loads(held.manifest(row["name"], row["version"]))
    for key in ("files", "signature", "lineage", "sample"):
        row[key] = manifest.get(key)
    return row


def models(*, store: _Store = None) -> Iterator[ModelInfo]:
    """Every model, by name."""
    for row in _pages(_opened(store).models):
        yield ModelInfo(**row)


def list(name: str, *, store: _Store = None) -> Iterator[ModelVersion]:
    """The versions of a model, oldest first, without those that were deleted."""
    model(name, store=store)
    return search(f"name = '{name}'", store=store)


def model(name: str, *, store: _Store = None) -> ModelInfo:
    """One model."""
    with _public():
        row = _opened(store).model(name)
    if row is None:
        raise NotFoundError(f"there is no model {name!r}")
    return ModelInfo(**row)


def search(expression: str = "", *, store: _Store = None) -> Iterator[ModelVersion]:
    """The versions for which an expression holds, by name and number; pages are read as needed.

    ``name = 'iris' AND metrics.test.accuracy > 0.9 AND tags.team LIKE 'a%' AND alias = 'champion'``
    """
    held = _opened(store)
    for row in _pages(lambda after, limit: held.search(expression, after, limit)):
        yield ModelVersion.of(row)


def diff(first: str, second: str, *, store: _Store = None) -> dict[str, Any]:
    """What two versions differ in: schema, metrics, files, lineage, tags, description."""
    return comparison.compare(details(first, store=store), details(second, store=store))


def alias(  # noqa: PLR0913 - where it is, where it goes, and who says so
    name: str,
    alias: str,
    version: int,
    expect: int | None = None,
    *,
    store: _Store = None,
    who: str | None = None,
) -> dict[str, Any]:
    """Moves an alias to a version, if it is at version `expect` now (0: nowhere).

    Raises `maas.ConflictError` when it is not; without `expect` it moves in any case.
    """
    return _move(name, alias, version, expect, (store, who))


def unalias(
    name: str,
    alias: str,
    expect: int | None = None,
    *,
    store: _Store = None,
    who: str | None = None,
) -> dict[str, Any]:
    """Takes an alias away."""
    with _public():
        return _opened(store).move_alias(name, alias, 0, expect=expect, actor=_actor(who))


def promote(
    name: str,
    version: int,
    expect: int | None = None,
    *,
    store: _Store = None,
    who: str | None = None,
) -> dict[str, Any]:
    """Makes a version the champion."""
    return _move(name, CHAMPION, version, expect, (store, who))


def rollback(
    name: str,
    alias: str = CHAMPION,
    expect: int | None = None,
    *,
    store: _Store = None,
    who: str | None = None,
) -> dict[str, Any]:
    """Moves an alias back to where it was before; again and again, further back."""
    with _public():
        return _opened(store).roll_back(name, alias, expect=expect, actor=_actor(who))


def annotate(  # noqa: PLR0913 - what may change of two kinds of things
    name: str,
    version: int | None = None,
    *,
    description: str | None = None,
    tags: Mapping[str, str | None] | None = None,
    store: _Store = None,
    who: str | None = None,
) -> None:
    """Changes the description and tags of a version, or without one of the model.

    A tag whose value is None is taken away.
    """
    given = dict(tags or {})
    with _public():
        _opened(store).annotate(
            name,
            version or 0,
            description=description,
            tags={key: value for key, value in given.items() if value is not None},
            removed=[key for key, value in given.items() if value is None],
            actor=_actor(who),
        )


def delete(name: str, version: object, *, store: _Store = None, who: str | None = None) -> None:
    """Deletes one version; its number is never given again. Refused while it serves."""
    if not isinstance(version, int):
        raise InvalidArgumentError("name the version to delete: its number")
    with _public():
        _opened(store).remove(name, version, actor=_actor(who))


def history(
    name: str, alias: str = "", *, limit: int = 1000, store: _Store = None
) -> Iterator[dict[str, Any]]:
    """The moves of an alias, or of all, newest first."""
    with _public():
        yield from _opened(store).history(name, alias, limit)


def log(name: str = "", *, after: int = 0, store: _Store = None) -> Iterator[dict[str, Any]]:
    """The audit, of a model or of all: one row per change, oldest first."""
    held = _opened(store)
    while True:
        with _public():
            rows = held.audit(name, after, _PAGE)
        yield from rows
        if len(rows) < _PAGE:
            return
        after = rows[-1]["sequence"]


def verify_log(*, store: _Store = None) -> tuple[int, str]:
    """Follows the hash chain of the audit: its rows, and the hash of the last one."""
    with _public():
        rows, head, problem = _opened(store).verify_audit()
    if problem:
        raise UnprocessableError(f"the audit is broken: {problem}")
    return rows, head


def fsck(*, quick: bool = False, store: _Store = None) -> dict[str, Any]:
    """Checks every byte, record, alias and the audit; `quick` reads only files that changed."""
    with _public():
        return _opened(store).fsck(quick)


def gc(*, grace_s: float = 86400.0, dry_run: bool = False, store: _Store = None) -> dict[str, Any]:
    """Removes bytes that no version needs and that are older than the grace."""
    with _public():
        return _opened(store).collect(grace_ms=int(grace_s * 1000), dry_run=dry_run)


def backup(folder: str | os.PathLike[str], *, store: _Store = None) -> dict[str, Any]:
    """Copies the store, while it is in use, into another folder; only what is not there yet."""
    with _public():
        return _opened(store).back_up(os.fspath(folder))


def recover(*, store: _Store = None, who: str | None = None) -> dict[str, Any]:
    """Makes the catalogue again from what is on disk; the old one is kept beside it."""
    from maas import _core
    from maas import store as stores

    with _public():
        return _core.recover_store(str(stores.folder(store)), actor=_actor(who))


_public = store.public_errors
_opened = store.opened
_actor = store.actor


def _move(
    name: str, alias: str, version: object, expect: int | None, where: tuple[_Store, str | None]
) -> dict[str, Any]:
    if not isinstance(version, int) or version < 1:
        raise InvalidArgumentError(f"a version is a number from 1 on, not {version!r}")
    with _public():
        return _opened(where[0]).move_alias(
            name, alias, version, expect=expect, actor=_actor(where[1])
        )


def _pages(read: Any) -> Iterator[dict[str, Any]]:
    after = ""
    while True:
        with _public():
            rows, after = read(after, _PAGE)
        yield from rows
        if not after:
            return
