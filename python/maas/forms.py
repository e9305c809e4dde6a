# SPDX-License-Identifier: Apache-2.0
"""The arguments of a call -> the body of its request: JSON, or a form where there are bytes."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from maas import encoding, images, media, tables
from maas.errors import InvalidArgumentError
from maas.files import OCTETS, File

Headers = list[tuple[str, str]]


def written(content: Any) -> tuple[Headers, bytes]:
    """The headers and the body of a request with this JSON content; None is no body."""
    if content is None:
        return [], b""
    try:
        return [("Content-Type", tables.JSON)], encoding.to_json(media.plain(content))
    except (TypeError, ValueError) as error:
        raise InvalidArgumentError(f"the arguments have no JSON form: {error}") from None


def holds_bytes(fields: Mapping[str, Any]) -> bool:
    """Whether a form carries these fields better than JSON does."""
    return any(map(_is_upload, fields.values()))


def written_form(fields: Mapping[str, Any]) -> tuple[Headers, bytes]:
    """The headers and the body of a form: uploads as files, all else as JSON."""
    boundary = secrets.token_hex(16)
    body = bytearray()
    for name, value in fields.items():
        for item in value if _is_upload(value) and isinstance(value, list) else [value]:
            file = _upload(name, item)
            head = f'form-data; name="{_quoted(name)}"'
            if file is None:
                data, content_type = written(_table_as_split(item))[1], tables.JSON
            else:
                data, content_type = file.data, file.content_type
                head += f'; filename="{_quoted(file.name or name)}"'
            lines = (
                f"--{boundary}",
                f"Content-Disposition: {head}",
                f"Content-Type: {_quoted(content_type)}",
            )
            body += "\r\n".join((*lines, "", "")).encode() + data + b"\r\n"
    body += f"--{boundary}--\r\n".encode()
    return [("Content-Type", f"multipart/form-data; boundary={boundary}")], bytes(body)


def _is_upload(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(map(_is_upload, value))
    return isinstance(value, bytes | bytearray | memoryview | File) or media.is_image(value)


def _upload(name: str, value: Any) -> File | None:
    """What is sent as a file; None for what is sent as JSON."""
    if isinstance(value, File):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return File(bytes(value), name, OCTETS)
    if media.is_image(value):
        return File(images.encode(value, "image/png"), f"{name}.png", "image/png")
    return None


def _table_as_split(value: Any) -> Any:
    return tables.split(value) if media.is_table(value) else value


def _quoted(text: str) -> str:
    """Without what would end a quoted text or a line."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return escaped.replace("\r", "%0D").replace("\n", "%0A")
