# SPDX-License-Identifier: Apache-2.0
"""`health()` of services: asked by a thread of its own, told to the core, which answers /readyz.

No request waits for a check: /readyz says what the last round found.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from maas import lifecycle
from maas.logs import logger

TIMEOUT_S = 5.0

Checks = tuple[tuple[str, Callable[[], Any]], ...]


class _Check:
    """One service's `health()`; a call that hangs is never joined by a second one."""

    def __init__(self, name: str, function: Callable[[], Any]) -> None:
        self._name = name
        self._function = function
        self._thread: threading.Thread | None = None
        self._reason = ""

    def begin(self) -> None:
        """Calls it, unless its last call still runs."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="maas-health-check", daemon=True)
            self._thread.start()

    def end(self, deadline: float) -> str:
        """Why the service is unhealthy, "" when it is well."""
        assert self._thread is not None
        self._thread.join(max(deadline - time.monotonic(), 0.0))
        if self._thread.is_alive():
            return f"service {self._name!r}: health() has not answered within {TIMEOUT_S:g} s"
        return self._reason and f"service {self._name!r}: {self._reason}"

    def _run(self) -> None:
        try:
            self._reason = reason_of(lifecycle.call(self._function, TIMEOUT_S))
        except BaseException as error:  # whatever a check does, it is not well
            self._reason = (
                f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            )


class Monitor:
    """Asks the checks of what is published, every `interval_s`, and reports what is wrong."""

    def __init__(self, report: Callable[[str], None], interval_s: float) -> None:
        self._report = report
        self._interval_s = interval_s
        self._lock = threading.Lock()
        self._turn = threading.Lock()  # one round at a time
        self._checks: list[_Check] = []
        self._known = ""
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self, checks: Checks) -> None:
        """These from now on; the first answers are there when this returns."""
        with self._lock:
            self._checks = [_Check(name, function) for name, function in checks]
        self._round()
        if checks and self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="maas-health", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """No more checks; waits for none."""
        self._stopped.set()

    def _serve(self) -> None:
        while not self._stopped.wait(self._interval_s):
            self._round()

    def _round(self) -> None:
        with self._turn:
            self._ask()

    def _ask(self) -> None:
        with self._lock:
            checks = self._checks
        deadline = time.monotonic() + TIMEOUT_S
        for check in checks:
            check.begin()
        reason = "; ".join(filter(None, (check.end(deadline) for check in checks)))
        with self._lock:
            if checks is not self._checks or reason == self._known or self._stopped.is_set():
                return
            self._known = reason
            self._report(reason)
        if reason:
            logger.warning("not ready: %s", reason)
        else:
            logger.info("ready again")


def reason_of(result: object) -> str:
    """What a check says: None and True are well; False, or a text with the reason, is not."""
    if result is None or result is True:
        return ""
    if result is False:
        return "health() returned False"
    if isinstance(result, str):
        return result or "health() returned an empty text"
    return f"health() returned a {type(result).__name__}; return True, or a text with the reason"
