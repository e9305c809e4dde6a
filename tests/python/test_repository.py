# SPDX-License-Identifier: Apache-2.0
import gc
import json
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import maas
from maas import config, repository


def made(*target: object, **settings: Any) -> maas.Server:
    server = maas.Server(settings=config.Settings(**settings))
    server.publish(list(target))
    return server


def post(server: maas.Server, path: str, body: object = None) -> tuple[int, Any]:
    text = b"" if body is None else json.dumps(body).encode()
    status, _, answer = server.handle("POST", path, [("Content-Type", "application/json")], text)
    return status, json.loads(answer) if answer else None


def infer(server: maas.Server, name: str = "double") -> int:
    tensor = {"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]}
    return post(server, f"/v2/models/{name}/infer", {"inputs": [tensor]})[0]


def index(server: maas.Server) -> dict[str, str]:
    return {item["name"]: item["state"] for item in post(server, "/v2/repository/index")[1]}


@pytest.mark.parametrize(
    ("setting", "host", "allowed"),
    [
        ("auto", "127.0.0.1", True),
        ("auto", "::1", True),
        ("auto", "localhost", True),
        ("auto", "0.0.0.0", False),
        ("auto", "example.org", False),
        ("on", "0.0.0.0", True),
        ("off", "127.0.0.1", False),
    ],
)
def test_who_may_control_depends_on_setting_and_address(
    setting: str, host: str, allowed: bool
) -> None:
    assert repository.allows_control(setting, host) is allowed


def test_an_unloaded_model_is_unavailable_until_it_is_loaded(double: maas.Model) -> None:
    server = made(double)
    assert infer(server) == 200
    assert post(server, "/v2/repository/models/double/unload") == (200, None)
    assert infer(server) == 503
    assert index(server) == {"double": "UNAVAILABLE"}
    assert post(server, "/v2/repository/models/double/unload")[0] == 200  # again
    assert post(server, "/v2/repository/models/double/load")[0] == 200
    assert infer(server) == 200
    assert index(server) == {"double": "READY"}


def test_unloading_frees_the_model_unless_an_endpoint_uses_it(
    double: maas.Model, models: Path
) -> None:
    @maas.endpoint("/used", model=double)
    def used(x: np.ndarray) -> np.ndarray:  # type: ignore[empty-body]
        ...

    free = maas.load(str(models / "triple.pt"), name="free")
    server = made(used, free)
    cores = {item.name: item.core(server.engine) for item in (double, free)}
    for name in cores:
        assert post(server, f"/v2/repository/models/{name}/unload")[0] == 200
    assert double.core(server.engine) is cores["double"]
    assert free.core(server.engine) is not cores["free"]
    assert post(server, "/used", {"x": [1, 2, 3]}) == (200, [2, 4, 6])


def test_loading_a_loaded_model_reads_its_file_again(models: Path, tmp_path: Path) -> None:
    file = tmp_path / "model.pt"
    file.write_bytes((models / "double.pt").read_bytes())
    row = maas.Tensor("float32", [3])
    handle = maas.load(str(file), name="m", inputs={"x": row}, outputs={"y": row})
    server = made(handle)
    tensor = {"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]}

    def answer() -> Any:
        return post(server, "/v2/models/m/infer", {"inputs": [tensor]})[1]["outputs"][0]["data"]

    assert answer() == [2, 4, 6]
    file.unlink()
    file.write_bytes((models / "triple.pt").read_bytes())
    assert post(server, "/v2/repository/models/m/load")[0] == 200
    assert answer() == [3, 6, 9]
    file.unlink()
    file.write_bytes(b"broken")
    assert post(server, "/v2/repository/models/m/load")[0] >= 400
    assert answer() == [3, 6, 9]


def test_what_cannot_be_done_is_refused(double: maas.Model) -> None:
    server = made(double)
    assert post(server, "/v2/repository/models/other/load")[0] == 404
    assert post(server, "/v2/repository/models/other/unload")[0] == 404
    for parameter in ("config", "file:1/model.onnx"):
        status, answer = post(
            server, "/v2/repository/models/double/load", {"parameters": {parameter: "x"}}
        )
        assert status == 400
        assert "not supported" in answer["error"]
    assert infer(server) == 200
    off = made(double, model_control="off")
    assert post(off, "/v2/repository/models/double/unload")[0] == 403
    assert infer(off) == 200


def test_publishing_something_else_loads_everything(double: maas.Model) -> None:
    server = made(double)
    post(server, "/v2/repository/models/double/unload")
    server.publish(double)
    assert infer(server) == 200


def test_a_server_is_not_kept_by_its_control(double: maas.Model) -> None:
    server = made(double)
    gone = weakref.ref(server)
    server.stop()
    del server
    gc.collect()
    assert gone() is None
