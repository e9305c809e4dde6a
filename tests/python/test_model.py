# SPDX-License-Identifier: Apache-2.0
import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import maas

ROW = maas.Tensor("float32", [3])
X = np.array([[1, 2, 3]], np.float32)


def test_a_call_outside_a_loop_gives_the_outputs_by_name(double: maas.Model) -> None:
    assert double(X)["y"].tolist() == [[2, 4, 6]]
    assert double(x=X)["y"].tolist() == [[2, 4, 6]]


def test_a_call_inside_a_loop_is_awaited(double: maas.Model) -> None:
    async def both() -> Any:
        return await asyncio.gather(double(X), double(x=X * 2))

    first, second = asyncio.run(both())
    assert (first["y"].tolist(), second["y"].tolist()) == ([[2, 4, 6]], [[4, 8, 12]])


def test_run_waits_also_inside_a_loop(double: maas.Model) -> None:
    async def scenario() -> Any:
        return double.run(X)

    assert asyncio.run(scenario())["y"].tolist() == [[2, 4, 6]]


def test_a_model_of_two_inputs_and_outputs(models: Path) -> None:
    pair = maas.load(
        str(models / "pair.pt"),
        inputs={"a": ROW, "b": ROW},
        outputs={"sum": ROW, "difference": ROW},
    )
    found = pair(b=X, a=X * 3)
    assert found["sum"].tolist() == [[4, 8, 12]]
    assert found["difference"].tolist() == [[2, 4, 6]]


def test_a_handle_tells_what_it_is(double: maas.Model) -> None:
    assert (double.name, double.version) == ("double", 1)
    assert double.inputs == {"x": ROW}
    assert double.outputs == {"y": ROW}
    assert "double" in repr(double)


def test_the_name_is_that_of_the_file_unless_given(models: Path) -> None:
    assert maas.load(str(models / "double.pt")).name == "double"
    assert maas.load(models / "double.pt", name="twice").name == "twice"


def test_a_wrong_shape_is_an_error_of_the_caller(double: maas.Model) -> None:
    with pytest.raises(maas.InvalidArgumentError, match="no leading dimension of rows"):
        double(X[0])
    with pytest.raises(maas.Error, match="shape"):
        double(np.zeros((1, 5), np.float32))


def test_an_error_of_the_core_reaches_the_awaiting_handler(double: maas.Model) -> None:
    async def scenario() -> Any:
        return await double(np.zeros((1, 5), np.float32))

    with pytest.raises(maas.Error, match="shape"):
        asyncio.run(scenario())


def test_an_answer_that_nobody_waits_for_any_more_is_dropped(double: maas.Model) -> None:
    async def scenario() -> Any:
        double(X).cancel()
        return await double(X)

    assert asyncio.run(scenario())["y"].tolist() == [[2, 4, 6]]


def test_a_path_is_found_beside_the_file_that_calls(models: Path, tmp_path: Path) -> None:
    (tmp_path / "near.pt").write_bytes((models / "double.pt").read_bytes())
    names: dict[str, Any] = {"__file__": str(tmp_path / "app.py")}
    exec("import maas; net = maas.load('near.pt')", names)
    assert names["net"].name == "near"


def test_a_missing_file_says_where_it_was_looked_for(models: Path) -> None:
    with pytest.raises(maas.NotFoundError, match=r"'gone\.pt' was not found in .*check the path"):
        maas.load("gone.pt")
    with pytest.raises(maas.NotFoundError, match=r"did you mean 'double\.pt'"):
        maas.load(str(models / "duoble.pt"))


def test_a_file_that_is_no_model_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "bad.pt").write_bytes(b"not a model")
    with pytest.raises(maas.Error, match=r"bad\.pt"):
        maas.load(str(tmp_path / "bad.pt"))


def test_a_folder_is_no_model_file(tmp_path: Path) -> None:
    with pytest.raises(maas.InvalidArgumentError, match="is a folder"):
        maas.load(str(tmp_path))


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ({"name": ""}, "model name ''"),
        ({"name": "a/b"}, "model name 'a/b'"),
        ({"max_batch_size": 0}, "max_batch_size is a whole number"),
        ({"executors": True}, "executors is a whole number"),
        ({"batch_timeout_ms": -1}, "batch_timeout_ms is a number"),
        ({"inputs": {}}, "inputs maps names to tensors"),
        ({"inputs": {"x": "float32"}}, r"inputs\['x'\] is a maas.Tensor"),
        (
            {"outputs": {"y": maas.Tensor("float32", [3], optional=True)}},
            r"outputs\['y'\] is optional, which only an input can be",
        ),
        ({"outputs": [ROW]}, "outputs maps names to tensors"),
        ({"batch_dim": False, "max_batch_size": 2}, "has no batch dimension"),
    ],
)
def test_a_wrong_option_names_model_and_option(
    models: Path, option: dict[str, Any], words: str
) -> None:
    with pytest.raises(maas.InvalidArgumentError, match=words):
        maas.load(str(models / "double.pt"), **option)


def test_replacing_makes_the_next_version(models: Path, double: maas.Model) -> None:

    double.replace(str(models / "triple.pt"))
    assert double.version == 2
    assert double(X)["y"].tolist() == [[3, 6, 9]]


def test_statistics_count_what_ran(double: maas.Model) -> None:
    before = double.stats
    double(X)
    assert double.stats != before


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_handlers_call_has_the_deadline_of_the_request(models: Path, asynchronous: bool) -> None:
    # A window never holds a request beyond its deadline: of the handler's request 2 s are left, of
    # a call on nobody's behalf 30 s.
    held = maas.load(
        str(models / "double.pt"),
        name="held",
        inputs={"x": ROW},
        outputs={"y": ROW},
        max_batch_size=8,
        batch_policy="window",
        batch_timeout_ms=20_000,
    )

    @maas.endpoint("/plain", timeout_s=2)
    def plain() -> float:
        return float(held(X)["y"][0, 0])

    @maas.endpoint("/coroutine", timeout_s=2)
    async def coroutine() -> float:
        return float((await held(X))["y"][0, 0])

    with maas.TestClient([plain, coroutine]) as client:
        assert client.call("/coroutine" if asynchronous else "/plain") == 2


def test_under_a_clock_that_a_test_holds_calls_have_their_own_deadline(double: maas.Model) -> None:
    @maas.endpoint("/double", timeout_s=1)
    def twice() -> float:
        return float(double(X)["y"][0, 0])

    with maas.TestClient(twice, manual_clock=True) as client:
        assert client.call("/double") == 2
