# SPDX-License-Identifier: Apache-2.0
"""Images at the edge: PIL.Image.Image from JPEG, PNG and the like, and back.

Pillow is imported only where a handler names it: whoever writes the hint has imported it.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from maas.files import File, InvalidValueError, from_base64

if TYPE_CHECKING:
    from PIL.Image import Image

# Those that need nothing but Pillow; others would start programs (EPS) or read other files.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
_WRITTEN = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}
_MODES = {
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "JPEG": ("1", "L", "RGB", "CMYK"),
    "WEBP": ("RGB", "RGBA"),
}


class ImageMedia:
    """PIL.Image.Image: as it was sent, neither turned nor converted."""

    name = "image"
    takes: tuple[str, ...] = ("image/*",)
    gives: tuple[str, ...] = (*_WRITTEN, "application/json")
    decodes = True

    def from_file(self, file: File) -> Image:
        """Of its bytes; the content type is not trusted."""
        return decode(file.data)

    def from_json(self, value: Any) -> Image:
        """Of base64 or a `data:` URL."""
        return decode(from_base64(value).data)

    def from_text(self, text: str) -> Image:
        """The same."""
        return self.from_json(text)

    def schema(self) -> dict[str, Any]:
        """Base64."""
        return {"type": "string", "contentEncoding": "base64", "contentMediaType": "image/*"}


def decode(data: bytes) -> Image:
    """The image in these bytes, read to its end.

    `PIL.Image.MAX_IMAGE_PIXELS` bounds it, before any pixel is read.
    """
    from PIL import Image, UnidentifiedImageError

    limit = Image.MAX_IMAGE_PIXELS
    bombs = (Image.DecompressionBombError, Image.DecompressionBombWarning)
    try:
        image = Image.open(io.BytesIO(data), formats=_FORMATS)
        if limit is not None and image.width * image.height > limit:
            raise Image.DecompressionBombError
        image.load()
    except bombs:
        raise InvalidValueError(
            f"Input should be an image of at most {limit} pixels", "image_too_large"
        ) from None
    except UnidentifiedImageError:
        known = ", ".join(_FORMATS)
        raise InvalidValueError(f"Input should be an image: {known}", "image_type") from None
    except Exception:  # a decoder that meets broken bytes raises anything
        raise InvalidValueError(
            "Input should be a whole image; this one is broken or cut short", "image_broken"
        ) from None
    return image


def encode(image: Image, content_type: str) -> bytes:
    """The bytes of an image; what a format cannot hold becomes RGB."""
    written = _WRITTEN[content_type]
    if image.mode == "I" and written == "PNG":
        image = image.convert("I;16")  # as PNG has it
    if image.mode not in _MODES[written]:
        alpha = written != "JPEG" and image.has_transparency_data
        image = image.convert("RGBA" if alpha else "RGB")
    out = io.BytesIO()
    image.save(out, written)
    return out.getvalue()
