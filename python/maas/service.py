# SPDX-License-Identifier: Apache-2.0
"""What is served: a Service of endpoints and models, and how one is collected from a target."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any, TypeVar, overload

from maas import batching
from maas.asgi import Mount, distinct
from maas.endpoint_spec import EndpointSpec, spec_of
from maas.errors import AlreadyExistsError, InvalidArgumentError, TargetError
from maas.lifecycle import Hooks, Teardown, hook_of, hooks_from
from maas.model import Model

C = TypeVar("C", bound=type)

_RECORD = "__maas_service__"
_READY = "__maas_ready__"
_STAND_IN = "__maas_stand_in__"
DEFAULT_NAME = "maas"


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """What the decorator records on a class."""

    name: str
    workers: int = 0


@overload
def service(cls: C) -> C: ...
@overload
def service(cls: None = None, *, name: str | None = None, workers: int = 0) -> Callable[[C], C]: ...
def service(cls: Any = None, *, name: str | None = None, workers: int = 0) -> Any:
    """Makes a class a service: one instance serves the methods decorated with @maas.endpoint.

    The instance is made once, when it is served, and its `setup()` is called if it has one, its
    `teardown()` when it is no longer served. Its `health()` is asked again and again: None or True
    is well; False, a text with the reason, or an exception makes /readyz answer 503. The name is
    the class's unless given. With `workers=N` each of N processes makes an instance of its own, and
    all its endpoints run there; this process makes none.
    """

    def decorate(target: Any) -> Any:
        if not isinstance(target, type):
            shown = getattr(target, "__qualname__", repr(target))
            raise InvalidArgumentError(
                f"@maas.service decorates a class, and {shown} is none; decorate a function with "
                "@maas.endpoint"
            )
        if not any(True for _ in _method_specs(target)):
            raise InvalidArgumentError(
                f"service {target.__name__} has nothing to serve; decorate at least one method "
                "with @maas.endpoint"
            )
        _check_workers(target, workers)
        setattr(target, _RECORD, ServiceSpec(name or target.__name__, workers))
        return target

    return decorate if cls is None else decorate(cls)


def instance_of(cls: type) -> object:
    """The one instance of a service class in this process, set up: what a worker serves."""
    made = _instance(cls)
    _set_up(made)
    return made


class Service:
    """Endpoints and models that are served together; checked when it is made, then constant.

    An endpoint is a decorated function or an EndpointSpec, so that no decorator is needed:
    ``Service(endpoints=[EndpointSpec("/echo", echo)], models=[digits])``.
    """

    def __init__(
        self,
        *,
        endpoints: Iterable[EndpointSpec | Callable[..., Any]] = (),
        models: Iterable[Model] = (),
        mounts: Iterable[Mount] = (),
        name: str = DEFAULT_NAME,
        hooks: Hooks = Hooks(),  # noqa: B008 - constant
    ) -> None:
        self.name = name
        self.endpoints = _distinct_paths(_as_spec(item) for item in endpoints)
        named = [spec.model for spec in self.endpoints if spec.model is not None]
        self.models = _distinct_names([*models, *named])
        self.mounts = distinct(mounts)
        self.hooks = sum((item.hooks for item in self.mounts), hooks)

    def __repr__(self) -> str:
        paths = [spec.path for spec in self.endpoints]
        return f"maas.Service({self.name!r}, {paths}, models={[m.name for m in self.models]})"

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to serve."""
        return not (self.endpoints or self.models or self.mounts)


def collect(target: object) -> Service:
    """The Service of whatever can be served; a TargetError says what cannot.

    A target is a module, a function, a service class or an instance of one, a model, a mounted
    application, a Service, a dict of names such as globals(), or a list of these.
    """
    if isinstance(target, Service):
        return target
    if isinstance(target, ModuleType):
        found = _merged(list(_served_names(vars(target))))
        if found.is_empty:
            raise TargetError(f"module {target.__name__} has nothing to serve; {_REMEDY}")
        return found
    if isinstance(target, Mapping):
        found = _merged(list(_served_names(target)))
        if found.is_empty:
            raise TargetError(f"there is nothing to serve here; {_REMEDY}")
        return found
    if isinstance(target, list | tuple):
        if not target:
            raise TargetError(f"an empty list has nothing to serve; {_REMEDY}")
        return _merged([collect(item) for item in target])
    return _single(target)


def served_names(names: Mapping[str, Any]) -> list[str]:
    """The names, in the order of definition, of what can be served."""
    return [name for name, value in names.items() if _is_served(name, value)]


_REMEDY = "decorate a function with @maas.endpoint, or load a model with maas.load"


def _single(target: object) -> Service:
    if isinstance(target, Model):
        return Service(models=[target])
    if isinstance(target, Mount):
        return Service(mounts=[target])
    if isinstance(target, EndpointSpec) or spec_of(target) is not None:
        return Service(endpoints=[target])  # type: ignore[list-item]
    if isinstance(target, type):
        if _service_spec(target) is None:
            raise TargetError(
                f"class {target.__name__} is no service; decorate it with @maas.service"
            )
        return _of_workers(target) or _of_instance(_instance(target))
    if (spec := _service_spec(type(target))) is not None:
        if spec.workers:
            raise TargetError(
                f"each worker makes an instance of {type(target).__name__} of its own, and this "
                "one would not be served; serve the class"
            )
        return _of_instance(target)
    shown = getattr(target, "__qualname__", None) or repr(target)
    raise TargetError(f"{shown} cannot be served; {_REMEDY}")


def hooks_in(names: Mapping[str, Any]) -> Hooks:
    """The functions of a module that are decorated to run around its serving."""
    # A notebook keeps results of old cells in names that are not the function's own.
    found = {
        id(value): value
        for name, value in names.items()
        if hook_of(value) and getattr(value, "__name__", "") == name
    }
    return hooks_from(list(found.values()))


def _is_served(name: str, value: object) -> bool:
    # A name with an underscore is private; a notebook keeps the results of old cells in such.
    if name.startswith("_"):
        return False
    if isinstance(value, Service | Model | EndpointSpec | Mount):
        return True
    if isinstance(value, type):
        return _RECORD in vars(value)
    return _service_spec(type(value)) is not None or spec_of(value) is not None


def _served_names(names: Mapping[str, Any]) -> Iterator[Service]:
    values = {id(v): v for name, v in names.items() if _is_served(name, v)}
    with_instance = {type(value) for value in values.values()}
    yield Service(hooks=hooks_in(names))
    for value in values.values():
        if value not in with_instance if isinstance(value, type) else True:
            yield collect(value)


def _merged(parts: list[Service]) -> Service:
    names = [part.name for part in parts if part.name != DEFAULT_NAME]
    return Service(
        endpoints=[spec for part in parts for spec in part.endpoints],
        models=[model for part in parts for model in part.models],
        mounts=[mount for part in parts for mount in part.mounts],
        hooks=sum((part.hooks for part in parts), Hooks()),
        name=names[0] if len(names) == 1 else DEFAULT_NAME,
    )


def _service_spec(cls: type) -> ServiceSpec | None:
    recorded = inspect.getattr_static(cls, _RECORD, None)
    return recorded if isinstance(recorded, ServiceSpec) else None


def _method_specs(cls: type) -> Iterator[EndpointSpec]:
    names = dict.fromkeys(name for base in reversed(cls.__mro__) for name in vars(base))
    for name in names:
        spec = spec_of(inspect.getattr_static(cls, name))
        if spec is not None:
            yield spec


def _instance(cls: type) -> object:
    made = vars(cls).get("__maas_instance__")
    if made is not None:
        return made
    _check_constructor(cls)
    made = cls()
    cls.__maas_instance__ = made  # type: ignore[attr-defined]
    return made


def _check_constructor(cls: type) -> None:
    spec = _service_spec(cls)
    remedy = (
        "give the arguments defaults"
        if spec and spec.workers
        else "serve an instance that you make"
    )
    try:
        inspect.signature(cls).bind()
    except TypeError as error:
        raise TargetError(
            f"service {cls.__name__} cannot be made without arguments ({error}); {remedy}"
        ) from None


def _set_up(instance: object) -> None:
    if not vars(instance).get(_READY):
        setup = getattr(instance, "setup", None)
        if callable(setup):
            setup()
        setattr(instance, _READY, True)


def _of_workers(cls: type) -> Service | None:
    """Endpoints that run in workers: bound to an instance that only stands for the class."""
    spec = _service_spec(cls)
    if spec is None or not spec.workers:
        return None
    stand_in = vars(cls).get(_STAND_IN)
    if stand_in is None:
        _check_constructor(cls)
        stand_in = object.__new__(cls)
        setattr(cls, _STAND_IN, stand_in)
    bound = [method.bound_to(stand_in) for method in _method_specs(cls)]
    return Service(
        endpoints=[replace(method, workers=spec.workers) for method in bound], name=spec.name
    )


def _check_workers(cls: type, workers: int) -> None:
    batching.check_number(f"service {cls.__name__}", "workers", workers, int, 0)
    for spec in _method_specs(cls):
        if spec.workers:
            raise InvalidArgumentError(
                f"endpoint {spec.name}: the methods of a service share its processes; write "
                f"@maas.service(workers={spec.workers}) instead"
            )
        if workers:
            replace(spec, workers=workers)  # checks that the endpoint can be served so


def _of_instance(instance: object) -> Service:
    cls = type(instance)
    spec = _service_spec(cls)
    assert spec is not None
    _set_up(instance)
    return Service(
        endpoints=[method.bound_to(instance) for method in _method_specs(cls)],
        models=[value for value in vars(instance).values() if isinstance(value, Model)],
        name=spec.name,
        hooks=_hooks_of(instance, spec.name),
    )


def _hooks_of(instance: object, name: str) -> Hooks:
    names = dict.fromkeys(key for base in reversed(type(instance).__mro__) for key in vars(base))
    methods = [
        getattr(instance, key)
        for key in names
        if hook_of(inspect.getattr_static(type(instance), key))
    ]
    own = hooks_from(methods)
    teardown = (
        (Teardown(instance, _READY),) if callable(getattr(instance, "teardown", None)) else ()
    )
    health = getattr(instance, "health", None)
    asked = callable(health) and spec_of(health) is None
    return Hooks(
        startup=own.startup,
        shutdown=own.shutdown + teardown,
        health=((name, health),) if asked and health is not None else (),
    )


def _as_spec(item: object) -> EndpointSpec:
    if isinstance(item, EndpointSpec):
        return item
    spec = spec_of(item)
    if spec is None:
        shown = getattr(item, "__qualname__", None) or repr(item)
        raise TargetError(
            f"{shown} is no endpoint; decorate it with @maas.endpoint, or give "
            "maas.EndpointSpec(path, function)"
        )
    if inspect.ismethod(item):
        return spec.bound_to(item.__self__)
    return spec


def _distinct_paths(specs: Iterable[EndpointSpec]) -> tuple[EndpointSpec, ...]:
    by_path: dict[str, EndpointSpec] = {}
    for spec in specs:
        other = by_path.setdefault(spec.path, spec)
        if other != spec:
            raise AlreadyExistsError(
                f"two endpoints have the path {spec.path!r}: {other.name} ({other.place}) and "
                f"{spec.name} ({spec.place}); give one of them another path"
            )
    return tuple(by_path.values())


def _distinct_names(models: Iterable[Model]) -> tuple[Model, ...]:
    by_name: dict[str, Model] = {}
    for model in models:
        other = by_name.setdefault(model.name, model)
        if other is not model:
            raise AlreadyExistsError(
                f"two models have the name {model.name!r}: {other.source} and "
                f"{model.source}; give one of them another name="
            )
    return tuple(by_name.values())
