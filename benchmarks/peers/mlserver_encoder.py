# SPDX-License-Identifier: Apache-2.0
"""MLServer: a runtime in the server's process (parallel_workers=0), the Open Inference Protocol.

MLServer stacks requests by joining their flat data, which says nothing of rows of different length;
each request therefore names its length as a parameter, which the batcher collects into a list.
"""

import json
import pathlib
from itertools import accumulate

from encoder_model import BATCH, PORT, WAIT_S, Encoder
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse


class Runtime(MLModel):
    """Token ids in, numbers out."""

    async def load(self) -> bool:
        """Read the model."""
        self.encoder = Encoder()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """The texts of one request, or of the several that MLServer made into one."""
        tensor = payload.inputs[0]
        flat = getattr(tensor.data, "root", tensor.data)
        lengths = tensor.parameters.length
        ends = list(accumulate(lengths if isinstance(lengths, list) else [lengths]))
        texts = [flat[a:b] for a, b in zip([0, *ends], ends, strict=False)]
        output = NumpyCodec.encode_output("embedding", self.encoder(texts))
        return InferenceResponse(model_name=self.name, outputs=[output])


def write_settings(folder: pathlib.Path) -> None:
    """The two files that `mlserver start FOLDER` reads."""
    server = {
        "host": "127.0.0.1",
        "http_port": PORT,
        "grpc_port": PORT + 1,
        "metrics_port": PORT + 2,
        "parallel_workers": 0,
        "debug": False,
        "gzip_enabled": False,
    }
    model = {
        "name": "minilm",
        "implementation": "mlserver_encoder.Runtime",
        "max_batch_size": BATCH if BATCH > 1 else 0,
        "max_batch_time": WAIT_S if BATCH > 1 else 0,
    }
    (folder / "settings.json").write_text(json.dumps(server))
    (folder / "model-settings.json").write_text(json.dumps(model))


if __name__ == "__main__":
    import sys

    from mlserver.cli import main

    write_settings(pathlib.Path(sys.argv[1]))
    sys.argv = ["mlserver", "start", sys.argv[1]]
    main()
