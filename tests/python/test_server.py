# SPDX-License-Identifier: Apache-2.0
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import maas

ROW = maas.Tensor("float32", [3])
X = {"x": np.array([[1, 2, 3]], np.float32)}


@maas.endpoint("/echo")
def echo(text: str) -> str:
    return text


@pytest.fixture
def server() -> Iterator[maas.Server]:
    with maas.Server(port=0) as running:
        yield running


def test_ctrl_c_stops_a_server_that_is_waited_for(
    server: maas.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt() -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(server._stopped, "wait", interrupt)
    server.wait()
    assert not maas.Client(server.url).ready()


def test_before_anything_is_served_there_are_no_statistics() -> None:
    assert maas.Server(port=0).stats == {}


def test_a_port_in_use_names_it() -> None:
    with (
        maas.serve(echo, port=0, blocking=False) as running,
        pytest.raises(maas.Error, match=str(running.port)),
    ):
        maas.Server(port=running.port).start()


def test_models_are_loaded_into_and_updated_in_a_running_server(
    server: maas.Server, models: Path
) -> None:
    made = server.load_model(
        str(models / "double.pt"), name="net", inputs={"x": ROW}, outputs={"y": ROW}
    )
    with maas.Client(server.url) as client:
        assert client.infer("net", X)["y"].tolist() == [[2, 4, 6]]
        updated = server.update_model(str(models / "triple.pt"))
        assert updated is made
        assert updated.version == 2
        assert client.infer("net", X)["y"].tolist() == [[3, 6, 9]]


def test_a_loaded_model_stays_when_the_target_is_swapped(server: maas.Server, models: Path) -> None:
    server.load_model(str(models / "double.pt"), inputs={"x": ROW}, outputs={"y": ROW})
    server.publish(echo)
    with maas.Client(server.url) as client:
        assert client.infer("double", X)["y"].tolist() == [[2, 4, 6]]
        assert client.call("/echo", text="hi") == "hi"


def test_a_model_to_update_is_named_when_there_are_several(
    server: maas.Server, models: Path
) -> None:
    path = str(models / "double.pt")
    with pytest.raises(maas.InvalidArgumentError, match=r"say which model.*served: none"):
        server.update_model(path)
    server.load_model(path, name="a")
    server.load_model(path, name="b")
    with pytest.raises(maas.InvalidArgumentError, match="served: a, b"):
        server.update_model(path)
    with pytest.raises(maas.NotFoundError, match="no model 'c' is served"):
        server.update_model(path, name="c")


def test_what_is_wrong_is_not_swapped_in(server: maas.Server) -> None:
    server.publish(echo)
    with pytest.raises(maas.TargetError):
        server.publish(3)
    with maas.Client(server.url) as client:
        assert client.call("/echo", text="hi") == "hi"


def test_the_documentation_is_a_page_without_foreign_parts(server: maas.Server) -> None:
    server.publish(echo)
    with maas.Client(server.url) as client:
        page = client.request("GET", "/docs").decode()
        description = client.request("GET", "/openapi.json")
    assert "/echo" in description["paths"]
    assert "innerHTML" not in page
    assert "https://" not in page


def test_the_address_of_a_server_can_be_called(server: maas.Server) -> None:
    assert server.url == f"http://127.0.0.1:{server.port}"
    assert server.url in repr(server)
    assert server.budget
