# SPDX-License-Identifier: Apache-2.0
"""LitServe: one worker, its zmq queue, orjson answers; see encoder_model.py for the settings."""

import litserve
import numpy as np
import orjson
from encoder_model import BATCH, PORT, WAIT_S, Encoder
from fastapi import Request, Response


class Api(litserve.LitAPI):
    """Token ids in, numbers out."""

    def setup(self, device: str) -> None:  # noqa: ARG002 - LitServe's signature
        """Load the model in the worker."""
        self.encoder = Encoder()

    def decode_request(self, request: Request) -> list[int]:
        """The token ids of a parsed body."""
        return request["input_ids"]

    def batch(self, inputs: list[list[int]]) -> list[list[int]]:
        """A batch stays a list: the encoder pads it."""
        return inputs

    def predict(self, x: list) -> np.ndarray:
        """A batch of texts, or one text where batching is off."""
        return self.encoder(x) if BATCH > 1 else self.encoder([x])[0]

    def unbatch(self, output: np.ndarray) -> list[np.ndarray]:
        """The rows."""
        return list(output)

    def encode_response(self, output: np.ndarray) -> Response:
        """JSON by orjson, which beats what LitServe does by itself."""
        answer = orjson.dumps({"embedding": output}, option=orjson.OPT_SERIALIZE_NUMPY)
        return Response(answer, media_type="application/json")


if __name__ == "__main__":
    api = Api(max_batch_size=BATCH, batch_timeout=WAIT_S if BATCH > 1 else 0.0, api_path="/embed")
    server = litserve.LitServer(
        api, accelerator="cpu", workers_per_device=1, fast_queue=True, timeout=120
    )
    server.run(
        host="127.0.0.1",
        port=PORT,
        num_api_servers=1,
        log_level="warning",
        access_log=False,
        generate_client_file=False,
    )
