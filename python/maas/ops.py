# SPDX-License-Identifier: Apache-2.0
"""The core's transformations by name, for `pre=` and `post=` of a native endpoint.

The same objects run on numpy arrays in a notebook, in float32 as the server does: what is tried
there is what serves. softmax, argmax, top_k and l2_normalise work along the last dimension.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from maas.errors import InvalidArgumentError, from_core

if TYPE_CHECKING:
    import numpy as np

    from maas import _core

# From the 0..255 of 8-bit images to 0..1.
_BYTE = 1.0 / 255.0


@dataclass(frozen=True, slots=True)
class Op:
    """One transformation, applied row by row: call it on an array, or name it in an endpoint."""

    name: str
    arguments: tuple[Any, ...] = ()

    def __call__(self, x: Any, **context: Any) -> Any:
        """The transformed array; `context` holds what an op needs besides, such as a mask."""
        others = {key: _mask(value) for key, value in context.items()}
        return _to_numpy(_checked(self.core(), _scores(x), others))

    def core(self) -> _core.Op:
        """The core's object of this op."""
        from maas import _core

        made: _core.Op = _checked(getattr(_core.Op, self.name), *self.arguments)
        return made


@dataclass(frozen=True, slots=True)
class TopK(Op):
    """The last op of a chain: the k best classes of each row, with their scores."""

    name: str = "top_k"
    k: int = 1
    labels: tuple[str, ...] = ()

    def __call__(self, x: Any, **context: Any) -> list[Any]:
        """For each row, a list of {"label", "score"}, the best first; one list for one row."""
        from maas import _core

        if context:
            raise InvalidArgumentError(f"top_k takes the scores alone, not {sorted(context)}")
        scores, classes = _checked(_core.top_k, _scores(x), self.k)
        return self._named(_to_numpy(scores).tolist(), _to_numpy(classes).tolist())

    def core(self) -> _core.Op:
        """Never: the core renders it as part of an answer (`rendering`)."""
        raise InvalidArgumentError("top_k writes an answer, so it is the last op of post")

    def _named(self, scores: list[Any], classes: list[Any]) -> list[Any]:
        pairs = zip(scores, classes, strict=True)
        if scores and isinstance(scores[0], list):
            return [self._named(*pair) for pair in pairs]
        return [{"label": self._label(index), "score": score} for score, index in pairs]

    def _label(self, index: int) -> str | int:
        return self.labels[index] if index < len(self.labels) else index


@dataclass(frozen=True, slots=True)
class Output:
    """The first item of a chain in `post`: which of the model's outputs it starts from."""

    name: str


def scale(factor: float, shift: float = 0.0) -> Op:
    """Each number times `factor` plus `shift`, as float32: ``scale(1 / 16)``."""
    return Op("scale", (float(factor), float(shift)))


def normalise(mean: Sequence[float], std: Sequence[float], factor: float = _BYTE) -> Op:
    """uint8 images [height, width, channels] to float32 [channels, height, width].

    Each number is multiplied by `factor`, then its channel's `mean` is taken off and the rest
    divided by its channel's `std`.
    """
    if len(mean) != len(std) or not mean:
        raise InvalidArgumentError(
            f"normalise needs one mean and one std for each channel, not {len(mean)} and {len(std)}"
        )
    means, deviations = tuple(map(float, mean)), tuple(map(float, std))
    return Op("normalise", (means, deviations, float(factor)))


def softmax() -> Op:
    """Scores of a row to probabilities that add up to 1."""
    return Op("softmax")


def argmax() -> Op:
    """The index of the largest number of each row, the first of equals."""
    return Op("argmax")


def l2_normalise() -> Op:
    """Each row divided by its Euclidean length."""
    return Op("l2_normalise")


def mean_pool(mask: str = "mask") -> Op:
    """The mean over the tokens that the input named `mask` marks: [n, d] to [d]."""
    return Op("mean_pool", (mask,))


def top_k(k: int, labels: Sequence[str] = ()) -> TopK:
    """The k best classes of each row as {"label", "score"}; without labels, their indices."""
    value: object = k
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidArgumentError(f"top_k needs a positive whole number, not {k!r}")
    return TopK(k=k, labels=tuple(map(str, labels)))


def output(name: str) -> Output:
    """Starts a chain of `post` from the model's output of this name."""
    return Output(name)


Chain = tuple[Op | Output, ...]
Post = Mapping[str, Chain] | Chain


def checked_pre(pre: Any) -> tuple[Op, ...]:
    """The `pre=` of an endpoint, or a clear error."""
    if not isinstance(pre, list | tuple):
        raise InvalidArgumentError(f"pre is a list of maas.ops, not {pre!r}")
    for op in pre:
        if not isinstance(op, Op) or isinstance(op, TopK):
            raise InvalidArgumentError(
                f"pre holds ops on tensors, such as maas.ops.scale(1 / 16), not {op!r}"
            )
    return tuple(pre)


def checked_post(post: Any) -> Post:
    """The `post=` of an endpoint, or a clear error: a chain, or a field of the answer to each."""
    if not isinstance(post, Mapping):
        return _chain(post, "post")
    if not post:
        raise InvalidArgumentError("post is empty: name at least one field of the answer")
    for key in post:
        if not isinstance(key, str) or not key:
            raise InvalidArgumentError(f"the fields of post are names, not {key!r}")
    return {key: _chain(value, f"post[{key!r}]") for key, value in post.items()}


def _chain(value: Any, place: str) -> Chain:
    chain = tuple(value) if isinstance(value, list | tuple) else (value,)
    for i, op in enumerate(chain):
        if not isinstance(op, Op | Output):
            raise InvalidArgumentError(f"{place} holds ops, such as maas.ops.softmax(), not {op!r}")
        if isinstance(op, Output) and i > 0:
            raise InvalidArgumentError(f"{place}: output({op.name!r}) stands first in a chain")
        if isinstance(op, TopK) and i < len(chain) - 1:
            raise InvalidArgumentError(f"{place}: top_k writes the answer, so it stands last")
    return chain


def rendering(field: str, chain: Chain) -> _core.Output:
    """The core's description of one field of an answer; field "" is the whole answer."""
    from maas import _core

    source = chain[0].name if chain and isinstance(chain[0], Output) else ""
    last = chain[-1] if chain and isinstance(chain[-1], TopK) else None
    steps = [op.core() for op in chain if isinstance(op, Op) and not isinstance(op, TopK)]
    made: _core.Output = _checked(
        _core.Output,
        field=field,
        source=source,
        ops=steps,
        render="top_k" if last else "values",
        k=last.k if last else 0,
        labels=last.labels if last else (),
    )
    return made


def _checked(function: Any, *args: Any, **kwargs: Any) -> Any:
    from maas import _core

    try:
        return function(*args, **kwargs)
    except _core.CoreError as error:
        raise from_core(error) from None


def _scores(x: Any) -> _core.Tensor:
    """What the ops work on: bytes of images, or float32 as in serving."""
    import numpy as np

    array = np.asarray(x)
    return _to_core(array if array.dtype == np.uint8 else array.astype(np.float32, copy=False))


def _mask(x: Any) -> _core.Tensor:
    import numpy as np

    return _to_core(np.asarray(x).astype(np.int64, copy=False))


def _to_core(array: np.ndarray[Any, Any]) -> _core.Tensor:
    from maas import _core

    return _core.Tensor.from_dlpack(array)


def _to_numpy(tensor: _core.Tensor) -> np.ndarray[Any, Any]:
    import numpy as np

    return np.from_dlpack(tensor)
