# SPDX-License-Identifier: Apache-2.0
"""The encoder as every peer of encoder.py calls it, and what encoder.py tells a peer.

Texts come as lists of token ids; they are padded to the longest of the call, and the module is
frozen, as maas does it too, so that the servers differ in serving only.
"""

import os
from collections.abc import Sequence

import numpy as np
import torch

MODEL = os.environ["BENCH_MODEL"]
PORT = int(os.environ["BENCH_PORT"])
BATCH = int(os.environ["BENCH_BATCH"])  # the largest batch; 1 is no batching
WAIT_S = float(os.environ["BENCH_WAIT_MS"]) / 1e3  # how long a batch waits for more


class Encoder:
    """The TorchScript file with one intra-op thread."""

    def __init__(self, path: str = MODEL) -> None:
        """Read the file."""
        torch.set_num_threads(1)
        self.net = torch.jit.freeze(torch.jit.load(path).eval())

    def __call__(self, texts: Sequence[Sequence[int]]) -> np.ndarray:
        """[number of texts, 384] float32."""
        lengths = [len(text) for text in texts]
        ids = np.zeros((len(texts), max(lengths)), np.int64)
        mask = np.zeros_like(ids)
        for row, text in enumerate(texts):
            ids[row, : lengths[row]] = text
            mask[row, : lengths[row]] = 1
        with torch.inference_mode():
            return self.net(torch.from_numpy(ids), torch.from_numpy(mask)).numpy()
