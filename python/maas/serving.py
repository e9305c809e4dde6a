# SPDX-License-Identifier: Apache-2.0
"""maas.serve for scripts and notebook cells: one server per address, whose target is swapped."""

from __future__ import annotations

import sys
import threading
from dataclasses import replace

from maas import engine, logs
from maas.logs import logger
from maas.server import Server
from maas.service import collect

_running: dict[tuple[str, int], Server] = {}
_running_lock = threading.Lock()


def serve(
    target: object = None,
    *,
    host: str | None = None,
    port: int | None = None,
    grpc_port: int | None = None,
    blocking: bool = True,
) -> Server:
    """Serves a target: a module, function, service class or instance, model, or a list of these.

    Without one, what the caller's file or notebook has defined so far. With `blocking=False` it
    returns at once with the running server (`.url`, `.stats`, `.stop()`); serving again on the
    same port swaps what is served without dropping a connection. `grpc_port` is that of the gRPC
    service (`maas[grpc]`), which a server has from its start or not at all.
    """
    collected = collect(sys._getframe(1).f_globals if target is None else target)
    settings = engine.current_settings()
    key = (host or settings.host, settings.port if port is None else port)
    with _running_lock:
        for known in [known for known, server in _running.items() if server.stopped]:
            del _running[known]
        server = _running.get(key)
        if server is None:
            if grpc_port is not None:
                settings = replace(settings, grpc_port=grpc_port)
            server = Server(host=host, port=port, name=collected.name, settings=settings)
            server.publish(collected)
            server.start()
            _running[key] = _running[key[0], server.port] = server
        else:
            server.publish(collected)
    if blocking:
        # A script that does nothing else is a server: it shows what it does, unless told how.
        if not logger.hasHandlers():
            logs.configure(settings.log_format)
        logger.info("serving %s (documentation at %s/docs)", server.url, server.url)
        server.wait()
    return server
