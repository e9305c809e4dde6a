# SPDX-License-Identifier: Apache-2.0
"""Models that follow an alias of the registry: where it moves, the version that serves moves.

A new version is loaded and warmed up before it is published in one step; requests under way finish
on the old one. One that does not load never serves, and the old one goes on.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol

from maas import stored
from maas.errors import Error
from maas.logs import logger

if TYPE_CHECKING:
    from maas.model import Loaded, Model
    from maas.service import Service

# A version that was replaced stays loaded this long, so that going back to it takes no time.
SCALE_DOWN_DELAY_S = 30.0


class Serving(Protocol):
    """What a follower needs of its server."""

    @property
    def service(self) -> Service: ...  # noqa: D102 - explained there

    def refresh(self) -> None: ...  # noqa: D102


class Follower:
    """Looks where the aliases of a server's models are. One thread of its own calls `check`."""

    def __init__(self, server: Serving, interval_s: float) -> None:
        self._server = server
        self._interval_s = interval_s
        self._warm: list[tuple[float, Loaded]] = []
        # By model: the version that its alias names and that does not serve, and why.
        self._failures: dict[str, tuple[int, str]] = {}
        self._checking = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self) -> None:
        """Begins when there is something to follow; safe to call again."""
        if self._thread is None and self._interval_s > 0 and self._followed():
            self._thread = threading.Thread(target=self._run, name="maas-follow", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Ends the thread, which may be loading a version still."""
        self._stopped.set()
        self._warm.clear()

    def check(self) -> bool:
        """Serves the versions that the aliases name now; True when one has changed."""
        with self._checking:
            now = time.monotonic()
            self._warm = [item for item in self._warm if item[0] > now]
            changed = [self._follow(item) for item in self._followed()]
            return any(changed)

    def _followed(self) -> list[Model]:
        return [item for item in self._server.service.models if item.follows]

    def _run(self) -> None:
        while not self._stopped.wait(self._interval_s):
            try:
                self.check()
            except Exception:  # the next look may fare better
                logger.exception("the aliases of the registry could not be followed")

    def _follow(self, model: Model) -> bool:
        reference = model.follows or ""
        try:
            wanted = stored.version_of(reference)
        except Error as error:
            self._failed(model, 0, error.message)
            return False
        if wanted == model.version:
            self._failures.pop(model.name, None)
            return False
        if wanted == self._failures.get(model.name, (0, ""))[0]:
            return False
        start = time.monotonic()
        number = f"{reference.partition('@')[0]}:{wanted}"  # the alias may move once more
        try:
            loaded = self._kept(model, wanted) or model.prepare(stored.open_version(number))
            before = self._publish(model, loaded)
        except Error as error:
            self._failed(model, wanted, error.message)
            return False
        self._warm.append((time.monotonic() + SCALE_DOWN_DELAY_S, before))
        self._failures.pop(model.name, None)
        logger.info(
            "%s: version %d serves, %d before (it took %.2f s)",
            model.follows,
            model.version,
            before.version,
            time.monotonic() - start,
        )
        return True

    def _kept(self, model: Model, version: int) -> Loaded | None:
        for _, loaded in self._warm:
            if (loaded.spec.name, loaded.version) == (model.name, version):
                return loaded
        return None

    def _publish(self, model: Model, loaded: Loaded) -> Loaded:
        before = model.become(loaded)
        try:
            self._server.refresh()
        except BaseException:
            model.become(before)
            raise
        return before

    def _failed(self, model: Model, version: int, reason: str) -> None:
        if self._failures.get(model.name) == (version, reason):
            return
        self._failures[model.name] = (version, reason)
        what = f"version {version}" if version else model.follows
        logger.error(
            "%s does not serve, version %d of %s goes on: %s",
            what,
            model.version,
            model.name,
            reason,
        )
