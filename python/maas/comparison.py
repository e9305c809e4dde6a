# SPDX-License-Identifier: Apache-2.0
"""What two versions differ in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def compare(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """For each part that differs: what only one has, and what has changed, from first to second."""
    made: dict[str, Any] = {
        "from": _name(first),
        "to": _name(second),
        "schema": {
            kind: _changes(_tensors(first, kind), _tensors(second, kind))
            for kind in ("inputs", "outputs")
        },
        "metrics": _changes(_metrics(first), _metrics(second)),
        "files": _changes(_files(first), _files(second)),
        "lineage": _changes(first["lineage"] or {}, second["lineage"] or {}),
        "tags": _changes(first["tags"], second["tags"]),
        "about": _changes(
            {key: first[key] for key in ("runtime", "description", "author", "state")},
            {key: second[key] for key in ("runtime", "description", "author", "state")},
        ),
    }
    made["schema"] = {kind: changes for kind, changes in made["schema"].items() if changes}
    return {key: value for key, value in made.items() if value or key in ("from", "to")}


def _changes(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Key to [before, after], None where one has no such key."""
    return {
        key: [first.get(key), second.get(key)]
        for key in sorted({*first, *second})
        if first.get(key) != second.get(key)
    }


def _name(row: Mapping[str, Any]) -> str:
    return f"{row['name']}:{row['version']}"


def _tensors(row: Mapping[str, Any], kind: str) -> dict[str, Any]:
    return {
        spec["name"]: {key: value for key, value in spec.items() if key != "name"}
        for spec in (row["signature"] or {}).get(kind, [])
    }


def _metrics(row: Mapping[str, Any]) -> dict[str, float]:
    return {f"{metric['data']}:{metric['name']}": metric["value"] for metric in row["metrics"]}


def _files(row: Mapping[str, Any]) -> dict[str, Any]:
    return {entry["path"]: [entry["sha256"], entry["size"]] for entry in row["files"]}
