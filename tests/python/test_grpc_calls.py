"""Heads, trailers and statuses of calls over gRPC."""

from typing import Any

import pytest

from maas import grpc_calls


class Context:
    """What `grpcio` tells of a call."""

    def __init__(self, metadata: list[tuple[str, Any]], left: float | None) -> None:
        self._metadata, self._left = metadata, left

    def invocation_metadata(self) -> list[tuple[str, Any]]:
        return self._metadata

    def time_remaining(self) -> float | None:
        return self._left


def test_metadata_are_header_fields_and_the_time_left_is_one() -> None:
    context = Context([("x-request-id", "7"), ("trace-bin", b"\xff"), ("content-type", "x")], 1.5)
    headers = grpc_calls.headers_of(context)
    assert headers == [
        ("x-request-id", "7"),
        ("content-type", "x"),
        ("x-request-timeout-ms", "1500.000"),
    ]
    assert grpc_calls.infer_headers_of(context)[0] == ("content-type", "application/proto")
    assert ("content-type", "x") not in grpc_calls.infer_headers_of(context)


@pytest.mark.parametrize(("left", "expected"), [(None, None), (1e9, None), (-1.0, "0.001")])
def test_a_deadline_is_told_when_there_is_one(left: float | None, expected: str | None) -> None:
    headers = dict(grpc_calls.headers_of(Context([], left)))
    assert headers.get("x-request-timeout-ms") == expected


def test_trailers_tell_the_id_and_when_to_come_again() -> None:
    assert grpc_calls.trailers_of([("X-Request-Id", "7"), ("Retry-After", "2"), ("A", "b")]) == (
        ("x-request-id", "7"),
        ("grpc-retry-pushback-ms", "2000"),
    )
    assert grpc_calls.trailers_of([]) == ()


def test_statuses_that_are_not_listed_are_by_their_class() -> None:
    assert grpc_calls.status_of(404) == "NOT_FOUND"
    assert grpc_calls.status_of(418) == "FAILED_PRECONDITION"
    assert grpc_calls.status_of(500) == "INTERNAL"
    assert grpc_calls.error_of(b'{"error":"no"}') == "no"
