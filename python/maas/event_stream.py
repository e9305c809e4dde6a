# SPDX-License-Identifier: Apache-2.0
"""The body of a streamed answer -> its items, from server-sent events or from lines of JSON."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from typing import Any

from maas.errors import Error, InvalidArgumentError, from_response

Chunks = Generator[bytes]
# What the last line of NDJSON holds when the server failed.
_FAILURE_KEYS = {"error", "status", "request_id"}


def items(content_type: str, chunks: Chunks) -> Generator[Any]:
    """The items as they come; raises what the server says that failed, or what `chunks` raises."""
    kinds = {"text/event-stream": _events, "application/x-ndjson": _lines}
    read = kinds.get(content_type.partition(";")[0].strip())
    if read is None:
        chunks.close()
        raise InvalidArgumentError(
            f"the answer is {content_type or 'of no type'}, which is no stream; use call()"
        )
    return _closing(read(chunks), chunks)


def _closing(found: Generator[Any], chunks: Chunks) -> Generator[Any]:
    try:
        yield from found
    finally:
        chunks.close()


def _events(chunks: Chunks) -> Generator[Any]:
    kind = ""
    data: list[str] = []
    for line in _split(chunks):
        if not line and data:
            content = json.loads("\n".join(data))
            if kind == "error":
                raise _failure(content)
            yield content
        if not line:
            kind, data = "", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            kind = value
        elif field == "data":
            data.append(value)


def _lines(chunks: Chunks) -> Generator[Any]:
    """A line that looks like a failure is one only if the answer ends behind it before its time."""
    held: list[dict[str, Any]] = []
    try:
        for line in _split(chunks):
            yield from held
            held = []
            if not line.strip():
                continue
            content = json.loads(line)
            if isinstance(content, dict) and content.keys() >= _FAILURE_KEYS:
                held = [content]
            else:
                yield content
    except Error:
        if held:
            raise _failure(held[0]) from None
        raise
    yield from held


def _split(chunks: Chunks) -> Generator[str]:
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line.removesuffix(b"\r").decode()
    if rest.strip():
        yield rest.decode()


def _failure(content: Mapping[str, Any]) -> Error:
    return from_response(
        int(content.get("status", 500)),
        str(content.get("error", "the stream failed")),
        detail=content.get("detail"),
        request_id=content.get("request_id", ""),
    )
