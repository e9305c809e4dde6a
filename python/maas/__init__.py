# SPDX-License-Identifier: Apache-2.0
"""maas turns a trained model into a served endpoint: a C++ core under Python decorators."""

from typing import TYPE_CHECKING, Any

from maas import ops
from maas.asgi import Mount, mount
from maas.context import Context
from maas.endpoint import endpoint
from maas.endpoint_spec import EndpointSpec
from maas.errors import (
    AlreadyExistsError,
    BatchLengthError,
    CancelledError,
    ConfigError,
    ConflictError,
    DeadlineExceededError,
    Error,
    ForbiddenError,
    InternalError,
    InvalidArgumentError,
    NotFoundError,
    OverloadedError,
    TargetError,
    TooLargeError,
    UnauthorizedError,
    UnavailableError,
    UnprocessableError,
)
from maas.files import File
from maas.lifecycle import on_shutdown, on_startup
from maas.model import Model, load
from maas.pipeline import Pipeline, Stage
from maas.service import Service, service
from maas.tables import Columns
from maas.types import Tensor

if TYPE_CHECKING:
    from maas import models
    from maas._core import __version__
    from maas.client import Client
    from maas.server import Server
    from maas.serving import serve
    from maas.testing import TestClient

__all__ = [
    "AlreadyExistsError",
    "BatchLengthError",
    "CancelledError",
    "Client",
    "Columns",
    "ConfigError",
    "ConflictError",
    "Context",
    "DeadlineExceededError",
    "EndpointSpec",
    "Error",
    "File",
    "ForbiddenError",
    "InternalError",
    "InvalidArgumentError",
    "Model",
    "Mount",
    "NotFoundError",
    "OverloadedError",
    "Pipeline",
    "Server",
    "Service",
    "Stage",
    "TargetError",
    "Tensor",
    "TestClient",
    "TooLargeError",
    "UnauthorizedError",
    "UnavailableError",
    "UnprocessableError",
    "__version__",
    "endpoint",
    "load",
    "models",
    "mount",
    "on_shutdown",
    "on_startup",
    "ops",
    "serve",
    "service",
]

# Loaded when first asked for, so that `import maas` stays fast.
_LATE = {
    "Client": "maas.client",
    "Server": "maas.server",
    "TestClient": "maas.testing",
    "__version__": "maas._core",
    "models": "maas.models",
    "serve": "maas.serving",
}


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module 'maas' has no attribute {name!r}")
    import importlib

    module = importlib.import_module(_LATE[name])
    found = module if module.__name__ == f"maas.{name}" else getattr(module, name)
    globals()[name] = found
    return found
