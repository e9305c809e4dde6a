# SPDX-License-Identifier: Apache-2.0
import re

import pytest

import maas
from maas.files import BytesMedia, InvalidValueError, from_base64, to_base64

EVERY_BYTE = bytes(range(256))


def test_a_file_opens_and_compares_by_what_it_is() -> None:
    file = maas.File(b"abc", "a.txt", "text/plain")
    assert file.open().read() == b"abc"
    assert file == maas.File(b"abc", "a.txt", "text/plain")
    assert len({file, maas.File(b"abc", "a.txt", "text/plain"), maas.File(b"abd")}) == 2
    assert repr(file) == "maas.File('a.txt', 'text/plain', 3 bytes)"


def test_base64_is_read_in_both_alphabets_with_and_without_padding() -> None:
    text = to_base64(EVERY_BYTE)
    other = text.replace("+", "-").replace("/", "_")
    for form in (text, other, text.rstrip("="), other.rstrip("=")):
        assert from_base64(form).data == EVERY_BYTE
    assert from_base64("").data == b""


def test_a_data_url_says_what_it_is() -> None:
    file = from_base64("data:image/png;base64,aGk=")
    assert (file.data, file.content_type) == (b"hi", "image/png")


@pytest.mark.parametrize(
    "value", ["!", "a", "aGk=x", "aG k=", "data:text/plain,hi", 5, None, ["a"]]
)
def test_what_is_no_base64_is_refused(value: object) -> None:
    with pytest.raises(InvalidValueError) as raised:
        from_base64(value)
    assert raised.value.problems[0][2] == "base64"


def test_bytes_and_files_come_from_bodies_json_and_text() -> None:
    upload = maas.File(b"\xff", "a", "x/y")
    assert BytesMedia().from_file(upload) == b"\xff"
    assert BytesMedia(whole=True).from_file(upload) is upload
    assert BytesMedia().from_json("aGk=") == b"hi"
    assert BytesMedia().from_text("hé") == "hé".encode()
    schema = BytesMedia().schema()
    assert schema["contentEncoding"] == "base64"
    for text in ("", "aGk=", "_-8", "data:;base64,aGk="):
        assert re.search(schema["pattern"], text)
    assert not re.search(schema["pattern"], "a")
    assert not re.search(schema["pattern"], "é")
