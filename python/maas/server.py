# SPDX-License-Identifier: Apache-2.0
"""The server object.

It owns the core's server. It installs no signal handler and never ends the process: only the
command line does.
"""

from __future__ import annotations

import os
import sys
import threading
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from maas import (
    engine,
    following,
    health,
    lifecycle,
    model,
    publishing,
    repository,
    server_core,
)
from maas.errors import InvalidArgumentError, NotFoundError, from_core
from maas.service import DEFAULT_NAME, Service, collect

if TYPE_CHECKING:
    from maas import _core, grpc_server
    from maas.config import Settings
    from maas.model import Model

# What runs when the process ends gets this long, and no more.
EXIT_TIMEOUT_S = 1.0


class Server:
    """A server of models and endpoints. Any thread may call it.

    Make it, give it something to serve (`load_model`, `publish`), `start` it, `stop` it; a `with`
    block starts and stops it. What it is not told comes from the settings of the process. The
    name is the title of its documentation.
    """

    def __init__(
        self,
        *,
        host: str | None = None,
        port: int | None = None,
        name: str = DEFAULT_NAME,
        settings: Settings | None = None,
        core_engine: _core.Engine | None = None,
    ) -> None:
        chosen = settings or engine.current_settings()
        self.settings = replace(
            chosen,
            host=chosen.host if host is None else host,
            port=chosen.port if port is None else port,
        )
        self.engine = engine.default() if core_engine is None else core_engine
        self.name = name
        self._lock = threading.RLock()
        self._target: Service = Service()
        self._models: list[Model] = []
        self._published: publishing.Publication | None = None
        self._started = False
        self._ended = False
        self._past: list[publishing.Past] = []  # of the target's own hooks
        self._retiring: list[threading.Thread] = []
        self._stopped = threading.Event()
        self._core = server_core.make(self.settings, self.engine, name)
        self._grpc = self._make_grpc()
        self._repository = repository.Repository(
            self,
            self.engine,
            controlled=repository.allows_control(self.settings.model_control, self.settings.host),
        )
        self._follower = following.Follower(self, self.settings.follow_interval_s)
        self._health = health.Monitor(self._core.set_unready, self.settings.health_interval_s)

    @property
    def port(self) -> int:
        """The port it listens on; a free one was chosen for 0."""
        return self._core.port

    @property
    def grpc_port(self) -> int | None:
        """The port of the gRPC service; None when there is none."""
        return None if self._grpc is None else self._grpc.port

    @property
    def stopped(self) -> bool:
        """Whether it was told to stop."""
        return self._stopped.is_set()

    @property
    def url(self) -> str:
        """Where it answers, such as http://127.0.0.1:8000."""
        host = self.settings.host
        shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)
        return f"http://{shown}:{self.port}"

    @property
    def budget(self) -> str:
        """How the cores are divided, in words."""
        return self.engine.budget

    @property
    def stats(self) -> dict[str, dict[str, Any]]:
        """Live statistics by the name of a model or the path of an endpoint written in Python."""
        published = self._published
        if published is None:
            return {}
        models = {item.name: item for item in published.models}
        return {name: item.statistics() for name, item in {**models, **published.callables}.items()}

    def publish(self, target: object) -> None:
        """Serves this target from now on; running requests end where they began.

        Its startups run before, and the shutdowns of what it replaces after that one's last
        request; neither runs when both have the same hooks.
        """
        with self._lock:
            collected, before = collect(target), self._repository.unloaded
            self._repository.unloaded = frozenset()
            try:
                self._apply(collected, self._models)
            except BaseException:
                self._repository.unloaded = before
                raise

    def load_model(self, path: str | os.PathLike[str], **options: Any) -> Model:
        """Loads a model file and serves it besides the target; options are those of maas.load."""
        caller = sys._getframe(1).f_globals.get("__file__")
        found = model.find_file(path, Path(caller).parent if caller else None)
        with self._lock:
            made = model.load(str(found), **options)
            self._apply(self._target, [*self._models, made])
        return made

    def update_model(self, path: str | os.PathLike[str], *, name: str | None = None) -> Model:
        """Replaces a served model by another file, as its next version; no request is lost."""
        caller = sys._getframe(1).f_globals.get("__file__")
        found = model.find_file(path, Path(caller).parent if caller else None)
        with self._lock:
            handle = self._served_model(name)
            handle.replace(str(found))
            self._apply(self._target, self._models)
        return handle

    @property
    def service(self) -> Service:
        """All that it serves: the target, and the models that were loaded besides."""
        target = self._target
        return Service(
            endpoints=target.endpoints,
            models=[*target.models, *self._models],
            mounts=target.mounts,
        )

    def refresh(self) -> None:
        """Publishes again what is served, from models that have changed."""
        with self._lock:
            self._apply(self._target, self._models)

    def start(self) -> Server:
        """Listens and answers; returns at once. Nothing happens when it does already."""
        from maas import _core

        with self._lock:
            if self._started:
                return self
            try:
                self._core.start()
            except _core.CoreError as error:
                raise from_core(error) from None
            try:
                if self._grpc is not None:
                    self._grpc.start()
            except BaseException:
                self._core.stop()
                raise
            self._started = True
            self._follower.watch()
        engine.before_exit(self._stop_at_exit)
        return self

    def drain(self, timeout_s: float | None = None) -> bool:
        """Takes no new work and waits for what runs; True when all of it was answered in time."""
        limit = self.settings.drain_timeout_s if timeout_s is None else timeout_s
        if self._grpc is not None:
            self._grpc.drain(limit)
        done = self._core.drain(limit)
        return (self._grpc is None or self._grpc.drained()) and done

    def stop(self, timeout_s: float | None = None) -> None:
        """Drains, then closes; the server cannot be started again."""
        with self._lock:
            if self._stopped.is_set():
                return
            self._stopped.set()
        self._follower.stop()
        self.drain(timeout_s)  # a handler that does not return is left to itself
        if self._grpc is not None:
            self._grpc.stop()
        self.finish()
        self._core.stop()
        if self._published is not None:
            self._published.stop_workers()
        engine.not_before_exit(self._stop_at_exit)

    def finish(self) -> None:
        """Runs the shutdowns of what is served, once; `stop` does it after it has drained."""
        with self._lock:
            if self._ended:
                return
            self._ended = True
            target, retiring = self._target, self._retiring
        self._health.stop()
        for thread in retiring:
            thread.join(lifecycle.SHUTDOWN_TIMEOUT_S)
        lifecycle.stop(target.hooks)

    def wait(self) -> None:
        """Blocks until it is stopped, by `stop` or by Ctrl-C."""
        try:
            self._stopped.wait()
        except KeyboardInterrupt:
            self.stop()

    def handle(
        self, method: str, path: str, headers: list[tuple[str, str]], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """Answers one request without a socket, through the same routes."""
        return self._core.handle(method, path, headers, body)

    def begin(
        self, method: str, path: str, headers: list[tuple[str, str]], body: bytes
    ) -> _core.PendingCall:
        """Like `handle`, and does not wait for the answer."""
        return self._core.begin(method, path, headers, body)

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"maas.Server({self.url})"

    def _stop_at_exit(self) -> None:
        self.stop(EXIT_TIMEOUT_S)

    def _make_grpc(self) -> grpc_server.GrpcServer | None:
        if self.settings.grpc_port < 0:
            return None
        from maas import grpc_server  # only for those who have grpcio

        return grpc_server.GrpcServer(self._core.begin, self.settings)

    def _apply(self, target: Service, models: list[Model]) -> None:
        from maas import _core

        whole = Service(
            endpoints=target.endpoints, models=[*target.models, *models], mounts=target.mounts
        )
        engine.check_that_it_may_serve()
        made = publishing.prepare(whole, self.engine, self._repository.unloaded)
        fresh = target.hooks != self._target.hooks
        if fresh:
            lifecycle.start(target.hooks)
            # Also where it never starts to listen, what was started is shut down.
            engine.before_exit(self._stop_at_exit)
        try:
            replaced = self._core.publish(
                models=made.models,
                endpoints=made.endpoints,
                mounts=made.mounts,
                components=made.components,
                repository=self._repository.core(whole),
            )
        except _core.CoreError as error:
            if fresh:
                lifecycle.stop(target.hooks)
            raise from_core(error) from None
        made.announce()
        past = [item for item in self._past if not item.idle()]
        before = self._target
        if before.hooks.shutdown:  # else nobody asks for it, and its models and workers may go
            past.append(publishing.Past(replaced, self._published))
        self._past = past
        self._target, self._models, self._published = target, models, made
        if self._started:
            self._follower.watch()
        if fresh:
            self._retire(before)
            self._health.watch(target.hooks.health)

    def _retire(self, target: Service) -> None:
        past, self._past = self._past, []
        thread = lifecycle.retire(target.hooks, lambda: all(item.idle() for item in past))
        running = [item for item in self._retiring if item.is_alive()]
        self._retiring = running if thread is None else [*running, thread]

    def _served_model(self, name: str | None) -> Model:
        models = {item.name: item for item in [*self._target.models, *self._models]}
        if name is None and len(models) == 1:
            return next(iter(models.values()))
        shown = ", ".join(models) or "none"
        if name is None:
            raise InvalidArgumentError(f"say which model to update with name=; served: {shown}")
        if name not in models:
            raise NotFoundError(f"no model {name!r} is served; served: {shown}")
        return models[name]
