# SPDX-License-Identifier: Apache-2.0
"""`--reload`: loads a target again when one of its sources changes, and serves what it got.

A source that fails to load changes nothing: what was served goes on being served.
"""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

from maas import targets
from maas.errors import Error
from maas.logs import logger
from maas.service import Service

INTERVAL_S = 0.5


class Reloader:
    """Watches the sources below a target's folder. One thread of its own calls `check`."""

    def __init__(self, target: str, publish: Callable[[Service], None]) -> None:
        self._target = target
        self._publish = publish
        self._folder = targets.source_folder(target)
        self._suspects: set[Path] = set()  # that the last load failed on
        self._seen = self._times()
        self._stopped = threading.Event()

    def start(self) -> None:
        """Watches from now on, on a thread that ends with the process."""
        threading.Thread(target=self._watch, name="maas-reload", daemon=True).start()

    def stop(self) -> None:
        """Ends the watch."""
        self._stopped.set()

    def check(self) -> bool:
        """Loads and publishes again if a source has changed; True when it did."""
        times = self._times()
        if times == self._seen:
            return False
        self._seen = times
        kept = self._forget()
        try:
            self._publish(targets.load(self._target))
        except (Exception, SystemExit) as error:  # edited code may do anything
            for name in self._modules():
                sys.modules.pop(name)
            sys.modules.update(kept)
            self._suspects = set(self._files_of(error))
            self._seen = self._times() | times
            message = (
                error.message if isinstance(error, Error) else f"{type(error).__name__}: {error}"
            )
            logger.error("not reloaded, the old version keeps serving: %s", message)
            return False
        self._suspects.clear()
        # What was edited while it was loaded is loaded again.
        self._seen = {path: times.get(path, now) for path, now in self._times().items()}
        logger.info("reloaded %s", self._target)
        return True

    def _watch(self) -> None:
        while not self._stopped.wait(INTERVAL_S):
            self.check()

    def _modules(self) -> dict[str, Path]:
        """The loaded modules below the folder that are sources of the target."""
        found = {}
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if file is None or name == "__main__" or name.partition(".")[0] == "maas":
                continue
            path = Path(file)
            if path.is_relative_to(self._folder) and "site-packages" not in path.parts:
                found[name] = path
        return found

    def _times(self) -> dict[Path, int]:
        times = {}
        for path in {*self._modules().values(), *self._suspects}:
            try:
                times[path] = path.stat().st_mtime_ns
            except FileNotFoundError:
                times[path] = 0  # an editor is replacing it
        return times

    def _forget(self) -> dict[str, ModuleType]:
        """Takes the modules out, with what is kept compiled of them.

        Python trusts that by the second and the size of the source, which an edit may leave as
        they are.
        """
        found = self._modules()
        for path in (*found.values(), *self._suspects):
            with contextlib.suppress(OSError):
                Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)
        importlib.invalidate_caches()
        return {name: sys.modules.pop(name) for name in found}

    def _files_of(self, error: BaseException) -> Iterator[Path]:
        """The sources that an error points at, also those that are not there yet."""
        cause: BaseException | None = error
        while cause is not None:
            files = [frame.filename for frame in traceback.extract_tb(cause.__traceback__)]
            if isinstance(cause, SyntaxError) and cause.filename:
                files.append(cause.filename)
            if isinstance(cause, ModuleNotFoundError) and cause.name:
                files.append(str(self._folder.joinpath(*cause.name.split("."))) + ".py")
            for path in map(Path, files):
                if path.is_relative_to(self._folder) and "site-packages" not in path.parts:
                    yield path
            cause = cause.__cause__
