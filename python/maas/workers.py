# SPDX-License-Identifier: Apache-2.0
"""Endpoints that run in worker processes, on the server's side: what the workers are told.

A worker is a fresh interpreter that runs `maas.worker`. It gets the module search path, and where
each handler is found; requests and answers then go through shared memory.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maas import batching, code_transfer, config, engine
from maas.errors import InvalidArgumentError
from maas.logs import logger

if TYPE_CHECKING:
    from maas import _core
    from maas.endpoint_spec import EndpointSpec
    from maas.schema import Signature

# Batches that one worker may hold; messages for more of them might not fit their socket.
MOST_IN_FLIGHT = 256


@dataclass(frozen=True, slots=True)
class Remote:
    """An endpoint that runs in workers, with what its hints said."""

    spec: EndpointSpec
    signature: Signature
    fields: list[_core.Field]


def service_of(spec: EndpointSpec) -> object | None:
    """The instance whose method the handler is."""
    return getattr(spec.function, "__self__", None)


def start(group: list[Remote], on: _core.Engine) -> tuple[_core.WorkerPool, dict[str, Any]]:
    """Starts the workers that serve these endpoints and waits until they are ready.

    Gives the models of the endpoints by path. Raises what keeps a worker from serving them.
    """
    from maas import _core

    count = group[0].spec.workers
    name = _name(group)
    if not sys.executable:
        raise InvalidArgumentError(f"{name}: workers need sys.executable, the path of Python")
    cores = _cores_each(count)
    pool = _core.WorkerPool(
        on,
        name=name,
        workers=count,
        command=[sys.executable, *_interpreter_options(), "-P", "-m", "maas.worker"],
        environment=[] if "OMP_NUM_THREADS" in os.environ else [f"OMP_NUM_THREADS={cores}"],
        setup=json.dumps(_setup(group, cores)),
        most_in_flight=_in_flight(group, count),
    )
    models = {}
    for index, remote in enumerate(group):
        models[remote.spec.path] = pool.add(
            index,
            name=remote.spec.path,
            fields=remote.fields,
            asynchronous=remote.signature.asynchronous,
            idempotent=remote.spec.idempotent,
            batching=batching.core_options(remote.spec, remote.spec.concurrency),
        )
    return pool, models


def _name(group: list[Remote]) -> str:
    if len(group) == 1:
        return f"endpoint {group[0].spec.path}"
    return f"endpoints {', '.join(remote.spec.path for remote in group)}"


def _in_flight(group: list[Remote], count: int) -> int:
    most = max(remote.spec.concurrency for remote in group)
    return min(-(-most // count), MOST_IN_FLIGHT)


def _setup(group: list[Remote], cores: int) -> dict[str, Any]:
    return {
        "path": sys.path,
        "folder": str(Path.cwd()),
        "log_level": logger.getEffectiveLevel(),
        "settings": {"cores": cores},
        "endpoints": [_endpoint(remote) for remote in group],
    }


def _endpoint(remote: Remote) -> dict[str, Any]:
    spec = remote.spec
    owner = service_of(spec)
    place = f"endpoint {spec.name}"
    return {
        "path": spec.path,
        "max_batch_size": spec.max_batch_size,
        "parameters": signature_text(remote.signature),
        "code": code_transfer.reference(spec.function if owner is None else type(owner), place),
        "method": None if owner is None else spec.function.__name__,
    }


def signature_text(signature: Signature) -> str:
    """What a server and its worker must agree in."""
    return str(
        [(item.name, item.kind, item.tensor, item.required) for item in signature.parameters]
    )


def _cores_each(count: int) -> int:
    """The cores that one worker may use, so that all together do not use more than there are."""
    cores = engine.current_settings().cores or len(os.sched_getaffinity(0))
    return max(1, cores // count)


def _interpreter_options() -> list[str]:
    """Options such as -X and -W that this interpreter was started with."""
    options: list[str] = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined] # multiprocessing uses it too
    return options


def settings_of(setup: dict[str, Any]) -> config.Settings:
    """The settings of a worker."""
    return config.Settings(**setup["settings"])
