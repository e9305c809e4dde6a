# SPDX-License-Identifier: Apache-2.0
"""Each method of the gRPC service but inference, as the operation over HTTP that it stands for.

So it has that operation's limits, access rules and answer: a message is read into a request without
a socket, and the JSON that comes back is written into a message.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from maas.grpc_messages import PACKAGE, message_class
from maas.model import is_model_name

SERVICE = f"{PACKAGE}.GRPCInferenceService"
HEALTH = "grpc.health.v1.Health"
# What the core answers itself, a message with a message.
INFER = f"/{SERVICE}/ModelInfer"
STREAM_INFER = f"/{SERVICE}/ModelStreamInfer"

# Verb, path and body of a request.
Operation = tuple[str, str, bytes]


@dataclass(frozen=True, slots=True)
class Method:
    """How a message becomes a request, and the answer another message."""

    request: str
    operation: Callable[[Any], Operation]
    response: str
    # the fields of the response from the answer's JSON
    fields: Callable[[Any], dict[str, Any]] = lambda answer: answer
    # the same for answers that are errors over HTTP, by their status
    otherwise: dict[int, dict[str, Any]] | None = None

    def read(self, message: bytes) -> Operation:
        """The request that a message stands for; ValueError when it is malformed."""
        from google.protobuf.message import DecodeError

        try:
            return self.operation(message_class(self.request).FromString(message))
        except DecodeError as error:
            raise ValueError(f"the message is malformed: {error}") from None

    def write(self, status: int, body: bytes) -> bytes | None:
        """The message for an answer; None when the answer is an error."""
        from google.protobuf.json_format import ParseDict

        if status == 200:
            fields = self.fields(json.loads(body) if body else {})
        elif self.otherwise is not None and status in self.otherwise:
            fields = self.otherwise[status]
        else:
            return None
        made = ParseDict(fields, message_class(self.response)(), ignore_unknown_fields=True)
        written: bytes = made.SerializeToString()
        return written


def _get(path: str) -> Callable[[Any], Operation]:
    return lambda _: ("GET", path, b"")


def _of_model(rest: str = "") -> Callable[[Any], Operation]:
    def operation(request: Any) -> Operation:
        version = f"/versions/{quote(request.version, safe='')}" if request.version else ""
        if not version and not rest and request.name == "stats":
            raise ValueError("the model 'stats' cannot be asked for without its version")
        return "GET", f"/v2/models/{_checked(request.name)}{version}{rest}", b""

    return operation


def _checked(name: str) -> str:
    if not is_model_name(name):
        raise ValueError(
            f"{name[:64]!r} is no model name; it has letters, digits, '.', '_' and '-'"
        )
    return name


def _statistics(request: Any) -> Operation:
    return _of_model("/stats")(request) if request.name else ("GET", "/v2/models/stats", b"")


def _index(request: Any) -> Operation:
    return "POST", "/v2/repository/index", json.dumps({"ready": request.ready}).encode()


def _control(action: str) -> Callable[[Any], Operation]:
    def operation(request: Any) -> Operation:
        parameters = {key: _plain(value) for key, value in request.parameters.items()}
        path = f"/v2/repository/models/{_checked(request.model_name)}/{action}"
        return "POST", path, json.dumps({"parameters": parameters}).encode()

    return operation


def _plain(parameter: Any) -> Any:
    choice = parameter.WhichOneof("parameter_choice")
    value = getattr(parameter, choice) if choice else None
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _health(request: Any) -> Operation:
    if request.service in ("", SERVICE):
        return "GET", "/v2/health/ready", b""
    return "GET", f"/v2/models/{_checked(request.service)}/ready", b""


METHODS: dict[str, Method] = {
    f"/{SERVICE}/ServerLive": Method(
        "ServerLiveRequest", _get("/v2/health/live"), "ServerLiveResponse"
    ),
    f"/{SERVICE}/ServerReady": Method(
        "ServerReadyRequest",
        _get("/v2/health/ready"),
        "ServerReadyResponse",
        otherwise={503: {"ready": False}},
    ),
    f"/{SERVICE}/ModelReady": Method(
        "ModelReadyRequest",
        _of_model("/ready"),
        "ModelReadyResponse",
        otherwise={404: {"ready": False}, 503: {"ready": False}},
    ),
    f"/{SERVICE}/ServerMetadata": Method(
        "ServerMetadataRequest", _get("/v2"), "ServerMetadataResponse"
    ),
    f"/{SERVICE}/ModelMetadata": Method(
        "ModelMetadataRequest", _of_model(), "ModelMetadataResponse"
    ),
    f"/{SERVICE}/ModelConfig": Method(
        "ModelConfigRequest",
        _of_model("/config"),
        "ModelConfigResponse",
        fields=lambda answer: {"config": answer},
    ),
    f"/{SERVICE}/ModelStatistics": Method(
        "ModelStatisticsRequest", _statistics, "ModelStatisticsResponse"
    ),
    f"/{SERVICE}/RepositoryIndex": Method(
        "RepositoryIndexRequest",
        _index,
        "RepositoryIndexResponse",
        fields=lambda answer: {"models": answer},
    ),
    f"/{SERVICE}/RepositoryModelLoad": Method(
        "RepositoryModelLoadRequest", _control("load"), "RepositoryModelLoadResponse"
    ),
    f"/{SERVICE}/RepositoryModelUnload": Method(
        "RepositoryModelUnloadRequest", _control("unload"), "RepositoryModelUnloadResponse"
    ),
    f"/{HEALTH}/Check": Method(
        "HealthCheckRequest",
        _health,
        "HealthCheckResponse",
        fields=lambda _: {"status": "SERVING"},
        otherwise={503: {"status": "NOT_SERVING"}},
    ),
}
