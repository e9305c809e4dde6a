# SPDX-License-Identifier: Apache-2.0
import threading
from typing import Annotated, Any, TypedDict

import numpy as np
import pytest

import maas
from maas import testing


class Total(TypedDict):
    total: float


@maas.endpoint("/total")
def total(x: Annotated[np.ndarray, maas.Tensor("float32", [3])], bias: float = 0.0) -> Total:
    return {"total": float(x.sum()) + bias}


@maas.endpoint("/fail")
def fail(n: int) -> int:
    return 1 // n


def test_a_target_is_called_without_a_socket() -> None:
    with maas.TestClient(total) as client:
        assert client.call("/total", x=[1, 2, 3]) == {"total": 6.0}
        assert client.call("/total", x=np.ones(3), bias=0.5) == {"total": 3.5}
        assert client.ready()


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"x": [1, 2]}, ["body", "x"]),
        ({"x": [1, 2, "a"]}, ["body", "x"]),
        ({}, ["body", "x"]),
        ({"x": [1, 2, 3], "bias": "much"}, ["body", "bias"]),
        ({"x": [1, 2, 3], "bais": 1.0}, ["body", "bais"]),
    ],
)
def test_wrong_input_is_422_and_says_where(fields: dict[str, Any], place: list[str]) -> None:
    with maas.TestClient(total) as client, pytest.raises(maas.UnprocessableError) as caught:
        client.call("/total", **fields)
    (item,) = caught.value.detail
    assert item["loc"][:2] == place
    assert set(item) == {"loc", "msg", "type"}


def test_a_tensor_of_bytes_reaches_the_handler_in_its_shape() -> None:
    @maas.endpoint("/one")
    def one(x: Annotated[np.ndarray, maas.Tensor("bytes", [2])]) -> list[str]:
        return [item.decode() for item in x]

    @maas.endpoint("/many", max_batch_size=4)
    def many(x: Annotated[np.ndarray, maas.Tensor("bytes", [2])]) -> list[str]:
        return ["".join(item.decode() for item in row) for row in x]

    with maas.TestClient([one, many]) as client:
        assert client.call("/one", x=["a", "b"]) == ["a", "b"]
        assert client.call("/many", x=["a", "b"]) == "ab"


def test_malformed_input_is_400() -> None:
    with maas.TestClient(total) as client:
        status, _, _ = client.exchange(
            "POST", "/total", [("Content-Type", "application/json")], b'{"x": [1,'
        )
    assert status == 400


def test_a_failing_handler_is_500_with_a_request_id_and_no_traceback() -> None:
    with maas.TestClient(fail) as client, pytest.raises(maas.InternalError) as caught:
        client.call("/fail", n=0)
    assert caught.value.request_id
    assert "ZeroDivisionError" not in caught.value.message


def test_an_unknown_path_is_404() -> None:
    with maas.TestClient(total) as client, pytest.raises(maas.NotFoundError):
        client.call("/nothing")


def test_a_model_answers_by_the_protocol_too(double: maas.Model) -> None:
    with maas.TestClient(double) as client:
        found = client.infer("double", {"x": np.array([[1, 2, 3]], np.float32)})
        assert found["y"].tolist() == [[2, 4, 6]]
        assert [model["name"] for model in client.models()] == ["double"]


def test_time_stands_still_until_it_is_advanced() -> None:
    with maas.TestClient(total, manual_clock=True) as client:
        client.advance(60.0)
        assert client.call("/total", x=[1, 2, 3]) == {"total": 6.0}


def test_without_a_manual_clock_time_is_not_ours() -> None:
    with (
        maas.TestClient(total) as client,
        pytest.raises(maas.InvalidArgumentError, match="manual_clock=True"),
    ):
        client.advance(1.0)


def test_a_model_is_loaded_into_the_engine_with_the_manual_clock(double: maas.Model) -> None:
    with maas.TestClient(double, manual_clock=True) as client:
        found = client.infer("double", {"x": np.zeros((1, 3), np.float32)})
    assert found["y"].tolist() == [[0, 0, 0]]


@maas.endpoint("/held", max_batch_size=2, batch_policy="window", batch_timeout_ms=1000)
def held(n: int) -> Any:
    rows: Any = n
    return [maas.Error(409, "three") if i == 3 else [i, len(rows)] for i in rows]


def test_a_submitted_call_is_answered_when_its_time_has_come() -> None:
    with maas.TestClient(held, manual_clock=True) as client:
        call = client.submit("/held", n=1)
        client.settle()
        done = [call.done]
        for seconds in (0.999, 0.001):
            client.advance(seconds)
            done.append(call.done)
        assert done == [False, False, True]
        assert call.result() == [1, 1]


def test_submitted_calls_share_a_batch_and_raise_what_call_raises() -> None:
    with maas.TestClient(held, manual_clock=True) as client:
        good, bad = client.submit("/held", n=1), client.submit("/held", n=3)
        assert good.result() == [1, 2]
        with pytest.raises(maas.AlreadyExistsError, match="three"):
            bad.result()


def test_a_result_that_needs_time_to_pass_says_so_instead_of_waiting_for_ever() -> None:
    with maas.TestClient(held, manual_clock=True) as client:
        call = client.submit("/held", n=1)
        with pytest.raises(maas.InvalidArgumentError, match=r"use advance\(seconds\) first"):
            call.result()
        client.advance(1)
        assert call.result() == [1, 1]


def test_a_cancelled_call_is_in_no_batch() -> None:
    with maas.TestClient(held, manual_clock=True) as client:
        left, stays = client.submit("/held", n=1), client.submit("/held", n=2)
        both = left.result(), stays.result()
        assert both == ([1, 2], [2, 2])
        left = client.submit("/held", n=1)
        left.cancel()
        stays = client.submit("/held", n=2)
        client.advance(1)
        assert stays.result() == [2, 1]
        with pytest.raises(maas.CancelledError):
            left.result()


def test_a_call_is_submitted_without_a_manual_clock_too() -> None:
    with maas.TestClient(total) as client:
        assert client.submit("/total", x=[1, 2, 3]).result() == {"total": 6.0}
        with pytest.raises(maas.InvalidArgumentError, match="manual_clock=True"):
            client.settle()


def test_settling_tells_when_a_handler_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on = threading.Event()

    @maas.endpoint("/waits")
    def waits(n: int) -> int:
        goes_on.wait(10)
        return n

    monkeypatch.setattr(testing, "PATIENCE_S", 0.01)
    with maas.TestClient(waits, manual_clock=True) as client:
        call = client.submit("/waits", n=1)
        with pytest.raises(maas.DeadlineExceededError, match=r"still runs after 0\.01 s"):
            client.settle()
        goes_on.set()
        monkeypatch.undo()
        assert call.result() == 1
