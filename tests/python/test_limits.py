# SPDX-License-Identifier: Apache-2.0
"""The limits of the core are settings, with the same defaults, and stand in the documentation."""

import pytest

import limits_page
import maas
from maas import _core, config


def test_each_limit_is_a_setting_with_the_same_default() -> None:
    for name, default, *_ in _core.limits():
        assert config.SCALARS[name].default == default


def test_the_page_of_limits_is_the_cores_table() -> None:
    shown = limits_page.PAGE.read_text(encoding="utf-8")
    assert shown == limits_page.page(), "run: python scripts/limits_page.py"


def test_a_limit_out_of_bounds_is_refused_by_its_name() -> None:
    settings = config.Settings(max_header_bytes=1 << 30)
    with pytest.raises(maas.InvalidArgumentError, match="max_header_bytes is from 512 to 1048576"):
        maas.Server(port=0, settings=settings)
