"""Handlers that yield: each item is sent as soon as it is there."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import numpy as np

import maas

Number = Annotated[np.ndarray, maas.Tensor("int64", [])]


@maas.endpoint("/words")
def words(text: str, pause_s: float = 0.0) -> Iterator[str]:
    """The words of a text, one by one."""
    found = text.split()
    if not found:
        raise maas.Error(422, "the text has no words")  # nothing is sent yet: an ordinary 422
    for word in found:
        yield word
        time.sleep(pause_s)


@maas.endpoint("/countdown")
async def countdown(start: int, ctx: maas.Context) -> AsyncIterator[int]:
    """Counts down to 0; an `async def` costs no thread while it waits."""
    try:
        for number in range(start, -1, -1):
            yield number
            await asyncio.sleep(0.01)
    finally:
        ctx.log.info("countdown is over")  # also when the client leaves


@maas.endpoint("/squares", max_batch_size=8, batch_timeout_ms=5)
def squares(start: Number, count: Number) -> Iterator[Any]:
    """A batched generator: each step gives a list, one item per row, None for a row without one."""
    for step in range(int(count.max())):
        values = ((start + step) ** 2).tolist()
        yield [
            value if step < wanted else None for value, wanted in zip(values, count, strict=True)
        ]
