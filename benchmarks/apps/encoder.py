# SPDX-License-Identifier: Apache-2.0
"""The encoder as maas serves it: a native endpoint that takes token ids, batched and padded."""

import os
from typing import Annotated

import numpy as np

import maas

Ids, Embedding = maas.Tensor("int64", [-1]), maas.Tensor("float32", [384])
net = maas.load(
    os.environ["BENCH_MODEL"],
    name="minilm",
    inputs={"input_ids": Ids, "attention_mask": Ids},
    outputs={"embedding": Embedding},
    max_batch_size=int(os.environ["BENCH_BATCH"]),
    batch_policy="window",
    batch_timeout_ms=float(os.environ["BENCH_WAIT_MS"]),
    pad={"input_ids": 0},
    mask="attention_mask",
    executors=1,
)


@maas.endpoint("/embed", model=net, post={"embedding": [maas.ops.output("embedding")]})
def embed(input_ids: Annotated[np.ndarray, Ids]) -> dict[str, object]: ...
