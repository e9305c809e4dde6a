# SPDX-License-Identifier: Apache-2.0
"""A client of a running server: one keep-alive connection, the same errors as inside."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from maas.errors import (
    Error,
    InvalidArgumentError,
    OverloadedError,
    UnavailableError,
    from_response,
)
from maas.event_stream import Chunks, Items
from maas.forms import Headers, holds_bytes, written, written_form
from maas.methods import Endpoints, Schema, operations_of, takes_form
from maas.types import WIRE_NAMES

if TYPE_CHECKING:
    from typing import Self

_DTYPES = {wire: dtype for dtype, wire in WIRE_NAMES.items()}


class Caller:
    """The calls that every client has; a subclass brings `exchange`, one request's round trip."""

    _operations: dict[str, Schema] | None = None

    def exchange(
        self, method: str, path: str, headers: Headers, body: bytes
    ) -> tuple[int, Headers, bytes]:
        """Sends one request and gives status, headers and body of its answer."""
        raise NotImplementedError

    def open(self, path: str, headers: Headers, body: bytes) -> tuple[int, Headers, Chunks]:
        """Posts one request and gives status, headers and the body as it comes."""
        raise NotImplementedError

    def stream(self, path: str, **fields: Any) -> Items:
        """The items of a streaming endpoint, as they come: ``for item in client.stream("/chat")``.

        The request is made at once, so an early error is raised here; one midway ends the loop.
        Closing the iterator leaves the server.
        """
        headers, body = written(fields)
        accept = ("Accept", "text/event-stream, application/x-ndjson;q=0.9")
        status, about, chunks = self.open(path, [*headers, accept], body)
        if status >= 400:
            try:
                answer_of(status, about, b"".join(chunks))
            finally:
                chunks.close()
        types = [value for name, value in about if name.lower() == "content-type"]
        return Items(types[0] if types else "", chunks)

    def call(self, path: str, **fields: Any) -> Any:
        """The answer of an endpoint: ``client.call("/echo", text="hi")``.

        Arrays, tensors, dataclasses, pydantic models and tables are sent as JSON; bytes, files and
        images as a form where the endpoint takes one. An answer that is no JSON is its bytes.
        """
        return answer_of(*self.exchange("POST", path, *self.written(path, fields)))

    @property
    def endpoints(self) -> Endpoints:
        """The endpoints as methods, as the server describes them now."""
        self._operations = None
        return Endpoints(self.call, self.operations())

    def operations(self) -> dict[str, Schema]:
        """What /openapi.json says of each endpoint, by its path; asked for once."""
        if self._operations is None:
            self._operations = operations_of(self.request("GET", "/openapi.json"))
        return self._operations

    def written(self, path: str, fields: Mapping[str, Any]) -> tuple[Headers, bytes]:
        """The headers and the body of a call."""
        if holds_bytes(fields) and takes_form(self.operations().get(path)):
            return written_form(fields)
        return written(fields)

    def infer(
        self, model: str, inputs: Mapping[str, Any], *, version: int | None = None
    ) -> dict[str, Any]:
        """A model's outputs as arrays by name; inputs carry the leading batch dimension.

        An array is sent in its own dtype, a list in the one that the model declares.
        """
        place = f"/v2/models/{model}" + (f"/versions/{version}" if version is not None else "")
        lists = any(not hasattr(value, "dtype") for value in inputs.values())
        declared = self.request("GET", place)["inputs"] if lists else []
        dtypes = {item["name"]: _DTYPES.get(item["datatype"]) for item in declared}
        tensors = [_tensor(name, value, dtypes.get(name)) for name, value in inputs.items()]
        answer = self.request("POST", f"{place}/infer", {"inputs": tensors})
        return {item["name"]: _array(item) for item in answer["outputs"]}

    def ready(self) -> bool:
        """Whether the server takes requests; False also when there is none."""
        try:
            status, _, _ = self.exchange("GET", "/readyz", [], b"")
        except UnavailableError:
            return False
        return status == 200

    def models(self) -> list[dict[str, Any]]:
        """Name, version and state of each model that is served."""
        found: list[dict[str, Any]] = self.request("POST", "/v2/repository/index", {})
        return found

    def request(self, method: str, path: str, content: Any = None) -> Any:
        """Any request with a JSON body; the answer read by its content type."""
        return answer_of(*self.exchange(method, path, *written(content)))


class Client(Caller):
    """Calls a server over HTTP: ``maas.Client("http://127.0.0.1:8000").call("/echo", text="hi")``.

    It keeps one connection open; threads may share it and take turns. Failures raise the same
    classes as the server's own: UnprocessableError for 422, and so on.
    """

    def __init__(self, url: str, *, timeout_s: float = 60.0) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise InvalidArgumentError(f"the URL {url!r} is not like http://127.0.0.1:8000")
        self.url = url.rstrip("/")
        self._prefix = parts.path.rstrip("/")
        self._lock = threading.Lock()
        self._connection = http.client.HTTPConnection(
            parts.hostname, parts.port or 80, timeout=timeout_s
        )

    def exchange(
        self, method: str, path: str, headers: Headers, body: bytes
    ) -> tuple[int, Headers, bytes]:
        """One round trip; a kept connection that the server has closed is opened again once."""
        with self._lock:
            fresh = self._connection.sock is None
            try:
                return self._round_trip(method, path, headers, body)
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError) as error:
                self._connection.close()
                if fresh:
                    raise UnavailableError(f"{self.url} closed the connection: {error}") from None
            except OSError as error:
                self._connection.close()
                raise UnavailableError(f"no answer from {self.url}: {error}") from None
            try:
                return self._round_trip(method, path, headers, body)
            except (http.client.HTTPException, OSError) as error:
                self._connection.close()
                raise UnavailableError(f"no answer from {self.url}: {error}") from None

    def open(self, path: str, headers: Headers, body: bytes) -> tuple[int, Headers, Chunks]:
        """Posts on a connection of its own, which closing the body closes."""
        old = self._connection
        connection = http.client.HTTPConnection(old.host, old.port, timeout=old.timeout)
        try:
            connection.request("POST", self._prefix + path, body or None, dict(headers))
            answer = connection.getresponse()
        except (http.client.HTTPException, OSError) as error:
            connection.close()
            raise UnavailableError(f"no answer from {self.url}: {error}") from None
        return answer.status, answer.getheaders(), _Body(self.url, connection, answer)

    def close(self) -> None:
        """Closes the connection; the next call opens another."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _round_trip(
        self, method: str, path: str, headers: Headers, body: bytes
    ) -> tuple[int, Headers, bytes]:
        self._connection.request(method, self._prefix + path, body or None, dict(headers))
        answer = self._connection.getresponse()
        return answer.status, answer.getheaders(), answer.read()


class _Body:
    """The body of an answer on a connection of its own."""

    def __init__(
        self,
        url: str,
        connection: http.client.HTTPConnection,
        answer: http.client.HTTPResponse,
    ) -> None:
        self._url = url
        self._connection = connection
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        try:
            while chunk := self._answer.read1(1 << 16):
                yield chunk
        except (http.client.HTTPException, OSError) as error:
            raise UnavailableError(
                f"{self._url} closed the connection before the answer was complete: {error!r}"
            ) from None

    def close(self) -> None:
        self._answer.close()
        self._connection.close()


def answer_of(status: int, headers: Headers, body: bytes) -> Any:
    """What an answer says, read by its content type; raises the error of a failure."""
    about = {name.lower(): value for name, value in headers}
    is_json = about.get("content-type", "").startswith("application/json")
    if status >= 400:
        raise _failure(status, about, body if is_json else b"")
    return json.loads(body) if is_json and body else body


def _failure(status: int, about: Mapping[str, str], data: bytes) -> Error:
    content = json.loads(data) if data else {}
    detail = content.get("detail")
    detail = detail if isinstance(detail, list) else []
    message = content.get("error") or "; ".join(
        f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in detail
    )
    request_id = content.get("request_id") or about.get("x-request-id", "")
    message = message or f"the server answered {status}"
    if status == 503 and "retry-after" in about:
        return OverloadedError(message, detail=detail, request_id=request_id)
    return from_response(status, message, detail=detail, request_id=request_id)


def _tensor(name: str, value: Any, declared: str | None) -> dict[str, Any]:
    import numpy as np

    kind = {"bytes": "object", "bfloat16": "float32"}.get(declared or "", declared)
    array = value if hasattr(value, "dtype") else np.asarray(value, dtype=kind)
    if array.dtype.kind in "OSU":
        data = [v.decode() if isinstance(v, bytes) else str(v) for v in array.flat]
        return {"name": name, "shape": list(array.shape), "datatype": "BYTES", "data": data}
    wire = WIRE_NAMES.get(array.dtype.name)
    if wire is None:
        raise InvalidArgumentError(f"input {name!r}: dtype {array.dtype.name} cannot be sent")
    data = array.reshape(-1).tolist()
    return {"name": name, "shape": list(array.shape), "datatype": wire, "data": data}


def _array(item: Mapping[str, Any]) -> Any:
    import numpy as np

    dtype = _DTYPES[item["datatype"]]
    kind = {"bytes": "object", "bfloat16": "float32"}.get(dtype, dtype)
    return np.array(item["data"], dtype=kind).reshape(item["shape"])
