# SPDX-License-Identifier: Apache-2.0
"""OpenAPI 3.1 of the endpoints: one operation each, and the schemas that they share."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maas.endpoint_spec import EndpointSpec
    from maas.schema import Parameter, Signature
    from maas.types import Tensor

Schema = dict[str, Any]
# A larger number is refused; of float64 JSON's own readers make an infinity.
_LARGEST = {"float16": 65504.0, "bfloat16": 255 * 2.0**120, "float32": (2**24 - 1) * 2.0**104}
_TEMPLATE = "#/components/schemas/{model}"


def document(
    endpoints: Sequence[tuple[EndpointSpec, Signature]],
) -> tuple[list[Schema], Schema]:
    """The operation of each endpoint, and `components.schemas`."""
    shared, components = _json_schemas(endpoints)

    def schema_of(spec: EndpointSpec, item: Parameter) -> Schema:
        if item.media is not None:
            found = _media_schema(item)
        else:
            found = dict(shared.get((spec.path, item.name)) or _array_schema(item))
        if not item.required:
            found.update(_default(item))
        return found

    operations = []
    for spec, signature in endpoints:
        body = {item.name: schema_of(spec, item) for item in signature.parameters}
        result = schema_of(spec, signature.result) if signature.result else {}
        operations.append(_operation(spec, signature, body, result))
    return operations, components


def tensor_schema(tensor: Tensor) -> Schema:
    """Nested lists of the tensor's shape."""
    made = _leaf(tensor.dtype)
    for size in reversed(tensor.shape):
        bounds = {} if size < 0 else {"minItems": size, "maxItems": size}
        made = {"type": "array", "items": made, **bounds}
    return made


def _operation(spec: EndpointSpec, signature: Signature, body: Schema, result: Schema) -> Schema:
    summary, _, description = (inspect.getdoc(spec.function) or "").partition("\n")
    return {
        "operationId": re.sub(r"\W+", "_", spec.path.strip("/")),
        "summary": summary or spec.function.__name__.replace("_", " "),
        "description": description.strip(),
        "parameters": _query(signature, body),
        "requestBody": {"required": True, "content": _bodies(signature, body)},
        "responses": {"200": _response(signature, result)},
    }


def _response(signature: Signature, result: Schema) -> Schema:
    if signature.streaming:
        return {
            "description": "The items, one by one: each the data of an event, or a line.",
            "content": {
                "text/event-stream": {"schema": _event_schema(result)},
                "application/x-ndjson": {"schema": result},
            },
        }
    return {
        "description": "The answer.",
        "content": {
            kind: {"schema": result} if kind.startswith("application/json") else {}
            for kind in signature.gives
        },
    }


def _event_schema(result: Schema) -> Schema:
    """Of one event: its data is the JSON text of an item."""
    data = {"type": "string", "contentMediaType": "application/json", "contentSchema": result}
    return {
        "type": "object",
        "properties": {"id": {"type": "string"}, "event": {"type": "string"}, "data": data},
        "required": ["data"],
    }


def _bodies(signature: Signature, body: Schema) -> Schema:
    """What a request may be: JSON; where there is media also a form, or the one media itself."""
    request: Schema = {
        "type": "object",
        "properties": body,
        "required": [item.name for item in signature.parameters if item.required],
        "additionalProperties": False,
    }
    bodies: Schema = {"application/json": {"schema": request}}
    media = _media(signature)
    if media:
        parts = {**body, **{item.name: _part_schema(item) for item in media}}
        bodies["multipart/form-data"] = {"schema": {**request, "properties": parts}}
        bodies["application/x-www-form-urlencoded"] = {"schema": request}
    if len(media) == 1 and media[0].media is not None:
        # Of any type: as */* it would stand for JSON and forms, too.
        takes = media[0].media.takes
        bodies.update({kind if kind != "*/*" else "application/octet-stream": {} for kind in takes})
    return bodies


def _query(signature: Signature, body: Schema) -> list[Schema]:
    """The other parameters, where the body may be the one media itself."""
    media = _media(signature)
    if len(media) != 1:
        return []
    about = f"with a body that is {media[0].name!r} itself"
    return [
        {"name": item.name, "in": "query", "description": about, "schema": body[item.name]}
        for item in signature.parameters
        if item.media is None
    ]


def _media(signature: Signature) -> list[Parameter]:
    return [item for item in signature.parameters if item.media is not None]


def _media_schema(item: Parameter) -> Schema:
    """Of a member of a JSON object."""
    assert item.media is not None
    found = item.media.schema()
    if item.many:
        found = {"type": "array", "items": found}
    return {"anyOf": [found, {"type": "null"}]} if item.nullable else found


def _part_schema(item: Parameter) -> Schema:
    """Of a part of a form."""
    file: Schema = {"type": "string", "format": "binary"}
    return {"type": "array", "items": file} if item.many else file


def _json_schemas(
    endpoints: Sequence[tuple[EndpointSpec, Signature]],
) -> tuple[dict[tuple[str, str], Schema], Schema]:
    """By path and name; one call for all, so that equal names of different types stay apart."""
    wanted: list[Any] = []
    for spec, signature in endpoints:
        for item in signature.parameters:
            if item.adapter is not None:
                wanted.append(((spec.path, item.name), "validation", item.adapter))
        if signature.result is not None and signature.result.adapter is not None:
            wanted.append(((spec.path, "return"), "serialization", signature.result.adapter))
    if not wanted:
        return {}, {}
    from pydantic import TypeAdapter

    found, definitions = TypeAdapter.json_schemas(wanted, ref_template=_TEMPLATE)
    return {key: value for (key, _), value in found.items()}, definitions.get("$defs", {})


def _array_schema(item: Parameter) -> Schema:
    if item.tensor is not None:
        return tensor_schema(item.tensor)
    return {
        "type": "array",
        "items": {},
        "description": "numbers in nested lists of equal length",
        "examples": [[1.0, 2.0, 3.0]],
    }


def _default(item: Parameter) -> Schema:
    import json

    from pydantic_core import PydanticSerializationError, to_json

    try:
        return {"default": json.loads(to_json(item.default, bytes_mode="base64"))}
    except PydanticSerializationError:
        return {}  # a default that has no JSON form is not shown


def _leaf(dtype: str) -> Schema:
    if dtype == "bool":
        return {"type": "boolean"}
    if dtype == "bytes":
        return {"type": "string"}
    if dtype in _LARGEST:
        return {"type": "number", "minimum": -_LARGEST[dtype], "maximum": _LARGEST[dtype]}
    if dtype == "float64":
        return {"type": "number"}
    bits = int(dtype.removeprefix("u").removeprefix("int"))
    if dtype.startswith("u"):
        return {"type": "integer", "minimum": 0, "maximum": 2**bits - 1}
    return {"type": "integer", "minimum": -(2 ** (bits - 1)), "maximum": 2 ** (bits - 1) - 1}
