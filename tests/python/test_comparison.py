# SPDX-License-Identifier: Apache-2.0
from typing import Any

from maas import comparison


def row(version: int, **about: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "name": "net",
        "version": version,
        "runtime": "r",
        "description": "",
        "author": "ann",
        "state": "READY",
        "signature": {"inputs": [{"name": "x", "dtype": "float32", "shape": [3]}]},
        "metrics": [{"data": "test", "name": "accuracy", "value": 0.5}],
        "files": [{"path": "model.pt", "sha256": "a", "size": 1}],
        "lineage": {},
        "tags": {},
    }
    return {**made, **about}


def test_nothing_differs_between_a_version_and_itself() -> None:
    assert comparison.compare(row(1), row(1)) == {"from": "net:1", "to": "net:1"}


def test_each_part_that_differs_is_told() -> None:
    second = row(
        2,
        signature={"inputs": [{"name": "x", "dtype": "float32", "shape": [4]}]},
        metrics=[{"data": "test", "name": "accuracy", "value": 0.75}],
        files=[{"path": "other.pt", "sha256": "b", "size": 2}],
        lineage={"code_revision": "abc"},
        tags={"k": "v"},
        description="new",
    )
    found = comparison.compare(row(1), second)
    assert found["metrics"] == {"test:accuracy": [0.5, 0.75]}
    assert found["files"] == {"model.pt": [["a", 1], None], "other.pt": [None, ["b", 2]]}
    assert found["schema"]["inputs"]["x"][1] == {"dtype": "float32", "shape": [4]}
    assert found["lineage"] == {"code_revision": [None, "abc"]}
    assert found["tags"] == {"k": [None, "v"]}
    assert found["about"] == {"description": ["", "new"]}
