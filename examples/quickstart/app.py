"""A native endpoint: declared here; parsed, scaled, run and answered by the C++ core."""

from typing import Annotated

import numpy as np

import maas

Image, Logits = maas.Tensor("float32", [8, 8]), maas.Tensor("float32", [10])
net = maas.load("digits.pt", inputs={"image": Image}, outputs={"logits": Logits}, max_batch_size=32)
POST = {"label": maas.ops.argmax(), "probabilities": maas.ops.softmax()}


@maas.endpoint("/classify", model=net, pre=[maas.ops.scale(1 / 16)], post=POST)
def classify(image: Annotated[np.ndarray, Image]) -> dict[str, object]: ...
