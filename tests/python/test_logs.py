# SPDX-License-Identifier: Apache-2.0
import io
import json
import logging
from collections.abc import Iterator

import pytest

from maas import logs


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    before = (logs.logger.handlers[:], logs.logger.propagate, logs.logger.level)
    yield io.StringIO()
    logs.logger.handlers[:], logs.logger.propagate = before[0], before[1]
    logs.logger.setLevel(before[2])


def test_text_is_one_line_with_the_request_id(stream: io.StringIO) -> None:
    logs.configure("text", stream=stream)
    logs.core_sink(2, "queue is full", "r-1", "")
    line = stream.getvalue()
    assert line.endswith("warning queue is full [r-1]\n")
    assert line.count("\n") == 1


def test_a_newline_in_a_message_makes_no_second_line(stream: io.StringIO) -> None:
    logs.configure("text", stream=stream)
    logs.logger.info("path %s", "/x\n2026 info forged")
    assert stream.getvalue().count("\n") == 1


def test_json_is_one_object_a_record_with_the_traceback_inside(stream: io.StringIO) -> None:
    logs.configure("json", stream=stream)
    try:
        raise ValueError("boom")
    except ValueError as error:
        logs.logger.error("failed", exc_info=error, extra={"request_id": "r-2"})
    (line,) = stream.getvalue().splitlines()
    record = json.loads(line)
    assert (record["level"], record["message"], record["request_id"]) == ("error", "failed", "r-2")
    assert "ValueError: boom" in record["traceback"]


def test_a_traceback_follows_the_line_of_text(stream: io.StringIO) -> None:
    logs.configure("text", stream=stream)
    try:
        raise ValueError("boom")
    except ValueError as error:
        logs.logger.error("failed", exc_info=error)
    assert "ValueError: boom" in stream.getvalue()


def test_debug_records_are_written_only_when_asked_for(stream: io.StringIO) -> None:
    logs.configure("text", stream=stream)
    logs.core_sink(0, "detail", "", "")
    assert stream.getvalue() == ""
    logs.configure("text", debug=True, stream=stream)
    logs.core_sink(0, "detail", "", "")
    assert "debug   detail\n" in stream.getvalue()


def test_as_a_library_maas_adds_no_handler_to_the_log() -> None:
    assert logging.getLogger("maas") is logs.logger
    assert not logs.logger.handlers
