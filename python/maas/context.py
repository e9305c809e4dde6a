# SPDX-License-Identifier: Apache-2.0
"""What a handler may ask about the request it answers."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from maas.logs import logger

if TYPE_CHECKING:
    from maas import _core


class Context:
    """The request that a handler answers: a parameter annotated `maas.Context` gets it.

    ``def f(text: str, ctx: maas.Context) -> str`` has a body of `text` alone. A batched handler
    gets a list of them, one for each row. Any thread may ask it, also after the answer.
    """

    __slots__ = ("_request",)

    def __init__(self, request: _core.RequestInfo) -> None:
        self._request = request

    def __repr__(self) -> str:
        return f"maas.Context({self.request_id!r})"

    @property
    def request_id(self) -> str:
        """The id that the answer and the log carry."""
        return self._request.id

    @property
    def cancelled(self) -> bool:
        """Whether the answer has become useless: the client left, or the deadline passed.

        It is live: a long computation looks at it now and then, and returns early.
        """
        return self._request.cancelled

    @property
    def log(self) -> logging.LoggerAdapter[logging.Logger]:
        """A logger whose records carry the request id."""
        return logging.LoggerAdapter(logger, {"request_id": self.request_id})

    def remaining_s(self) -> float:
        """Seconds until the deadline: 0 once it has passed, infinity when there is none."""
        return self._request.remaining_s()
