# SPDX-License-Identifier: Apache-2.0
"""BentoML: one worker; its batcher decides by itself how long to wait.

`max_latency_ms` is not a wait but the age at which BentoML drops a request with 503: it is large.
"""

import bentoml
import numpy as np
from encoder_model import BATCH, Encoder


@bentoml.service(
    workers=1,
    traffic={"timeout": 120},
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
)
class Service:
    """Token ids in, numbers out."""

    def __init__(self) -> None:
        """Load the model in the worker."""
        self.encoder = Encoder()

    if BATCH > 1:

        @bentoml.api(route="/embed", batchable=True, max_batch_size=BATCH, max_latency_ms=60_000)
        def embed(self, input_ids: list[list[int]]) -> np.ndarray:
            """A batch of texts."""
            return self.encoder(input_ids)

    else:

        @bentoml.api(route="/embed")
        def embed(self, input_ids: list[int]) -> np.ndarray:
            """One text."""
            return self.encoder([input_ids])[0]
