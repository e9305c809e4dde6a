# SPDX-License-Identifier: Apache-2.0
import asyncio
import json
import logging
import threading
from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import maas
from maas import _core, handler, images

TWOS = [{"loc": ["body"], "msg": "no twos", "type": "value_error"}]
Row = Annotated[np.ndarray, maas.Tensor("float32", [2])]


def adapter_of(function: Callable[..., Any], **options: Any) -> handler.Adapter:
    spec = maas.EndpointSpec("/f", function, **options)
    return handler.Adapter(spec, spec.signature())


def run(function: Callable[..., Any], *columns: Any, **options: Any) -> list[Any]:
    ids = [f"r{i}" for i in range(len(columns[0]) if isinstance(columns[0], list) else 1)]
    return handler.synchronous(adapter_of(function, **options))(columns, ids)


class Done:
    """Takes the answers of a batch that stands for no request."""

    caller = None

    def __init__(self) -> None:
        self.finished = threading.Event()
        self.answers: list[Any] = []

    def __call__(self, answers: list[Any]) -> None:
        self.answers.extend(answers)
        self.finished.set()


def run_async(function: Callable[..., Any], *columns: Any, **options: Any) -> list[Any]:
    done = Done()
    ids = [f"r{i}" for i in range(len(columns[0]))]
    handler.asynchronous(adapter_of(function, **options))(columns, ids, done)  # type: ignore[arg-type]
    assert done.finished.wait(10)
    return done.answers


def tensor(rows: list[list[float]]) -> _core.Tensor:
    return _core.Tensor.from_dlpack(np.array(rows, np.float32))


def test_a_handler_gets_its_values_and_its_result_is_encoded() -> None:
    def add(a: int, b: int = 5) -> int:
        return a + b

    assert run(add, [b"1"], [b"2"]) == [b"3"]
    assert run(add, [b"1"], [b""]) == [b"6"]


def test_a_single_row_has_no_leading_dimension() -> None:
    def double(x: Row) -> Any:
        assert x.shape == (2,)
        return x * 2

    assert run(double, tensor([[1, 2]])) == [
        _core.Tensor.from_dlpack(np.array([2, 4], np.float32)).to_json()
    ]


def test_keyword_only_parameters_are_served() -> None:
    def f(*, a: int) -> int:
        return a

    assert run(f, [b"1"]) == [b"1"]


def test_a_bad_value_is_422_and_never_reaches_the_handler() -> None:
    def never(a: int, b: int) -> int:
        raise AssertionError((a, b))

    ((code, _, _, detail),) = run(never, [b'"x"'], [b"true"])
    assert code == "unprocessable"
    assert [item["loc"] for item in json.loads(detail)] == [["body", "a"], ["body", "b"]]


def test_a_raised_error_gives_its_status_and_message() -> None:
    def f(a: int) -> int:
        raise maas.Error(418, f"{a} teapot")

    assert run(f, [b"1"]) == [("invalid_argument", 418, "1 teapot", "")]


def test_a_raised_422_has_a_detail() -> None:
    def f(a: int) -> int:
        raise maas.UnprocessableError(f"{a} is odd")

    ((_, status, _, detail),) = run(f, [b"1"])
    assert status == 422
    assert json.loads(detail) == [{"loc": ["body"], "msg": "1 is odd", "type": "value_error"}]


@pytest.mark.parametrize("error", [ValueError("secret"), SystemExit(3), KeyboardInterrupt()])
def test_any_other_exception_is_500_with_the_traceback_in_the_log_alone(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    def f(a: int) -> int:
        raise error from ValueError(a)

    assert run(f, [b"1"]) == [("internal", 0, "internal error", "")]
    (record,) = caplog.records
    assert record.exc_info is not None
    assert record.__dict__["request_id"] == "r0"


def test_a_result_without_a_json_form_is_500(caplog: pytest.LogCaptureFixture) -> None:
    def f(a: int) -> object:
        return [a, object()]

    assert run(f, [b"1"]) == [("internal", 0, "internal error", "")]
    assert "no JSON form" in caplog.text


def test_a_batched_handler_gets_rows_at_once_and_lists() -> None:
    def f(x: Row, name: str) -> list[str]:
        assert x.shape == (2, 2)
        return [f"{name[i]}{x[i].sum():g}" for i in range(2)]

    ids, columns = ["r0", "r1"], (tensor([[1, 2], [3, 4]]), [b'"a"', b'"b"'])
    answers = handler.synchronous(adapter_of(f, max_batch_size=4))(columns, ids)
    assert answers == [b'"a3"', b'"b7"']


def test_a_bad_row_is_left_out_of_the_batch_and_its_neighbours_are_answered() -> None:
    def f(x: Row, n: int) -> Any:
        assert x.shape == (2, 2)
        return x.sum(axis=1) + np.array(n)

    columns = (tensor([[1, 1], [9, 9], [2, 2]]), [b"1", b'"x"', b"3"])
    answers: list[Any] = handler.synchronous(adapter_of(f, max_batch_size=4))(
        columns, ["a", "b", "c"]
    )
    assert json.loads(answers[0]) == 3
    assert answers[1][0] == "unprocessable"
    assert json.loads(answers[2]) == 7


def test_a_batch_of_bad_rows_alone_never_reaches_the_handler() -> None:
    def never(n: int) -> Any:
        raise AssertionError(n)

    answers = run(never, [b'"x"', b"null"], max_batch_size=2)
    assert [answer[0] for answer in answers] == ["unprocessable", "unprocessable"]


def test_free_arrays_of_different_shapes_are_different_calls() -> None:
    shapes = []

    def f(x: np.ndarray) -> Any:
        shapes.append(x.shape)
        return x.sum(axis=1)

    answers = run(f, [b"[1,2]", b"[5]", b"[3,4]"], max_batch_size=4)
    assert [json.loads(answer) for answer in answers] == [3, 5, 7]
    assert shapes == [(2, 2), (1, 1)]


def test_an_item_that_is_an_error_fails_its_row_alone() -> None:
    def f(n: int) -> Any:
        return [maas.NotFoundError("none") if i == 2 else i for i in n]  # type: ignore[attr-defined]

    assert run(f, [b"1", b"2", b"3"], max_batch_size=4) == [
        b"1",
        ("not_found", 404, "none", ""),
        b"3",
    ]


def raises_for_two(n: int) -> Any:
    if 2 in n:  # type: ignore[operator] # a batched handler gets a list
        raise maas.Error(422, "no twos")
    return n


def test_rows_whose_call_raised_are_said_to_have_failed_together() -> None:
    alone = ("unprocessable", 422, "no twos", json.dumps(TWOS))
    rows = [b"1", b"2", b"3"]
    assert run(raises_for_two, rows, max_batch_size=4) == [(*alone, True)] * 3
    assert run(raises_for_two, rows[1:2], max_batch_size=4) == [alone]

    async def waits(n: int) -> Any:
        return raises_for_two(n)

    assert run_async(waits, rows, max_batch_size=4) == [(*alone, True)] * 3


@pytest.mark.parametrize(
    ("result", "words"),
    [([1], "returned 1 items for a batch of 2"), ("ab", "one str"), (5, "one int"), (None, "None")],
)
def test_a_result_of_another_length_fails_the_batch_and_says_so(
    result: Any, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    def f(n: int) -> Any:
        return result if n else None

    answers = run(f, [b"1", b"2"], max_batch_size=4)
    assert answers == [("internal", 0, "internal error", "")] * 2
    (record,) = caplog.records
    assert words in record.getMessage()
    assert "endpoint" in record.getMessage()
    assert record.__dict__["request_id"] == "r0 r1"


def test_an_async_handler_answers_from_the_loop() -> None:
    async def f(n: int) -> int:
        await asyncio.sleep(0)
        return n * 2

    assert run_async(f, [b"4"]) == [b"8"]


def test_an_async_handler_fails_like_any_other(caplog: pytest.LogCaptureFixture) -> None:
    async def f(n: int) -> int:
        if n == 1:
            raise maas.Error(409, "taken")
        raise SystemExit

    with caplog.at_level(logging.CRITICAL):
        assert run_async(f, [b"1"]) == [("already_exists", 409, "taken", "")]
        assert run_async(f, [b"2"]) == [("internal", 0, "internal error", "")]
        assert run_async(f, [b'"x"'])[0][0] == "unprocessable"
    assert run_async(f, [b"1"])[0][1] == 409, "the loop must outlive a handler that exits"


def test_an_async_handler_may_be_batched() -> None:
    async def f(n: int) -> Any:
        return [i + 1 for i in n]  # type: ignore[attr-defined]

    assert run_async(f, [b"1", b"2"], max_batch_size=2) == [b"2", b"3"]


def test_async_handlers_wait_at_the_same_time() -> None:
    async def scenario() -> None:
        barrier.set()

    barrier = asyncio.Event()

    async def first(n: int) -> int:
        await barrier.wait()
        return n

    async def second(n: int) -> int:
        await scenario()
        return n

    done = Done()
    handler.asynchronous(adapter_of(first))(([b"1"],), ["a"], done)  # type: ignore[arg-type]
    assert run_async(second, [b"2"]) == [b"2"]
    assert done.finished.wait(10)


def test_an_image_is_read_and_written_off_the_loop_that_its_handler_runs_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    threads: dict[str, str] = {}

    def noted(name: str) -> Callable[..., Any]:
        function = getattr(images, name)

        def run(*arguments: Any) -> Any:
            threads[name] = threading.current_thread().name
            return function(*arguments)

        return run

    for name in ("decode", "encode"):
        monkeypatch.setattr(images, name, noted(name))

    @maas.endpoint("/f")
    async def f(image: Image.Image) -> Image.Image:
        threads["handler"] = threading.current_thread().name
        return image

    with maas.TestClient(f) as client:
        png = client.call("/f", image=Image.new("L", (1, 1)))
        threads.clear()
        status, _, _ = client.exchange("POST", "/f", [("Content-Type", "image/png")], png)
    assert status == 200
    assert threads.pop("handler") == "maas-loop"
    assert set(threads) == {"decode", "encode"}
    assert "maas-loop" not in threads.values()


def test_a_table_for_a_batch_of_rows_is_a_mistake_in_the_code() -> None:
    def f(n: int) -> Any:
        return pd.DataFrame({"a": [1, 2]})

    assert {answer[0] for answer in run(f, [b"1", b"2"], max_batch_size=2)} == {"internal"}
