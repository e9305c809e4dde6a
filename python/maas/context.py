# SPDX-License-Identifier: Apache-2.0
"""What a handler may ask about the request it answers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from maas.logs import logger

if TYPE_CHECKING:
    from maas import _core


# The requests that the running coroutine answers. A `def` needs none: the core knows its thread.
caller: ContextVar[_core.Caller | None] = ContextVar("maas_caller", default=None)
# The function of the endpoint whose handler runs here.
running: ContextVar[Callable[..., Any] | None] = ContextVar("maas_running", default=None)


class Context:
    """The request that a handler answers: a parameter annotated `maas.Context` gets it.

    ``def f(text: str, ctx: maas.Context) -> str`` has a body of `text` alone. A batched handler
    gets a list of them, one for each row. Any thread may ask it, also after the answer.
    """

    __slots__ = ("_headers", "_request")

    def __init__(self, request: _core.RequestInfo) -> None:
        self._request = request
        self._headers: Headers | None = None

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

    @property
    def headers(self) -> Mapping[str, str]:
        """The fields of the request's head, by name in any case."""
        if self._headers is None:
            self._headers = Headers(self._request.headers)
        return self._headers

    @property
    def path(self) -> str:
        """The path with its query, as it was sent."""
        return self._request.target

    @property
    def identity(self) -> str | None:
        """Who sent the request; None where nobody is asked."""
        return self._request.identity or None

    @property
    def deadline(self) -> float | None:
        """When the answer is due, on the clock of time.monotonic(); None when there is no limit.

        ``async with asyncio.timeout_at(ctx.deadline)`` ends what would come too late.
        """
        return self._request.deadline

    def remaining_s(self) -> float:
        """Seconds until the deadline: 0 once it has passed, infinity when there is none."""
        return self._request.remaining_s()


class Headers(Mapping[str, str]):
    """The fields of a head, by name in any case; those that come twice are joined by a comma."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._values: dict[str, str] = {}
        for name, value in pairs:
            key = name.lower()
            known = self._values.get(key)
            self._values[key] = value if known is None else f"{known}, {value}"

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Headers({self._values})"
