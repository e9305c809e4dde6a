# SPDX-License-Identifier: Apache-2.0
"""Runs a server as a process: the first SIGTERM or SIGINT drains it, the second ends it now.

Only the command line uses this; as a library maas leaves signals alone.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from typing import TYPE_CHECKING, NoReturn

from maas.logs import logger

if TYPE_CHECKING:
    from maas.server import Server

STOPPING = (signal.SIGTERM, signal.SIGINT)


class Signals:
    """The stopping signals as bytes on a socket; made and read by the main thread.

    Python runs a handler only between two steps of the main thread, which waits inside the core
    while it drains. The byte arrives whatever that thread does, and a child process inherits no
    blocked signal.
    """

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for number in STOPPING:
            signal.signal(number, lambda *_: None)

    def wait(self) -> signal.Signals:
        """The next stopping signal."""
        while True:
            number = self._reader.recv(1)[0]
            if number in STOPPING:
                return signal.Signals(number)


def run(server: Server) -> None:
    """Serves until a stopping signal, then drains and closes."""
    signals = Signals()
    server.start()
    logger.info("serving %s (documentation at %s/docs)", server.url, server.url)
    if server.grpc_port is not None:
        logger.info("serving gRPC at %s:%d", server.settings.host, server.grpc_port)
    logger.info("core budget: %s", server.budget)
    first = signals.wait()
    limit = server.settings.drain_timeout_s
    logger.info(
        "%s: finishing what runs, at most %g s; a second signal ends now", first.name, limit
    )
    threading.Thread(target=_end_at, args=(signals,), name="maas-signals", daemon=True).start()
    if not server.drain(limit):
        logger.warning("some requests did not finish within %g s; ending without them", limit)
        server.finish()
        _leave(0)
    server.stop(0.0)
    logger.info("stopped")


def _end_at(signals: Signals) -> None:
    _leave(128 + signals.wait())


def _leave(code: int) -> NoReturn:
    """Ends the process whatever its threads do: one that never returns cannot be joined."""
    logging.shutdown()
    os._exit(code)
