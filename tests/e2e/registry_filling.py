# SPDX-License-Identifier: Apache-2.0
"""A registry of very many versions: rows of the catalogue alone, in one transaction."""

import hashlib
import sqlite3
from pathlib import Path

from maas import _core


def fill(home: Path, names: int, each: int) -> None:
    """Versions whose bytes are not there, for questions about rows."""
    _core.Store(str(home))
    database = sqlite3.connect(home / "catalogue.db")
    with database:
        for number in range(names):
            name = f"model-{number}"
            database.execute("INSERT INTO models VALUES (?, ?, '', 1)", (name, each + 1))
            ids = [number * each + version for version in range(1, each + 1)]
            digest = hashlib.sha256(name.encode()).hexdigest()
            database.executemany(
                "INSERT INTO versions "
                "VALUES (?, ?, ?, ?, 'READY', '', '', 'none', '', 'ann', 1, 1)",
                [(i, name, i - number * each, digest) for i in ids],
            )
            database.executemany("INSERT INTO tags VALUES (?, 'team', 'red')", [(i,) for i in ids])
            database.executemany(
                "INSERT INTO tags VALUES (?, 'number', ?)", [(i, str(i)) for i in ids]
            )
            database.executemany(
                "INSERT INTO metrics VALUES (?, 'test', 'accuracy', ?)",
                [(i, i / (names * each)) for i in ids],
            )
            database.execute("INSERT INTO aliases VALUES (?, 'champion', ?)", (name, each))
    database.close()
