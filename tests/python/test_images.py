# SPDX-License-Identifier: Apache-2.0
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import sklearn.datasets
from PIL import Image

from maas import images
from maas.files import File, InvalidValueError, to_base64

FLOWER = Path(sklearn.datasets.__file__).parent / "images" / "flower.jpg"


def saved(image: Image.Image, kind: str) -> bytes:
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


def refusal(data: bytes) -> str:
    with pytest.raises(InvalidValueError) as raised:
        images.decode(data)
    return raised.value.problems[0][2]


def test_a_real_photograph_is_read() -> None:
    image = images.decode(FLOWER.read_bytes())
    assert image.size == (640, 427)
    assert image.mode == "RGB"


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "BMP", "TIFF", "JPEG"])
def test_every_format_that_is_named_is_read(kind: str) -> None:
    assert images.decode(saved(Image.new("RGB", (3, 2), "red"), kind)).size == (3, 2)


def test_images_come_from_bodies_base64_and_data_urls() -> None:
    data = saved(Image.new("L", (3, 2)), "PNG")
    media = images.ImageMedia()
    assert media.from_file(File(data, content_type="text/plain")).size == (3, 2)
    assert media.from_json(to_base64(data)).size == (3, 2)
    assert media.from_text("data:image/png;base64," + to_base64(data)).size == (3, 2)


def test_a_photograph_that_is_cut_short_is_refused_wherever_it_ends() -> None:
    data = FLOWER.read_bytes()
    for size in (0, 1, 20, 500, len(data) // 2, len(data) - 100):
        assert refusal(data[:size]) in {"image_type", "image_broken"}


def test_what_is_no_image_is_refused() -> None:
    for data in (
        b"text",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"\x89PNG\r\n\x1a\n",
    ):
        assert refusal(data) in {"image_type", "image_broken"}


def test_a_png_that_claims_far_more_pixels_than_it_has_is_refused_unread() -> None:
    def chunk(name: bytes, data: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + crc

    head = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(100)))
    assert refusal(bomb) == "image_too_large"


def test_the_bound_on_pixels_is_pillows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert images.decode(saved(Image.new("L", (10, 10)), "PNG")).size == (10, 10)
    assert refusal(saved(Image.new("L", (101, 1)), "PNG")) == "image_too_large"


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I", "F"])
@pytest.mark.parametrize("content_type", ["image/png", "image/jpeg", "image/webp"])
def test_an_image_of_any_mode_is_written(mode: str, content_type: str) -> None:
    data = images.encode(Image.new(mode, (4, 3)), content_type)
    assert images.decode(data).size == (4, 3)


def test_png_loses_nothing() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 4), np.uint8)
    data = images.encode(Image.fromarray(pixels), "image/png")
    assert np.array_equal(np.asarray(images.decode(data)), pixels)
