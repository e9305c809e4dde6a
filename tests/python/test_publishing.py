# SPDX-License-Identifier: Apache-2.0
import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest

import maas
from maas import engine, publishing
from maas.service import collect

Row = Annotated[np.ndarray, maas.Tensor("float32", [3])]
Pixels = Annotated[np.ndarray, maas.Tensor("uint8", [3])]


def prepare(*targets: Any) -> publishing.Publication:
    return publishing.prepare(collect(list(targets)), engine.default())


def native(function: Callable[..., Any], model: maas.Model, **options: Any) -> Any:
    return maas.EndpointSpec("/native", function, model=model, **options)


def refused(words: str) -> Any:
    return pytest.raises(maas.InvalidArgumentError, match=words)


def test_a_function_becomes_a_callable_of_the_core_under_its_path() -> None:
    @maas.endpoint("/echo")
    def echo(text: str) -> str:
        return text

    made = prepare(echo)
    assert list(made.callables) == ["/echo"]
    assert (len(made.endpoints), made.models) == (1, [])
    assert json.loads(made.components) == {}


def test_a_native_endpoint_brings_its_model_and_no_callable(double: maas.Model) -> None:
    def f(x: Row) -> list[float]: ...  # type: ignore[empty-body]

    made = prepare(native(f, double))
    assert made.callables == {}
    assert [model.name for model in made.models] == ["double"]


def test_a_bare_array_takes_the_spec_of_the_model(double: maas.Model) -> None:
    def f(x: np.ndarray) -> Any: ...

    client = maas.TestClient(native(f, double))
    assert client.call("/native", x=[1, 2, 3]) == [2, 4, 6]


def test_ops_before_the_model_may_change_the_dtype(double: maas.Model) -> None:
    def f(x: Pixels) -> Any: ...

    client = maas.TestClient(native(f, double, pre=(maas.ops.scale(0.5),)))
    assert client.call("/native", x=[2, 4, 6]) == [2, 4, 6]
    with refused(r"parameter 'x' is uint8\[3\], and the model's input is float32\[3\]"):
        prepare(native(f, double))


def test_the_answer_is_a_value_or_an_object(double: maas.Model) -> None:
    def f(x: Row) -> Any: ...

    best = maas.ops.top_k(1, ["a", "b", "c"])
    fields = {"best": best, "index": [maas.ops.output("y"), maas.ops.argmax()]}
    whole = maas.TestClient(native(f, double, post=best)).call("/native", x=[1, 3, 2])
    assert whole == [{"label": "b", "score": 6.0}]
    found = maas.TestClient(native(f, double, post=fields)).call("/native", x=[1, 3, 2])
    assert found == {"best": whole, "index": 1}


def test_an_output_that_the_model_lacks_is_refused(double: maas.Model) -> None:
    def f(x: Row) -> Any: ...

    with refused("model 'double' has no output 'z'; it has y"):
        prepare(native(f, double, post={"z": [maas.ops.output("z")]}))


def test_a_model_of_several_outputs_needs_one_to_be_named(models: Path) -> None:
    row = maas.Tensor("float32", [3])
    pair = maas.load(
        str(models / "pair.pt"), inputs={"a": row, "b": row}, outputs={"sum": row, "less": row}
    )

    def f(a: Row, b: Row) -> Any: ...

    with refused(r"has the outputs less, sum; start each chain.*output\('sum'\)"):
        prepare(native(f, pair))


def test_parameters_and_inputs_have_the_same_names(double: maas.Model) -> None:
    def f(image: Row) -> Any: ...

    with refused(r"parameters image, and model 'double' has the inputs x"):
        prepare(native(f, double))


def test_a_native_endpoint_takes_arrays_alone(double: maas.Model) -> None:
    def f(x: str) -> Any: ...

    with refused("parameter 'x' is no array"):
        prepare(native(f, double))


def test_inputs_may_stand_in_any_order(models: Path) -> None:
    row = maas.Tensor("float32", [3])
    pair = maas.load(
        str(models / "pair.pt"), inputs={"a": row, "b": row}, outputs={"sum": row, "less": row}
    )

    def f(b: Row, a: Row) -> Any: ...

    client = maas.TestClient(native(f, pair, post={"less": [maas.ops.output("less")]}))
    assert client.call("/native", a=[3, 3, 3], b=[1, 1, 1]) == {"less": [2, 2, 2]}


def test_nothing_is_made_when_one_endpoint_is_wrong() -> None:
    @maas.endpoint("/good")
    def good(n: int) -> int:
        return n

    @maas.endpoint("/bad")
    def bad(n: "Missing") -> int:  # type: ignore[name-defined]  # noqa: F821
        return int(n)

    with refused("'Missing', which is not defined"):
        prepare(good, bad)
