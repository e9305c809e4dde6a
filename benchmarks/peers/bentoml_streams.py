# SPDX-License-Identifier: Apache-2.0
"""BentoML: one worker whose endpoint yields the frames of the events."""

import json
from collections.abc import AsyncGenerator

import bentoml


@bentoml.service(
    workers=1,
    traffic={"timeout": 120},
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
)
class Service:
    """A count in, so many events out."""

    @bentoml.api(route="/stream")
    async def stream(self, count: int) -> AsyncGenerator[str, None]:
        """The items; `async`, which is BentoML's faster way."""
        for number in range(count):
            yield f"data: {json.dumps(f'token {number}')}\n\n"
