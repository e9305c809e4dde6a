"""A served model goes where its alias goes; tests/e2e has the real process under load."""

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import maas
from maas import following
from maas.config import Settings

ROW = maas.Tensor("float32", [2])
X = np.array([[1, 2]], np.float32)


def add(file: Path) -> int:
    version: int = maas.models.add("m", file, inputs={"x": ROW}, outputs={"y": ROW}).version
    return version


@pytest.fixture
def server(tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[maas.Server]:
    monkeypatch.setenv("MAAS_HOME", str(tmp_path / "home"))
    add(models / "double.pt")
    add(models / "triple.pt")
    maas.models.promote("m", 1)
    running = maas.Server(port=0)
    running.publish(maas.load("m@champion", max_batch_size=4))
    with running:
        yield running


def answer(server: maas.Server) -> tuple[int, list[float]]:
    with maas.Client(server.url) as client:
        body = {"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}
        said = client.request("POST", "/v2/models/m/infer", {"inputs": [body]})
    return int(said["model_version"]), said["outputs"][0]["data"]


def test_it_goes_where_its_alias_goes_and_back(server: maas.Server) -> None:
    follower = following.Follower(server, 0)
    assert answer(server) == (1, [2.0, 4.0])
    assert not follower.check()
    maas.models.promote("m", 2)
    assert follower.check()
    assert answer(server) == (2, [3.0, 6.0])
    assert not follower.check()
    maas.models.rollback("m")
    warm = [loaded.cores for _, loaded in follower._warm]
    assert follower.check()
    assert answer(server) == (1, [2.0, 4.0])
    assert list(server.service.models[0]._loaded.cores.values()) == list(warm[0].values())


def test_a_handle_that_handlers_use_moves_with_it(server: maas.Server) -> None:
    handle = server.service.models[0]
    maas.models.promote("m", 2)
    following.Follower(server, 0).check()
    assert handle(X)["y"].tolist() == [[3.0, 6.0]]
    assert handle.version == 2


def test_a_version_that_does_not_run_never_serves(
    server: maas.Server, models: Path, caplog: pytest.LogCaptureFixture
) -> None:
    follower = following.Follower(server, 0)
    broken = add(models / "odd.pt")
    maas.models.promote("m", broken)
    assert not follower.check()
    assert not follower.check()
    assert answer(server) == (1, [2.0, 4.0])
    told = f"version {broken} does not serve, version 1 of m goes on: it fails on 2 rows of zeros"
    assert caplog.text.count(told) == 1
    maas.models.promote("m", 2)
    assert follower.check()
    assert answer(server) == (2, [3.0, 6.0])


def test_a_version_that_is_named_by_its_number_stays(server: maas.Server) -> None:
    fixed = maas.load("m:1", name="fixed")
    assert fixed.follows is None
    assert server.service.models[0].follows == "m@champion"


def test_a_handle_that_was_updated_by_a_file_follows_no_more(
    server: maas.Server, models: Path
) -> None:
    server.update_model(models / "triple.pt")
    assert not following.Follower(server, 0).check()
    assert answer(server) == (2, [3.0, 6.0])


def test_a_model_that_is_published_later_is_followed_too(server: maas.Server) -> None:
    other = maas.Server(port=0, settings=Settings(follow_interval_s=0.01))
    with other:
        other.publish(maas.load("m@champion"))
        maas.models.promote("m", 2)
        assert following_until(other, 2)


def test_what_was_replaced_may_be_deleted_when_it_is_warm_no_more(
    server: maas.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "SCALE_DOWN_DELAY_S", 0.0)
    follower = following.Follower(server, 0)
    with pytest.raises(maas.ConflictError):
        maas.models.delete("m", 1)
    maas.models.promote("m", 2)
    assert follower.check()
    assert not follower.check()
    maas.models.delete("m", 1)


def test_a_thread_of_its_own_looks_again_and_again(server: maas.Server) -> None:
    follower = following.Follower(server, 0.01)
    follower.watch()
    follower.watch()
    assert sum(thread.name == "maas-follow" for thread in threading.enumerate()) >= 1
    maas.models.promote("m", 2)
    assert following_until(server, 2)
    follower.stop()


def following_until(server: maas.Server, version: int) -> bool:
    for _ in range(1000):
        if answer(server)[0] == version:
            return True
        threading.Event().wait(0.01)
    return False
