# SPDX-License-Identifier: Apache-2.0
"""Numbers as server-sent events, from a `def` and from an `async def`."""

from collections.abc import AsyncIterator, Iterator

import maas


@maas.endpoint("/stream")
def stream(count: int) -> Iterator[str]:
    for number in range(count):
        yield f"token {number}"


@maas.endpoint("/stream-async")
async def stream_async(count: int) -> AsyncIterator[str]:
    for number in range(count):
        yield f"token {number}"
