# SPDX-License-Identifier: Apache-2.0
"""Each case is run by test_conformance.py; here, that the list itself is in order."""

from maas.conformance_extensions import EXTENSIONS


def test_every_case_has_a_name_of_its_own() -> None:
    names = [item.name for item in EXTENSIONS]
    assert len(set(names)) == len(names) > 10


def test_every_case_belongs_to_an_extension() -> None:
    assert {item.extension for item in EXTENSIONS} == {
        "binary_tensor_data",
        "classification",
        "model_configuration",
        "statistics",
        "model_repository",
    }
