# SPDX-License-Identifier: Apache-2.0
"""The core's server of given settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from maas.errors import from_core

if TYPE_CHECKING:
    from maas import _core
    from maas.config import Settings


def make(settings: Settings, engine: _core.Engine, name: str) -> _core.Server:
    """A server that does not listen yet; `name` is the title of its documentation."""
    from maas import _core

    try:
        return _core.Server(
            engine,
            host=settings.host,
            port=settings.port,
            limits={field: getattr(settings, field) for field, *_ in _core.limits()},
            allowed_hosts=settings.names("allowed_hosts"),
            cors_origins=settings.names("cors_origins"),
            make_traces=settings.traceparent == "make",
            access_log="" if settings.access_log == "off" else settings.access_log,
            access_log_json=settings.log_format == "json",
            compression=settings.compression,
            compress_min_bytes=settings.compress_min_bytes,
            docs_page=_docs_page(),
            title=name,
        )
    except _core.CoreError as error:
        raise from_core(error) from None


def _docs_page() -> str:
    return (Path(__file__).parent / "assets" / "docs.html").read_text(encoding="utf-8")
