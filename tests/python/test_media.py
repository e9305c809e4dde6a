# SPDX-License-Identifier: Apache-2.0
import sys
from typing import Annotated, Any

import pandas as pd
import pydantic
import pytest
from PIL import Image

import maas
from maas import media
from maas.files import BytesMedia
from maas.images import ImageMedia
from maas.tables import TableMedia

RED = Image.new("RGB", (2, 1), "red")
TABLE = pd.DataFrame({"a": [1, 2]}, index=[5, 6])


@pytest.mark.parametrize(
    ("hint", "kind"),
    [
        (bytes, BytesMedia),
        (maas.File, BytesMedia),
        (Image.Image, ImageMedia),
        (pd.DataFrame, TableMedia),
        (Annotated[pd.DataFrame, maas.Columns({"a": "int64"})], TableMedia),
    ],
)
def test_each_type_has_its_media(hint: Any, kind: type) -> None:
    assert isinstance(media.media_of(hint, "x"), kind)


def test_other_hints_are_no_media() -> None:
    for hint in (str, int, list[bytes], None, Any, Annotated[bytes, pydantic.Field(min_length=1)]):
        assert media.media_of(hint, "x") is None


def test_columns_annotate_tables_alone() -> None:
    with pytest.raises(maas.InvalidArgumentError, match="annotates a table"):
        media.media_of(Annotated[bytes, maas.Columns({"a": "int64"})], "x")


def test_libraries_that_nobody_imported_are_not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIL.Image", "PIL", "pandas"):
        monkeypatch.delitem(sys.modules, name)
    assert media.media_of(str, "x") is None
    assert media.answer("text", "") is None
    assert not {"PIL", "pandas"} & set(sys.modules)


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", "a/b"),
        ("*/*", "a/b"),
        ("a/c", "a/c"),
        ("A/C ; q=0.5", "a/c"),
        ("a/b;q=0.1, a/c;q=0.2", "a/c"),
        ("a/*;q=0.2, a/c;q=0, x/y", "x/y"),
        ("*/*, a/b;q=0", "a/c"),
        ("z/z", "a/b"),
        ("a/c;q=wrong, x/*", "x/y"),
        ("x/y;orient=split", "x/y; orient=split"),
        (",;,", "a/b"),
    ],
)
def test_the_answer_is_what_is_accepted_most(accept: str, chosen: str) -> None:
    assert media.preferred(accept, ("a/b", "a/c", "x/y", "x/y; orient=split")) == chosen


def test_values_are_answers_by_themselves() -> None:
    assert media.answer(b"a", "") == (b"a", "application/octet-stream")
    assert media.answer(maas.File(b"a", "n", "x/y"), "image/png") == (b"a", "x/y")
    png = media.answer(RED, "")
    assert isinstance(png, tuple)
    assert png[0].startswith(b"\x89PNG")
    assert media.answer(RED, "application/json") is None
    assert media.answer(TABLE, "text/csv") == (b"a\n1\n2\n", "text/csv")
    assert media.answer(TABLE, "") is None


def test_inside_json_they_are_base64_and_records() -> None:
    assert media.plain(maas.File(b"hi")) == "aGk="
    assert media.plain(RED).startswith("iVBOR")
    assert media.plain(TABLE) == [{"a": 1}, {"a": 2}]
    assert media.plain(TABLE, "application/json; orient=split")["index"] == [5, 6]
    assert media.plain(5) == 5
