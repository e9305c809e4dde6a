"""A plain Python function, and an async one that calls the native model beside it."""

from pathlib import Path
from typing import Annotated

import numpy as np

import maas

QUICKSTART = Path(__file__).resolve().parent.parent / "quickstart"
Image = Annotated[np.ndarray, maas.Tensor("float32", [8, 8])]

digits = maas.load(
    QUICKSTART / "digits.pt",
    name="digits",
    inputs={"image": maas.Tensor("float32", [8, 8])},
    outputs={"logits": maas.Tensor("float32", [10])},
    max_batch_size=32,
)


@maas.endpoint("/words")
def words(text: str, longest: int = 3) -> list[str]:
    """The longest words of a text, longest first."""
    return sorted(text.split(), key=len, reverse=True)[:longest]


@maas.endpoint("/headline")
def headline(text: str) -> str:
    """The longest words as a title; another endpoint is called like the function it is."""
    return " ".join(words(text)).title()


@maas.endpoint("/even", max_concurrency=64)
async def even(image: Image, threshold: float = 0.5) -> dict[str, float | bool]:
    """Whether the digit in an image is even; the model is called in process, in shared batches."""
    answer = await digits(image=image[None] / 16)
    logits = np.exp(answer["logits"][0] - answer["logits"][0].max())
    probability = float(logits[::2].sum() / logits.sum())
    return {"even": probability >= threshold, "probability": probability}
