# SPDX-License-Identifier: Apache-2.0
"""Writes docs/limits.md from the core's table of limits."""

from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs" / "limits.md"

_HEAD = """# Limits

How much a client may ask of the server, and how long it may take. All are on by default; each is
a setting: a flag (`--max-header-bytes`), a variable (`MAAS_MAX_HEADER_BYTES`) or a key of
`maas.yaml`. The table is made from the core's own by `python scripts/limits_page.py`.

| setting | bounds | default | from | to | beyond it |
|---|---|---|---|---|---|
"""

_TAIL = """
"close" means that the connection is closed behind the answer and nothing else that it brought is
read. Besides these: `max_held_bytes` bounds what all requests hold together (503); 64 connections
beyond `max_connections` are told so, and any further are closed; a body of `GET` and of
`/v2/repository/index` is at most 64 KiB (413); an `X-Request-Id` has at most 64 characters (else
the server makes one), the name of a model 128 (400), and JSON nests at most 100 deep (400).

Over gRPC, `max_body_bytes` bounds a message (`RESOURCE_EXHAUSTED`; 2 GiB - 1 at most),
`max_header_bytes` the metadata of a call, `max_connections` the calls at once, `idle_timeout_s` an
idle connection; a stream has at most 64 requests under way.
"""


def page() -> str:
    """The page as it should be."""
    from maas import _core

    rows = [
        f"| `{name}` | {text} | {default:,.10g} | {least:,.10g} | {most:,.15g} | {answer} |\n"
        for name, default, least, most, answer, text in _core.limits()
    ]
    return _HEAD + "".join(rows) + _TAIL


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
