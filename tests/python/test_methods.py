# SPDX-License-Identifier: Apache-2.0
import inspect
from typing import Any

import numpy as np
import pytest

import maas
from maas import methods


@maas.endpoint("/image/scale")
def scale(x: np.ndarray[Any, Any], factor: float = 2.0, note: str | None = None) -> Any:
    """Makes it larger.

    And says so.
    """
    return [(x * factor).tolist(), note]


def test_endpoints_are_methods_with_their_parameters() -> None:
    with maas.TestClient(scale) as client:
        made = client.endpoints.image_scale
        assert str(inspect.signature(made)) == "(x, factor=2.0, note=None)"
        assert made.__doc__ == "Makes it larger.\n\nAnd says so."
        assert dir(client.endpoints) == ["image_scale"]
        assert made(np.ones(2)) == [[2.0, 2.0], None]
        assert made([1], note="n", factor=3) == [[3.0], "n"]


def test_wrong_parameters_are_told_before_anything_is_sent() -> None:
    with maas.TestClient(scale) as client:
        for arguments in ((), (1, 2, 3, 4)):
            with pytest.raises(TypeError):
                client.endpoints.image_scale(*arguments)
        with pytest.raises(TypeError, match="facter"):
            client.endpoints.image_scale([1], facter=1)


def test_an_unknown_endpoint_has_a_suggestion() -> None:
    with maas.TestClient(scale) as client, pytest.raises(maas.InvalidArgumentError) as raised:
        client.endpoints.image_scal([1])
    assert "did you mean 'image_scale'" in str(raised.value)


def test_the_servers_own_operations_are_no_endpoints() -> None:
    with maas.TestClient(scale) as client:
        assert list(client.operations()) == ["/image/scale"]


def test_what_takes_a_form_is_read_from_the_operation() -> None:
    def operation(*kinds: str) -> dict[str, Any]:
        return {"requestBody": {"content": {kind: {} for kind in kinds}}}

    assert methods.takes_form(operation("application/json", "multipart/form-data"))
    assert not methods.takes_form(operation("application/json"))
    assert not methods.takes_form(None)
