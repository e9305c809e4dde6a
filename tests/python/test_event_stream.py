# SPDX-License-Identifier: Apache-2.0
from collections.abc import Generator
from typing import Any

import pytest

import maas
from maas import event_stream

SSE, NDJSON = "text/event-stream", "application/x-ndjson"


def chunks(text: str, size: int, aborted: bool = False) -> Generator[bytes]:
    data = text.encode()
    for start in range(0, len(data), size):
        yield data[start : start + size]
    if aborted:
        raise maas.UnavailableError("cut off")


def items(kind: str, text: str, size: int = 7, aborted: bool = False) -> list[Any]:
    return list(event_stream.Items(kind, chunks(text, size, aborted)))


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_events_are_read_however_their_bytes_are_cut(size: int) -> None:
    text = ':\n\nid: 0\ndata: "ä"\n\nevent: item\ndata: {"a":\ndata: 1}\r\n\r\ndata:2\n\n'
    assert items(SSE, text, size) == ["ä", {"a": 1}, 2]


def test_an_error_event_raises_the_error_of_its_status() -> None:
    text = (
        'data: 1\n\nevent: error\ndata: {"error":"no","status":422,"request_id":"r",'
        '"detail":[{"loc":["body"],"msg":"no","type":"t"}]}\n\n'
    )
    found = event_stream.Items(SSE, chunks(text, 9))
    assert next(found) == 1
    with pytest.raises(maas.UnprocessableError, match="no") as raised:
        next(found)
    assert raised.value.request_id == "r"
    assert raised.value.detail[0]["type"] == "t"


def test_lines_are_items_and_blank_ones_are_none() -> None:
    assert items(NDJSON, '1\n  {"a":2}\n\n"x"') == [1, {"a": 2}, "x"]


def test_a_last_line_that_looks_like_a_failure_is_one_only_if_the_answer_was_cut_off() -> None:
    line = '{"error":"late","status":504,"request_id":"r"}\n'
    assert items(NDJSON, "1\n" + line)[1]["error"] == "late"
    with pytest.raises(maas.DeadlineExceededError, match="late"):
        items(NDJSON, "1\n" + line, aborted=True)
    with pytest.raises(maas.UnavailableError, match="cut off"):
        items(NDJSON, "1\n", aborted=True)


def test_an_answer_that_is_no_stream_says_so_and_is_closed() -> None:
    body = chunks("[]", 1)
    with pytest.raises(maas.InvalidArgumentError, match="use call"):
        event_stream.Items("application/json", body)
    assert list(body) == []


def test_closing_the_items_closes_what_they_come_from() -> None:
    closed = []

    def body() -> Generator[bytes]:
        try:
            yield b"data: 1\n\n"
            yield b"data: 2\n\n"
        finally:
            closed.append(True)

    found = event_stream.Items(SSE + "; charset=utf-8", body())
    assert next(found) == 1
    found.close()
    assert closed == [True]
