# SPDX-License-Identifier: Apache-2.0
"""Bytes at the edge: uploads as `maas.File`, bare bytes, and base64 in JSON."""

from __future__ import annotations

import base64
import binascii
import io
from typing import Any, Protocol

OCTETS = "application/octet-stream"


class InvalidValueError(ValueError):
    """A value that breaks its declared type: one sentence, and where inside the value it is."""

    def __init__(self, message: str, kind: str, loc: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.problems = [(loc, message, kind)]


class File:
    """An upload: its bytes, and what its sender said of them.

    A parameter annotated `maas.File` gets one from a body of any media type, from a part of a form
    or from base64 in JSON; returned, it is the answer's body with its content type.
    """

    __slots__ = ("content_type", "data", "name")

    def __init__(self, data: bytes, name: str = "", content_type: str = OCTETS) -> None:
        self.data = data
        self.name = name
        self.content_type = content_type

    def __repr__(self) -> str:
        return f"maas.File({self.name!r}, {self.content_type!r}, {len(self.data)} bytes)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, File) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def open(self) -> io.BytesIO:
        """The bytes as a file that is open for reading."""
        return io.BytesIO(self.data)

    def _key(self) -> tuple[str, str, bytes]:
        return self.name, self.content_type, self.data


class Media(Protocol):
    """How the values of one type travel outside JSON, and how inside it.

    What reads raises InvalidValueError.
    """

    name: str  # in words, for errors
    takes: tuple[str, ...]  # media types of a body that is the value as a whole
    gives: tuple[str, ...]  # media types of an answer that is the value; the first unless asked
    decodes: bool  # it takes long enough to be kept off an event loop

    def from_file(self, file: File) -> Any:
        """The value of a body or of a part of a form."""

    def from_json(self, value: Any) -> Any:
        """The value of a member of a JSON body."""

    def from_text(self, text: str) -> Any:
        """The value of a part of a form that is text."""

    def schema(self) -> dict[str, Any]:
        """The JSON schema of a member."""


class BytesMedia:
    """bytes, and with `whole` maas.File."""

    name = "bytes"
    takes: tuple[str, ...] = ("*/*",)
    gives: tuple[str, ...] = (OCTETS,)
    decodes = False

    def __init__(self, *, whole: bool = False) -> None:
        self._whole = whole
        if whole:
            self.gives = ("*/*",)  # it says itself what it is

    def from_file(self, file: File) -> File | bytes:
        """The bytes as they came."""
        return file if self._whole else file.data

    def from_json(self, value: Any) -> File | bytes:
        """Of base64."""
        return self.from_file(from_base64(value))

    def from_text(self, text: str) -> File | bytes:
        """A form carries bytes as they are, so its text is no base64."""
        return self.from_file(File(text.encode(), content_type="text/plain"))

    def schema(self) -> dict[str, Any]:
        """Base64."""
        return {"type": "string", "contentEncoding": "base64", "pattern": _BASE64}


def from_base64(value: Any) -> File:
    """The bytes of a base64 text, in either alphabet, or of a `data:` URL."""
    if not isinstance(value, str):
        raise InvalidValueError("Input should be a base64 text", "base64")
    content_type = OCTETS
    if value.startswith("data:"):
        head, _, value = value.partition(",")
        if not head.endswith(";base64"):
            raise InvalidValueError("Input should be a data: URL with ;base64", "base64")
        content_type = head.removeprefix("data:").removesuffix(";base64") or OCTETS
    try:
        text = value.translate(_STANDARD).rstrip("=")
        data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidValueError("Input should be valid base64", "base64") from None
    return File(data, content_type=content_type)


def to_base64(data: bytes) -> str:
    """As JSON has bytes."""
    return base64.b64encode(data).decode()


# What from_base64() takes.
_BASE64 = r"^(data:[^,]*;base64,)?([A-Za-z0-9+/_-]{4})*([A-Za-z0-9+/_-]{2,3})?={0,2}$"
_STANDARD = str.maketrans("-_", "+/")
