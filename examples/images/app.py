"""Images in and out: a photograph's main colours, and a thumbnail of it."""

from typing import Any, TypedDict

from PIL import Image

import maas


class Colour(TypedDict):
    """One colour and its share of the pixels."""

    rgb: Any
    share: float


@maas.endpoint("/colours")
def colours(image: Image.Image, count: int = 3) -> list[Colour]:
    """The most frequent colours of an image, on a coarse scale."""
    small = image.convert("RGB").resize((64, 64)).quantize(16).convert("RGB")
    found = sorted(small.getcolors() or [], reverse=True)[:count]
    total = small.width * small.height
    return [{"rgb": rgb, "share": number / total} for number, rgb in found]


@maas.endpoint("/thumbnail")
def thumbnail(image: Image.Image, size: int = 128) -> Image.Image:
    """A smaller copy, as PNG, JPEG or WebP: the client's Accept says which."""
    if not 1 <= size <= 1024:
        raise maas.UnprocessableError(f"size is between 1 and 1024, not {size}")
    copy = image.copy()
    copy.thumbnail((size, size))
    return copy


@maas.endpoint("/album")
def album(photos: list[maas.File], title: str) -> dict[str, str | int]:
    """Several uploads of one form."""
    return {"title": title, "photos": len(photos), "bytes": sum(len(p.data) for p in photos)}
