# SPDX-License-Identifier: Apache-2.0
"""Handlers in Python that give back what they got, as maas serves them."""

import maas


@maas.endpoint("/plain")
def plain(name: str, tags: list[str], score: float, note: str) -> dict[str, object]:
    """A `def`: on a thread of the endpoint's own."""
    return {"name": name, "tags": tags, "score": score, "note": note}


@maas.endpoint("/coroutine")
async def coroutine(name: str, tags: list[str], score: float, note: str) -> dict[str, object]:
    """An `async def`: on the event loop."""
    return {"name": name, "tags": tags, "score": score, "note": note}
