# SPDX-License-Identifier: Apache-2.0
import asyncio
from typing import Any

import numpy as np
import pytest

import maas
from maas import arrays, calls, engine

ROWS = np.ones((2, 3), np.float32)


def inputs(model: maas.Model) -> tuple[Any, Any]:
    core = model.core(engine.default())
    return core, arrays.inputs_of(core, (ROWS,), {})


def test_a_call_waits_for_the_outputs(double: maas.Model) -> None:
    core, given = inputs(double)
    (output,) = calls.run(core, given, 10.0)
    np.testing.assert_array_equal(np.from_dlpack(output), 2 * ROWS)


def test_a_submitted_call_is_awaited(double: maas.Model) -> None:
    core, given = inputs(double)

    async def ask() -> Any:
        loop = calls.running_loop()
        assert loop is asyncio.get_running_loop()
        return await calls.submit(loop, core, given, 10.0, len)

    assert asyncio.run(ask()) == 1
    assert calls.running_loop() is None


def test_an_error_of_what_reads_the_outputs_is_the_callers(double: maas.Model) -> None:
    core, given = inputs(double)

    async def ask() -> Any:
        return await calls.submit(asyncio.get_running_loop(), core, given, 10.0, lambda _: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        asyncio.run(ask())


def test_a_local_call_is_known_only_while_somebody_waits(double: maas.Model) -> None:
    core, given = inputs(double)
    local = calls.LocalCall({"x": 1})
    assert calls.waiting(local.number) is None
    calls.run(core, given, 10.0, local)
    assert calls.waiting(local.number) is None


def test_a_refused_call_is_forgotten(double: maas.Model) -> None:
    core, _ = inputs(double)
    local = calls.LocalCall({"x": 1})
    wrong = arrays.inputs_of(core, (np.ones((2, 3), np.float32),), {})
    with pytest.raises(maas.Error):
        calls.run(core, wrong * 2, 10.0, local)
    assert calls.waiting(local.number) is None


def test_a_call_that_cannot_even_be_submitted_is_forgotten(double: maas.Model) -> None:
    core, _ = inputs(double)
    local = calls.LocalCall({"x": 1})

    async def ask() -> None:
        wrong: Any = ["no tensor"]
        await calls.submit(asyncio.get_running_loop(), core, wrong, 10.0, len, local)

    with pytest.raises(TypeError):
        asyncio.run(ask())
    assert calls.waiting(local.number) is None
