# SPDX-License-Identifier: Apache-2.0
"""What a handler returned -> the bytes of the answer.

Arrays and tensors are written by the core (shortest digits, no Python objects), all else by
pydantic_core. Bytes, files, images and tables are an answer by themselves, in the form that the
client asks for; inside other values bytes, files and images are base64, and tables are records.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

from maas import media


def encode(value: Any, accept: str = "") -> bytes | tuple[bytes, str]:
    """The answer for a value; TypeError or ValueError when it has no JSON form."""
    found = media.answer(value, accept)
    return to_json(media.plain(value, accept)) if found is None else found


def to_json(value: Any) -> bytes:
    """The JSON text of a value; arrays may stand by themselves, in a dict or in a list."""
    if hasattr(value, "__dlpack__"):
        return _array(value)
    if isinstance(value, dict) and any(map(_holds_arrays, value.values())):
        fields = (_key(key) + b":" + to_json(item) for key, item in value.items())
        return b"{" + b",".join(fields) + b"}"
    if isinstance(value, list | tuple) and _holds_arrays(value):
        return b"[" + b",".join(map(to_json, value)) + b"]"
    # NaN and infinity have no JSON form: null is the only honest one.
    return _writer()(value, inf_nan_mode="null", bytes_mode="base64", fallback=_plain)


@functools.cache
def _writer() -> Callable[..., bytes]:
    from pydantic_core import to_json as write

    return write


def _holds_arrays(value: Any) -> bool:
    """Whether the core writes a part of it; a list is judged by its first item."""
    if isinstance(value, list | tuple):
        return bool(value) and _holds_arrays(value[0])
    if isinstance(value, dict):
        return any(map(_holds_arrays, value.values()))
    return hasattr(value, "__dlpack__")


def _array(value: Any) -> bytes:
    from maas import _core

    if hasattr(value, "detach"):  # a tensor of torch
        value = value.detach().cpu().contiguous()
    try:
        if hasattr(value, "flags") and not value.flags.c_contiguous:
            value = value.copy()
        return _core.Tensor.from_dlpack(value).to_json()
    except (BufferError, TypeError, RuntimeError, _core.CoreError):
        # What DLPack does not carry: text, dates, read-only memory.
        return to_json(_plain(value))


def _key(key: Any) -> bytes:
    if not isinstance(key, str):
        raise TypeError(f"the keys of an answer are text, not {key!r}")
    return json.dumps(key, ensure_ascii=False).encode()


def _plain(value: Any) -> Any:
    """What pydantic_core does not know: numpy's scalars and arrays, torch's tensors, media."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    if hasattr(value, "tolist"):
        return value.tolist()
    known = media.plain(value)
    if known is not value:
        return known
    raise TypeError(f"a {type(value).__name__} has no JSON form")
