# SPDX-License-Identifier: Apache-2.0
"""The types that are more than JSON: which hint names which, and how each is answered.

bytes, maas.File, PIL.Image.Image and pandas.DataFrame; Pillow and pandas are looked for only among
what is imported already, because a hint or value of theirs means that they are.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Any, get_args, get_origin

from maas import images, tables
from maas.errors import InvalidArgumentError
from maas.files import OCTETS, BytesMedia, File, Media, to_base64
from maas.tables import Columns, TableMedia


def media_of(hint: Any, place: str) -> Media | None:
    """What reads and documents values of this hint; None when it is no such type."""
    bare, notes = hint, []
    if get_origin(hint) is Annotated:
        bare, *notes = get_args(hint)
    columns = [note for note in notes if isinstance(note, Columns)]
    found = _of_type(bare, columns[0] if columns else None)
    if columns and not isinstance(found, TableMedia):
        raise InvalidArgumentError(
            f"{place}: maas.Columns annotates a table: "
            'Annotated[pd.DataFrame, maas.Columns({"age": "float64"})]'
        )
    # Other notes are pydantic's, which checks bytes as a JSON value.
    return None if found is not None and len(notes) > len(columns) else found


def _of_type(bare: Any, columns: Columns | None) -> Media | None:
    if bare is bytes:
        return BytesMedia()
    if bare is File:
        return BytesMedia(whole=True)
    if isinstance(bare, type) and _image_class() is not None and issubclass(bare, _image_class()):
        return images.ImageMedia()
    if bare is not None and bare is _table_class():
        return TableMedia(columns)
    return None


def _image_class() -> Any:
    module = sys.modules.get("PIL.Image")
    return module and getattr(module, "Image", None)


def _table_class() -> Any:
    module = sys.modules.get("pandas")
    return module and getattr(module, "DataFrame", None)


def is_table(value: Any) -> bool:
    """Whether it is a DataFrame."""
    kind = _table_class()
    return kind is not None and isinstance(value, kind)


def is_image(value: Any) -> bool:
    """Whether it is an image of Pillow."""
    kind = _image_class()
    return kind is not None and isinstance(value, kind)


def answer(value: Any, accept: str) -> bytes | tuple[bytes, str] | None:
    """The answer that a value is by itself, in the form asked for; None when it is JSON."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value), OCTETS
    if isinstance(value, File):
        return value.data, value.content_type
    if is_image(value):
        chosen = preferred(accept, images.ImageMedia.gives)
        return None if chosen == tables.JSON else (images.encode(value, chosen), chosen)
    if is_table(value):
        chosen = preferred(accept, TableMedia().gives)
        encoded = tables.encode(value, chosen)
        return None if encoded is None else (encoded, chosen)
    return None


def plain(value: Any, accept: str = "") -> Any:
    """What stands for such a value in JSON; the value itself when it is none."""
    if isinstance(value, File):
        return to_base64(value.data)
    if is_image(value):
        return to_base64(images.encode(value, "image/png"))
    if is_table(value):
        by_split = preferred(accept, (tables.JSON, tables.SPLIT)) == tables.SPLIT
        return tables.split(value) if by_split else tables.records(value)
    return value


def preferred(accept: str, offered: Sequence[str]) -> str:
    """The best of the offered media types for an Accept field (RFC 9110, 12.5.1).

    The first when nothing is asked for, and also when none of them fits: an answer in another form
    than was asked for is better than none.
    """
    ranges = [_range(item) for item in accept.split(",") if item.strip()]
    weights = [_weight(_range(kind)[0], ranges) for kind in offered]
    best = max(weights)
    return offered[weights.index(best)] if best > 0 else offered[0]


def _range(text: str) -> tuple[tuple[str, str], float]:
    """The type with its `orient`, and the weight."""
    kind, *rest = (part.strip().lower() for part in text.split(";"))
    orient, weight = "", 1.0
    for part in rest:
        name, _, value = part.partition("=")
        if name == "orient":
            orient = value.strip('"')
        elif name == "q":
            try:
                weight = float(value)
            except ValueError:
                weight = 0.0
    return (kind, orient), weight


def _weight(offer: tuple[str, str], ranges: list[tuple[tuple[str, str], float]]) -> float:
    """By the most specific range that names the offer."""
    kind, orient = offer
    for wanted in (offer, (kind.partition("/")[0] + "/*", orient), ("*/*", orient)):
        for found, weight in ranges:
            if found == wanted:
                return weight
    return 0.0
