# SPDX-License-Identifier: Apache-2.0
"""The endpoint decorator."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from maas import endpoint_calls, ops
from maas.batching import BatchPolicy, OnBatchError
from maas.endpoint_spec import RECORD, EndpointSpec, check_hints, spec_of
from maas.errors import InvalidArgumentError

if TYPE_CHECKING:
    from maas.model import Model

F = TypeVar("F", bound=Callable[..., Any])


def endpoint(  # noqa: PLR0913 - the settled public signature
    path: str,
    *,
    max_batch_size: int = 1,
    batch_timeout_ms: float = 0.0,
    max_queue_size: int = 1024,
    max_concurrency: int | None = None,
    timeout_s: float = 30.0,
    model: Model | None = None,
    pre: list[ops.Op] | tuple[ops.Op, ...] = (),
    post: Mapping[str, Any] | list[Any] | tuple[Any, ...] = (),
    batch_policy: BatchPolicy = "eager",
    on_batch_error: OnBatchError = "split",
    workers: int = 0,
    idempotent: bool = False,
) -> Callable[[F], F]:
    """Makes a function, or a method of a service, the handler of POST `path`.

    The type hints say what a request must hold and what the documentation shows; they describe
    one row. With `max_batch_size` above 1 the handler gets many rows at once: arrays with a
    leading dimension, all else as lists, and it returns as many items. A function whose body is
    `...` and that names a `model` is native: the core answers it without Python, with the ops
    `pre` before the model and `post` after it. `max_concurrency` bounds the calls that run at
    once: 4 threads for a `def`, 256 coroutines for an `async def`, and one batch for a batched
    handler unless told otherwise. docs/guide/batching.md explains the options of batching.

    Called by other handlers, the function is one request of one row that shares the batches of all
    others (endpoint_calls.py); called anywhere else it is itself, and a native one asks its model.

    `workers=N` runs the handler in N processes, each a fresh Python that imports its module; 0 runs
    it in this one. With `idempotent` a request may run again when its process died.
    docs/guide/handlers.md tells more.
    """
    caller = sys._getframe(1)

    def decorate(function: F) -> F:
        spec = EndpointSpec(
            path=path,
            function=function,
            max_batch_size=max_batch_size,
            batch_timeout_ms=batch_timeout_ms,
            max_queue_size=max_queue_size,
            max_concurrency=max_concurrency,
            timeout_s=timeout_s,
            model=model,
            pre=tuple(pre) if isinstance(pre, list) else pre,
            post=ops.checked_post(post),
            batch_policy=batch_policy,
            on_batch_error=on_batch_error,
            workers=workers,
            idempotent=idempotent,
            local_names=_names_for_hints(function, caller),
        )
        if spec_of(function) is not None:
            raise InvalidArgumentError(f"{spec.name} is an endpoint already; decorate it once")
        check_hints(spec)
        setattr(function, RECORD, spec)
        return cast("F", endpoint_calls.routed(spec))

    return decorate


def _names_for_hints(function: object, caller: FrameType) -> dict[str, Any]:
    """The caller's local names, when hints are text that may need them."""
    hints = getattr(function, "__annotations__", {}).values()
    if caller.f_locals is caller.f_globals or not any(isinstance(hint, str) for hint in hints):
        return {}
    return dict(caller.f_locals)
