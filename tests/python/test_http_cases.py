# SPDX-License-Identifier: Apache-2.0
"""Every request of tests/data/http_cases, by raw sockets, against a real server."""

from collections.abc import Callable, Iterator

import pytest
from tests.python import http_cases
from tests.python.http_cases import SERVERS, Case, Target

FILES = ("a_framing", "b_head", "c_chunks", "d_connection", "e_names")
CASES = [case for name in FILES for case in http_cases.load(name)]


@pytest.fixture(scope="module")
def target_for() -> Iterator[Callable[[str], Target]]:
    made: dict[str, Target] = {}

    def find(name: str) -> Target:
        if name not in made:
            made[name] = Target(SERVERS[name])
        return made[name]

    yield find
    for target in made.values():
        target.stop()


@pytest.mark.parametrize("case", CASES, ids=http_cases.label)
def test_a_request_is_answered_as_its_row_says(
    case: Case, target_for: Callable[[str], Target]
) -> None:
    target_for(case.get("server", "default")).run(case)


def test_no_two_cases_share_a_name() -> None:
    names = [(name, case["name"]) for name in http_cases.names() for case in http_cases.load(name)]
    assert len(names) == len(set(names))
