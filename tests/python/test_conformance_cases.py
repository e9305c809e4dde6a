# SPDX-License-Identifier: Apache-2.0
"""Each case is run by test_conformance.py; here, that the list itself is in order."""

from maas.conformance_cases import CASES


def test_every_case_has_a_name_of_its_own() -> None:
    names = [item.name for item in CASES]
    assert len(set(names)) == len(names) > 50
