# SPDX-License-Identifier: Apache-2.0
"""Loading and unloading over the network: the repository operations of the protocol.

The core hands them to a callable of ours, like any handler's; it changes what the server publishes.
"""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING, Any, Protocol

from maas import publishing
from maas.endpoint_spec import EndpointSpec
from maas.errors import InvalidArgumentError, NotFoundError
from maas.pipeline import Pipeline

if TYPE_CHECKING:
    from maas import _core
    from maas.model import Model
    from maas.service import Service


class Serving(Protocol):
    """What a repository needs of its server."""

    @property
    def service(self) -> Service: ...  # noqa: D102 - explained there

    def refresh(self) -> None: ...  # noqa: D102


def allows_control(setting: str, host: str) -> bool:
    """Whether clients may load and unload: `auto` lets those of this machine alone."""
    return setting == "on" or (setting == "auto" and _is_local(host))


def _is_local(host: str) -> bool:
    import ipaddress  # only for those who serve

    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Repository:
    """Which models of a server are unloaded, and the callable that clients' wishes go to."""

    def __init__(self, server: Serving, on: _core.Engine, *, controlled: bool) -> None:
        self.unloaded: frozenset[str] = frozenset()
        self._on = on
        self._lock = threading.Lock()
        # The core keeps the callable for as long as it serves, which must not keep the server.
        self._server = weakref.ref(server)
        self._control = _callable(weakref.ref(self), on) if controlled else None

    def core(self, service: Service) -> _core.Repository:
        """What the core is told of it when the service is published."""
        from maas import _core

        unloaded = [
            (item.name, item.version) for item in service.models if item.name in self.unloaded
        ]
        return _core.Repository(unloaded=unloaded, control=self._control)

    def load(self, name: str, parameters: dict[str, Any]) -> None:
        """Serves a model again, or reads the file of one that is served again."""
        for key in parameters:
            if key == "config" or key.startswith("file:"):
                raise InvalidArgumentError(
                    f"the parameter {key.partition(':')[0]!r} is not supported: a model is loaded "
                    "as it was declared where the server was started"
                )
        with self._lock:
            server, found = self._find(name)
            if name in self.unloaded:
                self._apply(server, self.unloaded - {name})
            else:
                found.reload(self._on)
                self._apply(server, self.unloaded)

    def unload(self, name: str) -> None:
        """Serves a model no more, and frees its memory unless an endpoint or pipeline uses it."""
        with self._lock:
            server, found = self._find(name)
            self._apply(server, self.unloaded | {name})
            if not _is_used(found, server.service):
                found.release(self._on)

    def _find(self, name: str) -> tuple[Serving, Model]:
        server = self._server()
        if server is not None:
            for item in server.service.models:
                if item.name == name:
                    return server, item
        raise NotFoundError(f"this server has no model {name!r}, loaded or not")

    def _apply(self, server: Serving, unloaded: frozenset[str]) -> None:
        before, self.unloaded = self.unloaded, unloaded
        try:
            server.refresh()
        except BaseException:
            self.unloaded = before
            raise


def _callable(repository: weakref.ref[Repository], on: _core.Engine) -> _core.Model:
    def control(action: str, name: str, parameters: dict[str, Any]) -> None:
        found = repository()
        if found is None:
            raise NotFoundError("the server has gone")
        if action == "load":
            found.load(name, parameters)
        else:
            found.unload(name)

    spec = EndpointSpec("/repository", control)
    return publishing.callable_of(spec, spec.signature(), on)


def _is_used(model: Model, service: Service) -> bool:
    by_endpoint = any(spec.model is model for spec in service.endpoints)
    return by_endpoint or any(
        stage.model is model
        for item in service.models
        if isinstance(item, Pipeline)
        for stage in item.stages
    )
