# SPDX-License-Identifier: Apache-2.0
from typing import Any, TypedDict

import pytest

import maas
from maas.endpoint_spec import spec_of

ROW = maas.Tensor("float32", [3])


def refused(words: str) -> Any:
    return pytest.raises(maas.InvalidArgumentError, match=words)


def test_the_function_still_answers_as_itself_with_a_spec_recorded() -> None:
    def echo(text: str) -> str:
        return text

    decorated = maas.endpoint("/echo", max_batch_size=4, timeout_s=2)(echo)
    assert decorated("a") == "a"
    assert (decorated.__name__, decorated.__doc__) == (echo.__name__, echo.__doc__)
    spec = spec_of(decorated)
    assert spec is not None
    assert (spec.path, spec.max_batch_size, spec.timeout_s) == ("/echo", 4, 2)


def test_a_hint_that_is_defined_later_is_read_when_it_is_served() -> None:
    @maas.endpoint("/x")
    def handler(x: "Later") -> int:  # type: ignore[name-defined]  # noqa: F821
        return int(x)

    spec = spec_of(handler)
    assert spec is not None
    with refused("names 'Later', which is not defined"):
        spec.signature()


def test_hints_as_text_may_name_what_is_local() -> None:
    class Local(TypedDict):
        a: int

    @maas.endpoint("/x")
    def handler(x: "Local") -> int:
        return x["a"]

    spec = spec_of(handler)
    assert spec is not None
    assert spec.signature().parameters[0].name == "x"


def test_one_function_is_one_endpoint() -> None:
    @maas.endpoint("/a")
    def a(x: int) -> int:
        return x

    with refused("is an endpoint already"):
        maas.endpoint("/b")(a)
