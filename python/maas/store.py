# SPDX-License-Identifier: Apache-2.0
"""Where the model registry of this process is, and its errors as the public ones."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from maas.errors import from_core

if TYPE_CHECKING:
    from maas import _core

DEFAULT = "~/.maas"

_lock = threading.Lock()
# By process too: a child must not use the connections of its parent.
_open: dict[tuple[int, Path], _core.Store] = {}


def folder(store: str | os.PathLike[str] | None = None) -> Path:
    """The folder of the store: the one given, or `MAAS_HOME`, or `~/.maas`."""
    return Path(store or os.environ.get("MAAS_HOME") or DEFAULT).expanduser().absolute()


def opened(store: str | os.PathLike[str] | None = None, *, create: bool = False) -> _core.Store:
    """The store in that folder, which is made only when `create` says so."""
    from maas import _core

    place = folder(store)
    key = (os.getpid(), place)
    with _lock:
        if key not in _open or not place.exists():
            with public_errors():
                _open[key] = _core.Store(str(place), create=create)
        return _open[key]


@contextmanager
def public_errors() -> Iterator[None]:
    """Raises the public error of what the core raises."""
    from maas import _core

    try:
        yield
    except _core.CoreError as error:
        raise from_core(error) from None


def actor(who: str | None = None, request_id: str = "") -> _core.Actor:
    """Who changes something: a name, or the user of this process and its machine."""
    from maas import _core

    return _core.Actor(who=who or user(), request_id=request_id)


def user() -> str:
    """The user of this process and its machine, for the audit."""
    import getpass
    import socket

    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        name = str(os.getuid())
    return f"{name}@{socket.gethostname()}"
