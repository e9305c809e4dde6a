# SPDX-License-Identifier: Apache-2.0
"""The program of a worker process, `python -m maas.worker`: only a server starts it.

It runs handlers for a server that sends it requests through shared memory. It ends when the server
tells it to, and at once when the server is gone.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from typing import TYPE_CHECKING, Any

from maas import code_transfer, engine, handler, logs, publishing, workers
from maas.endpoint_spec import EndpointSpec, spec_of
from maas.errors import TargetError
from maas.logs import logger
from maas.service import instance_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from maas import _core

    Served = tuple[Callable[..., Any], list[_core.Field], bool, bool]


def main() -> int:
    """Serves until told to stop; the exit code."""
    from maas import _core

    # They go to all processes of a terminal or of a unit: the server decides what becomes of them.
    # Not ignored: programs that a handler starts would ignore them as well.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    try:
        session = _core.WorkerSession(_core.WORKER_FD)
    except _core.CoreError as error:
        sys.stderr.write(f"maas.worker: {error.args[2]}\n")
        return 2
    setup = json.loads(session.setup)
    logs.to_server(session.log, setup["log_level"])
    try:
        served = load(setup)
    except BaseException as error:  # whatever the user's module does when it is imported
        traceback.print_exc()
        session.fail(code_transfer.reason(error))
        return 1
    if not session.serve(served):
        os._exit(1)  # the server is gone, and nobody wants to hear of what still runs
    tear_down(setup)
    return 0


def tear_down(setup: dict[str, Any]) -> None:
    """Calls `teardown()` of each service that was set up here, before the process ends."""
    instances = {
        id(made): made
        for item in setup["endpoints"]
        if item["method"] is not None
        for made in [instance_of(code_transfer.resolve(item["code"]))]
    }
    for made in instances.values():
        try:
            getattr(made, "teardown", lambda: None)()
        except Exception as error:
            logger.error("teardown of %s failed: %s", type(made).__name__, error, exc_info=error)


def load(setup: dict[str, Any]) -> list[Served]:
    """What the core calls, for each of the endpoints."""
    sys.path[:] = setup["path"]
    os.chdir(setup["folder"])
    engine.become_worker(workers.settings_of(setup))
    return [_served(item) for item in setup["endpoints"]]


def _served(item: dict[str, Any]) -> Served:
    spec = _spec(item)
    signature = spec.signature()
    if workers.signature_text(signature) != item["parameters"]:
        raise TargetError(
            f"the parameters of {spec.name} have changed since it was published; publish it again"
        )
    make = handler.asynchronous if signature.asynchronous else handler.synchronous
    fields = publishing.fields(signature.parameters)
    called = make(handler.Adapter(spec, signature))
    return called, fields, signature.asynchronous, signature.asks_origin


def _spec(item: dict[str, Any]) -> EndpointSpec:
    found = code_transfer.resolve(item["code"])
    if item["method"] is not None:
        found = getattr(instance_of(found), item["method"])
    recorded = spec_of(found)
    if recorded is not None:
        owner = getattr(found, "__self__", None)
        found = recorded.function if owner is None else recorded.bound_to(owner).function
    names = recorded.local_names if recorded is not None else {}
    return EndpointSpec(
        item["path"], found, max_batch_size=item["max_batch_size"], local_names=names
    )


if __name__ == "__main__":
    sys.exit(main())
