# SPDX-License-Identifier: Apache-2.0
"""The options of batching that endpoints and models share, checked when they are given.

A place, such as "model 'digits'", says in an error whose option it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol

from maas.errors import InvalidArgumentError
from maas.types import Tensor, closest

if TYPE_CHECKING:
    from maas import _core

BatchPolicy = Literal["eager", "window"]
OnBatchError = Literal["split", "fail"]
_CHOICES = {"batch_policy": ("eager", "window"), "on_batch_error": ("split", "fail")}
_PAD = 'such as pad={"input_ids": 0}'


class Options(Protocol):
    """What the specs of endpoints and of models have in common."""

    @property
    def max_batch_size(self) -> int: ...  # noqa: D102 - explained where they are given
    @property
    def batch_timeout_ms(self) -> float: ...  # noqa: D102
    @property
    def max_queue_size(self) -> int: ...  # noqa: D102
    @property
    def batch_policy(self) -> BatchPolicy: ...  # noqa: D102
    @property
    def on_batch_error(self) -> OnBatchError: ...  # noqa: D102


def core_options(options: Options, executors: int, **more: Any) -> _core.BatchOptions:
    """The core's form of the options; `more` are those of models alone."""
    from maas import _core

    return _core.BatchOptions(
        max_batch_size=options.max_batch_size,
        batch_timeout_ms=options.batch_timeout_ms,
        max_queue_size=options.max_queue_size,
        executors=executors,
        batch_policy=options.batch_policy,
        on_batch_error=options.on_batch_error,
        **more,
    )


def check(place: str, options: Options) -> None:
    """Checks what endpoints and models have in common."""
    check_number(place, "max_batch_size", options.max_batch_size, int, 1)
    check_number(place, "batch_timeout_ms", options.batch_timeout_ms, float, 0)
    check_number(place, "max_queue_size", options.max_queue_size, int, 1)
    for name, known in _CHOICES.items():
        value = getattr(options, name)
        if value not in known:
            shown = " or ".join(map(repr, known))
            hint = closest(value, known) if isinstance(value, str) else ""
            raise InvalidArgumentError(f"{place}: {name} is {shown}, not {value!r}{hint}")


def check_number(place: str, name: str, value: object, kind: type, low: float) -> None:
    """Checks a number's type and lower bound."""
    allowed = (int,) if kind is int else (int, float)
    if isinstance(value, bool) or not isinstance(value, allowed) or not value >= low:
        word = "a whole number" if kind is int else "a number"
        raise InvalidArgumentError(f"{place}: {name} is {word} of at least {low}, not {value!r}")


def check_weight(place: str, weight: object) -> None:
    """Checks a model's share of the executors."""
    good = isinstance(weight, int | float) and not isinstance(weight, bool)
    if not good or not math.isfinite(weight) or not weight > 0:  # type: ignore[arg-type,operator] # good
        raise InvalidArgumentError(f"{place}: weight is a number above 0, not {weight!r}")


class Padding:
    """The options of a model whose requests differ in length; checked when it is made."""

    def __init__(
        self, pad: Mapping[str, float] | None, mask: str | None, max_batch_tokens: int
    ) -> None:
        self._pad = pad
        self._mask = mask
        self._max_batch_tokens = max_batch_tokens

    def check(
        self,
        place: str,
        inputs: Mapping[str, Tensor] | None,
        outputs: Mapping[str, Tensor] | None,
    ) -> None:
        """Raises an error that names the option, what is wrong with it, and the remedy."""
        check_number(place, "max_batch_tokens", self._max_batch_tokens, int, 0)
        if self._pad is None:
            self._check_that_nothing_needs_pad(place)
            return
        _check_pad_form(place, self._pad)
        if inputs is None or outputs is None:
            raise InvalidArgumentError(
                f"{place}: pad needs declared inputs and outputs, which tell what dimension "
                "varies; add inputs= and outputs="
            )
        for name, value in self._pad.items():
            _check_padded(f"{place}: pad", name, inputs)
            _check_fill(f"{place}: pad", name, value, inputs[name].dtype)
        if self._mask is not None:
            _check_padded(f"{place}: mask", self._mask, inputs)
            if self._pad.get(self._mask, 0) != 0:
                raise InvalidArgumentError(
                    f"{place}: mask {self._mask!r} is filled up with 0, which stands for padding; "
                    "leave it out of pad"
                )

    def _check_that_nothing_needs_pad(self, place: str) -> None:
        if self._mask is not None:
            raise InvalidArgumentError(
                f"{place}: mask tells what is padding, so it needs pad=, {_PAD}"
            )
        if self._max_batch_tokens:
            raise InvalidArgumentError(
                f"{place}: max_batch_tokens counts padded positions, so it needs pad=, {_PAD}"
            )


def _check_pad_form(place: str, pad: object) -> None:
    if not isinstance(pad, Mapping) or not pad:
        raise InvalidArgumentError(
            f"{place}: pad maps names of inputs to what fills them up, {_PAD}, not {pad!r}"
        )


def _check_padded(option: str, name: object, inputs: Mapping[str, Tensor]) -> None:
    if not isinstance(name, str) or name not in inputs:
        hint = closest(name, list(inputs)) if isinstance(name, str) else ""
        raise InvalidArgumentError(
            f"{option} names {name!r}, which is no input; the inputs are: {', '.join(inputs)}{hint}"
        )
    tensor = inputs[name]
    if tensor.shape.count(-1) != 1 or tensor.shape_tensor:
        remedy = (
            "it is a shape tensor; leave it out"
            if tensor.shape_tensor
            else "declare it with exactly one dimension of -1: the one that is padded"
        )
        raise InvalidArgumentError(f"{option} names {name!r}, which is {tensor}; {remedy}")


def _check_fill(option: str, name: str, value: object, dtype: str) -> None:
    if dtype == "bytes":
        raise InvalidArgumentError(
            f"{option} names {name!r}, which is text; only numbers are padded"
        )
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidArgumentError(
            f"{option} fills {name!r} up with a number, such as 0, not {value!r}"
        )
    if "float" not in dtype and not float(value).is_integer():
        raise InvalidArgumentError(
            f"{option} fills {name!r} up with {value!r}, and its dtype is {dtype}; give a whole "
            "number"
        )
