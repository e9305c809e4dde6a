# SPDX-License-Identifier: Apache-2.0
"""The endpoints of a server as methods, made from its /openapi.json."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from maas.errors import InvalidArgumentError
from maas.types import closest

Call = Callable[..., Any]
Schema = Mapping[str, Any]


def operations_of(document: Schema) -> dict[str, Schema]:
    """The operation of each endpoint, by its path; those of the server itself are left out."""
    return {
        path: item["post"]
        for path, item in document["paths"].items()
        if "post" in item and "server" not in item["post"].get("tags", ())
    }


def takes_form(operation: Schema | None) -> bool:
    """Whether an endpoint takes multipart/form-data."""
    return operation is not None and "multipart/form-data" in operation["requestBody"]["content"]


class Method:
    """One endpoint: called with its parameters, in their order or by name."""

    def __init__(self, call: Call, path: str, operation: Schema) -> None:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        required = set(schema.get("required", ()))
        names = sorted(schema["properties"], key=lambda name: name not in required)
        self._call = call
        self._path = path
        self.__name__ = operation["operationId"]
        texts = (operation.get("summary", ""), operation.get("description", ""))
        self.__doc__ = "\n\n".join(filter(None, texts))
        self.__signature__ = inspect.Signature(
            [
                inspect.Parameter(
                    name,
                    inspect.Parameter.POSITIONAL_OR_KEYWORD,
                    default=inspect.Parameter.empty
                    if name in required
                    else schema["properties"][name].get("default"),
                )
                for name in names
                if name.isidentifier()
            ]
        )

    def __call__(self, *args: Any, **fields: Any) -> Any:
        """The answer; TypeError when the parameters are others."""
        return self._call(self._path, **self.__signature__.bind(*args, **fields).arguments)

    def __repr__(self) -> str:
        return f"<method {self.__name__}{self.__signature__} of {self._path}>"


class Endpoints:
    """The endpoints of a server: ``client.endpoints.classify(image=image)``."""

    def __init__(self, call: Call, operations: Mapping[str, Schema]) -> None:
        self._methods = {
            operation["operationId"]: Method(call, path, operation)
            for path, operation in operations.items()
        }

    def __getattr__(self, name: str) -> Method:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self._methods:
            known = list(self._methods)
            hint = closest(name, known) or f"; it has {', '.join(known) or 'none'}"
            raise InvalidArgumentError(f"the server has no endpoint {name!r}{hint}")
        return self._methods[name]

    def __dir__(self) -> list[str]:
        return list(self._methods)
