# SPDX-License-Identifier: Apache-2.0
import functools
from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
import pytest

import maas
from maas.endpoint_spec import DEFAULT_BATCHES, DEFAULT_COROUTINES, DEFAULT_THREADS, spec_of

ROW = maas.Tensor("float32", [3])


def refused(words: str) -> Any:
    return pytest.raises(maas.InvalidArgumentError, match=words)


def test_what_is_not_decorated_has_no_spec() -> None:
    class Odd:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError(name)

    assert spec_of(len) is None
    assert spec_of(Odd()) is None


def test_a_def_gets_threads_and_an_async_def_coroutines() -> None:
    @maas.endpoint("/a")
    def a(x: int) -> int:
        return x

    @maas.endpoint("/b")
    async def b(x: int) -> int:
        return x

    @maas.endpoint("/c", max_concurrency=2)
    async def c(x: int) -> int:
        return x

    specs = [spec_of(function) for function in (a, b, c)]
    assert [spec and spec.concurrency for spec in specs] == [
        DEFAULT_THREADS,
        DEFAULT_COROUTINES,
        2,
    ]


def test_a_batched_handler_runs_one_batch_at_a_time_unless_told_otherwise() -> None:
    def f(x: int) -> Any:
        return x

    async def g(x: int) -> Any:
        return x

    for function in (f, g):
        spec = maas.EndpointSpec("/f", function, max_batch_size=8)
        assert spec.concurrency == DEFAULT_BATCHES == 1
        assert (
            maas.EndpointSpec("/f", function, max_batch_size=8, max_concurrency=3).concurrency == 3
        )


@pytest.mark.parametrize("path", ["echo", "", "/", "/a//b", "/a/", "/a b", "/{x}", "/a?b", None, 3])
def test_a_path_that_cannot_be_one_is_refused(path: Any) -> None:
    with refused("the path"):
        maas.endpoint(path)(lambda: 1)


@pytest.mark.parametrize("path", ["/v2", "/v2/models/x", "/metrics", "/docs", "/readyz"])
def test_the_paths_of_the_server_are_refused(path: str) -> None:
    with refused("belongs to the server"):
        maas.endpoint(path)(lambda: 1)


@pytest.mark.parametrize(
    "option",
    [
        {"max_batch_size": 0},
        {"max_batch_size": True},
        {"max_batch_size": 2.0},
        {"batch_timeout_ms": -1},
        {"batch_timeout_ms": "2"},
        {"max_queue_size": 0},
        {"max_concurrency": 0},
        {"timeout_s": float("nan")},
    ],
)
def test_an_option_out_of_range_names_endpoint_and_option(option: dict[str, Any]) -> None:
    (name,) = option
    with refused(f"endpoint .*echo: {name} is a"):

        @maas.endpoint("/echo", **option)
        def echo(text: str) -> str:
            return text


class Plain:
    pass


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        (Plain, "decorate it with @maas.service"),
        (Plain(), "cannot be called"),
        (3, "cannot be called"),
        (staticmethod(len), "cannot serve a staticmethod"),
        (property(len), "cannot serve a property"),
        (max, "does not tell its parameters"),
        (len, "positional-only"),
    ],
)
def test_what_cannot_be_served_is_told_with_a_remedy(thing: Any, words: str) -> None:
    with refused(words):
        maas.endpoint("/x")(thing)


def test_a_missing_hint_names_function_and_parameter_when_decorated() -> None:
    with refused(r"endpoint .*echo: parameter 'text' has no type hint; add one"):

        @maas.endpoint("/echo")
        def echo(text) -> str:  # type: ignore[no-untyped-def]
            return str(text)


def test_an_unsupported_hint_names_function_parameter_and_remedy() -> None:
    with refused(r"endpoint .*echo: parameter 'thing': Plain cannot be read from JSON; use str"):

        @maas.endpoint("/echo")
        def echo(thing: Plain) -> str:
            return str(thing)


@pytest.mark.parametrize("function", [lambda *args: args, lambda **kwargs: kwargs])
def test_parameters_without_names_are_refused(function: Callable[..., Any]) -> None:
    with refused("a body needs named keys"):
        maas.endpoint("/x")(function)


def test_a_partial_is_served_by_the_hints_of_its_function() -> None:
    def add(x: int, y: int) -> int:
        return x + y

    spec = maas.EndpointSpec("/add", functools.partial(add, y=2))
    assert [item.name for item in spec.signature().parameters] == ["x", "y"]


def test_a_body_of_dots_without_a_model_is_refused() -> None:
    with refused("its body is `...`; write one, or name the model="):

        @maas.endpoint("/x")
        def classify(x: int) -> int: ...  # type: ignore[empty-body]


def test_ops_without_a_model_are_refused() -> None:
    with refused("pre and post belong to a native endpoint"):

        @maas.endpoint("/x", post=[maas.ops.softmax()])
        def handler(x: int) -> int:
            return x


def test_a_native_endpoint_records_model_and_ops(double: maas.Model) -> None:
    @maas.endpoint("/x", model=double, pre=[maas.ops.scale(0.5)], post={"y": maas.ops.softmax()})
    def native(x: Annotated[np.ndarray, ROW]) -> dict[str, list[float]]: ...  # type: ignore[empty-body]

    spec = spec_of(native)
    assert spec is not None
    assert spec.native
    assert spec.post == {"y": (maas.ops.softmax(),)}


def test_a_native_endpoint_has_no_body(double: maas.Model) -> None:
    with refused("its body must be `...`"):

        @maas.endpoint("/x", model=double)
        def native(x: Annotated[np.ndarray, ROW]) -> Any:
            return x


def test_a_docstring_is_no_body(double: maas.Model) -> None:
    @maas.endpoint("/x", model=double)
    def native(x: Annotated[np.ndarray, ROW]) -> Any:
        """Says what it does."""

    spec = spec_of(native)
    assert spec is not None
    assert spec.native


def test_a_native_endpoint_takes_no_context(double: maas.Model) -> None:
    with refused(r"'ctx' is a maas\.Context, and a native endpoint has no code to read it"):

        @maas.endpoint("/x", model=double)
        def native(x: Annotated[np.ndarray, ROW], ctx: maas.Context) -> Any: ...
