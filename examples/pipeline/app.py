"""Two models in a row, served as one: no request meets Python."""

from typing import Annotated, Any

import numpy as np

import maas

Image = maas.Tensor("float32", [8, 8])
Components = maas.Tensor("float32", [16])
Logits = maas.Tensor("float32", [10])

compressor = maas.load(
    "compressor.pt", inputs={"image": Image}, outputs={"components": Components}, max_batch_size=32
)
classifier = maas.load(
    "classifier.pt",
    inputs={"components": Components},
    outputs={"logits": Logits},
    max_batch_size=32,
)
digits = maas.Pipeline([compressor, classifier], name="digits", outputs=["logits", "components"])


@maas.endpoint(
    "/classify",
    model=digits,
    pre=[maas.ops.scale(1 / 16)],
    post={"label": [maas.ops.output("logits"), maas.ops.argmax()]},
)
def classify(image: Annotated[np.ndarray, Image]) -> dict[str, Any]: ...


@maas.endpoint("/is_even")
async def is_even(image: Annotated[np.ndarray, Image]) -> bool:
    """A handler's calls share the models' batches, and the deadline of its request."""
    answer = await digits(image[None] / np.float32(16))
    return int(answer["logits"].argmax()) % 2 == 0
