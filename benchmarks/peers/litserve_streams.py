# SPDX-License-Identifier: Apache-2.0
"""LitServe: one worker that yields; the frames of the events are made in `encode_response`."""

import json
import os
from collections.abc import Iterator

import litserve


class Api(litserve.LitAPI):
    """A count in, so many events out."""

    def setup(self, device: str) -> None:
        """Nothing to load."""

    def decode_request(self, request: dict[str, int]) -> int:
        """The count of a parsed body."""
        return request["count"]

    def predict(self, x: int) -> Iterator[str]:
        """The items."""
        for number in range(x):
            yield f"token {number}"

    def encode_response(self, output):
        """Each item as an event; without hints, which LitServe would take for pydantic's."""
        for item in output:
            yield f"data: {json.dumps(item)}\n\n"


if __name__ == "__main__":
    api = Api(api_path="/stream", stream=True)
    server = litserve.LitServer(
        api, accelerator="cpu", workers_per_device=1, fast_queue=True, timeout=120
    )
    server.run(
        host="127.0.0.1",
        port=int(os.environ["BENCH_PORT"]),
        num_api_servers=1,
        log_level="warning",
        access_log=False,
        generate_client_file=False,
    )
