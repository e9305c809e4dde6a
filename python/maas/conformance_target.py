# SPDX-License-Identifier: Apache-2.0
"""A model on any server that is examined: how it is asked, and what its answers must be."""

from __future__ import annotations

import http.client
import json
import math
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from maas.errors import InvalidArgumentError

JSON = {"Content-Type": "application/json"}
HEADER = "Inference-Header-Content-Length"
# Of the datatypes: how struct packs an element, and a value.
_PACKED: dict[str, tuple[str, bool | float]] = {
    "BOOL": ("?", False),
    "UINT8": ("B", 1),
    "UINT16": ("H", 1),
    "UINT32": ("I", 1),
    "UINT64": ("Q", 1),
    "INT8": ("b", 1),
    "INT16": ("h", 1),
    "INT32": ("i", 1),
    "INT64": ("q", 1),
    "FP16": ("e", 0.5),
    "FP32": ("f", 0.5),
    "FP64": ("d", 0.5),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered."""

    status: int
    headers: Mapping[str, str]  # by names in lower case
    body: bytes

    def json(self) -> Any:
        """Its body, which must be JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise Wrong(f"the body of a {self.status} is not JSON: {self.body[:80]!r}") from None


class Wrong(Exception):  # noqa: N818 - a verdict, and no error of ours
    """Why a case failed."""


class Skipped(Exception):  # noqa: N818 - likewise
    """Why a case cannot be run with this model."""


@dataclass(slots=True)
class Target:
    """A model on a server, and a request that it answers."""

    url: str
    model: str
    request: dict[str, Any] = field(default_factory=dict)
    timeout_s: float = 10.0
    metadata: dict[str, Any] = field(default_factory=dict)
    extensions: list[str] = field(default_factory=list)

    def call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] = JSON,
    ) -> Answer:
        """One request on a connection of its own."""
        parts = urlsplit(self.url)
        kind = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        connection = kind(parts.hostname or "", parts.port, timeout=self.timeout_s)
        try:
            connection.putrequest(method, path)
            for name, value in headers.items():
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, named, answer.read())
        except (OSError, http.client.HTTPException) as error:
            raise Wrong(f"{method} {path}: {type(error).__name__}: {error}") from None
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        """The JSON of a 200."""
        return wanted(self.call("GET", path, headers={}), 200).json()

    def infer(
        self, request: object, headers: Mapping[str, str] = JSON, behind: bytes = b""
    ) -> Answer:
        """What the model answers; `request` is JSON, or the bytes of a body."""
        body = request if isinstance(request, bytes) else json.dumps(request).encode()
        return self.call("POST", f"/v2/models/{self.model}/infer", body + behind, headers)

    def inputs(self) -> list[dict[str, Any]]:
        """Copies of the inputs, to be changed."""
        copied: list[dict[str, Any]] = json.loads(json.dumps(self.request["inputs"]))
        return copied


def example(spec: Mapping[str, Any]) -> dict[str, Any]:
    """An input for this description, of zeros and ones."""
    shape = [size if size >= 0 else 1 for size in spec["shape"]]
    datatype = spec["datatype"]
    if datatype not in _PACKED and datatype != "BYTES":
        raise InvalidArgumentError(f"input {spec['name']!r} is of {datatype}; give a request")
    value = "1" if datatype == "BYTES" else _PACKED[datatype][1]
    data = [value] * math.prod(shape)
    return {"name": spec["name"], "shape": shape, "datatype": datatype, "data": data}


def wanted(answer: Answer, status: int) -> Answer:
    """The answer, which must have this status."""
    if answer.status != status:
        raise Wrong(f"answered {answer.status}, not {status}: {answer.body[:120]!r}")
    return answer


def refused(answer: Answer) -> None:
    """An error of the client's, told in the protocol's form."""
    if not 400 <= answer.status < 500:
        raise Wrong(f"answered {answer.status}, not 4xx: {answer.body[:120]!r}")
    found = answer.json()
    if not isinstance(found, dict) or not isinstance(found.get("error"), str):
        raise Wrong(f'the body of a {answer.status} has no "error": {answer.body[:120]!r}')
    if (kind := answer.headers.get("content-type")) != "application/json":
        raise Wrong(f"the Content-Type of a {answer.status} is {kind}, not application/json")


def check(holds: bool, reason: str) -> None:
    """Fails the case unless it holds."""
    if not holds:
        raise Wrong(reason)


def outputs_of(target: Target, answer: Answer) -> dict[str, Any]:
    """The outputs by name, after looking at the form of the answer."""
    found = wanted(answer, 200).json()
    check(found.get("model_name") == target.model, f"model_name is {found.get('model_name')!r}")
    version = found.get("model_version", "")
    check(isinstance(version, str), f"model_version is {version!r}, not a string")
    outputs = {item["name"]: item for item in found["outputs"]}
    for item in outputs.values():
        size, count = math.prod(item["shape"]), len(flat(item["data"]))
        check(size == count, f"output {item['name']} has {count} elements in {item['shape']}")
    return outputs


def flat(data: Any) -> list[Any]:
    """The elements of nested lists."""
    return [one for item in data for one in flat(item)] if isinstance(data, list) else [data]


def nested(data: list[Any], shape: list[int]) -> list[Any]:
    """A flat list, nested as the shape."""
    for size in reversed(shape[1:]):
        data = [data[at : at + size] for at in range(0, len(data), size)]
    return data


def binary(target: Target) -> tuple[dict[str, Any], bytes]:
    """The request with its tensors as bytes behind it."""
    inputs, behind = target.inputs(), b""
    for item in inputs:
        packed = _bytes_of(item["datatype"], flat(item.pop("data")))
        item["parameters"] = {"binary_data_size": len(packed)}
        behind += packed
    return {**target.request, "inputs": inputs}, behind


def _bytes_of(datatype: str, values: list[Any]) -> bytes:
    if datatype == "BYTES":
        texts = [str(value).encode() for value in values]
        return b"".join(struct.pack("<I", len(text)) + text for text in texts)
    if datatype not in _PACKED:
        raise Skipped(f"an input is of {datatype}")
    return struct.pack(f"<{len(values)}{_PACKED[datatype][0]}", *values)


def binary_call(
    target: Target, more: Mapping[str, Any] | None = None, *, length: int = 0, rest: bytes = b""
) -> Answer:
    """Asks with binary tensors; `length` is added to what the header field should be."""
    request, behind = binary(target)
    text = json.dumps({**request, **(more or {})}).encode()
    headers = {HEADER: str(len(text) + length), "Content-Type": "application/octet-stream"}
    return target.infer(text, headers, behind + rest)


def compressed(target: Target, coding: str) -> Answer:
    """Asks with a compressed body."""
    window = 31 if coding == "gzip" else 15
    packer = zlib.compressobj(wbits=window)
    packed = packer.compress(json.dumps(target.request).encode()) + packer.flush()
    return target.infer(packed, {**JSON, "Content-Encoding": coding})


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that the protocol asks for."""

    name: str
    run: Callable[[Target], None]
    extension: str = ""  # that the server must name for the case to be run
