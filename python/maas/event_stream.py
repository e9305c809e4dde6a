# SPDX-License-Identifier: Apache-2.0
"""The body of a streamed answer -> its items, from server-sent events or from lines of JSON."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping
from typing import Any, Protocol

from maas.errors import Error, InvalidArgumentError, from_response


class Chunks(Protocol):
    """The bytes of a body as they come; closing it leaves the server."""

    def __iter__(self) -> Iterator[bytes]: ...
    def close(self) -> None:
        """Nothing more is wanted."""


# What the last line of NDJSON holds when the server failed.
_FAILURE_KEYS = {"error", "status", "request_id"}


class Items:
    """The items of a streamed answer, as they come; `close`, or a `with` block, leaves the server.

    Iterating raises what the server says that failed.
    """

    def __init__(self, content_type: str, chunks: Chunks) -> None:
        kinds = {"text/event-stream": _events, "application/x-ndjson": _lines}
        read = kinds.get(content_type.partition(";")[0].strip())
        if read is None:
            chunks.close()
            raise InvalidArgumentError(
                f"the answer is {content_type or 'of no type'}, which is no stream; use call()"
            )
        self._chunks = chunks
        self._found = read(chunks)

    def __iter__(self) -> Items:
        return self

    def __next__(self) -> Any:
        try:
            return next(self._found)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Nothing more is wanted."""
        self._found.close()
        self._chunks.close()

    def __enter__(self) -> Items:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


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
