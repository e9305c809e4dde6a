"""A batched handler: many requests, one call, and each gets its own answer."""

from typing import Annotated, Any

import numpy as np

import maas

Point = Annotated[np.ndarray, maas.Tensor("float32", [2])]
WEIGHTS = np.array([0.75, 0.25], np.float32)


@maas.endpoint("/score", max_batch_size=4, batch_policy="window", batch_timeout_ms=20)
def score(point: Point) -> Any:
    """The weighted sum of a point without negative coordinates, and the size of its batch."""
    scores = point @ WEIGHTS  # point has one more dimension than its hint: the rows of the batch
    return [
        maas.Error(422, "a coordinate is negative")
        if row.min() < 0
        else {"score": value, "batch": len(scores)}
        for row, value in zip(point, scores.tolist(), strict=True)
    ]


@maas.endpoint("/count", timeout_s=5)
def count(to: int, ctx: maas.Context) -> int:
    """Counts as far as it is asked to, or as long as somebody waits for the answer."""
    reached = 0
    while reached < to and not ctx.cancelled:
        reached += 1
    ctx.log.debug("counted to %d, %.1f s before the deadline", reached, ctx.remaining_s())
    return reached
