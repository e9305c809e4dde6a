# SPDX-License-Identifier: Apache-2.0
import io
import json
import logging
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import worker_handlers as handlers
from PIL import Image

import maas
from maas import engine, workers
from maas.service import collect

HERE = os.getpid()


@pytest.fixture
def client(request: pytest.FixtureRequest) -> Iterator[maas.TestClient]:
    with maas.TestClient(request.param) as made:
        yield made


def serves(*targets: Any) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("client", [list(targets)], indirect=True)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(condition: Any, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


@serves(handlers.who)
def test_a_handler_runs_in_processes_of_this_one(client: maas.TestClient) -> None:
    answer = client.call("/who", text="é")
    assert answer["text"] == "é"
    assert (answer["parent"], answer["folder"]) == (HERE, str(Path.cwd()))
    pids = client.server.stats["/who"]["workers"]["pids"]
    assert answer["pid"] in pids
    assert len(pids) == 2
    assert HERE not in pids


def test_no_process_is_left_behind() -> None:
    with maas.TestClient(handlers.who) as client:
        pids = client.server.stats["/who"]["workers"]["pids"]
        assert all(map(is_alive, pids))
    assert not any(map(is_alive, pids))


@serves(handlers.rows)
def test_tensors_and_batches_reach_it(client: maas.TestClient) -> None:
    calls = [client.submit("/rows", x=[i, 1, 1]) for i in range(20)]
    assert [call.result() for call in calls] == [i + 2 for i in range(20)]
    with pytest.raises(maas.UnprocessableError):
        client.call("/rows", x=[1, 2])


@serves(handlers.total, handlers.rows, handlers.who)
def test_a_handler_calls_endpoints_that_run_in_workers(client: maas.TestClient) -> None:
    answer = client.call("/total", x=[1, 2, 3], text="a")
    assert answer["sum"] == 6
    assert answer["pid"] in client.server.stats["/who"]["workers"]["pids"]


@serves(handlers.from_worker)
def test_in_a_worker_an_endpoint_runs_with_a_batch_of_one(client: maas.TestClient) -> None:
    assert client.call("/from_worker", x=[1, 2, 3]) == [6, True]


@serves(handlers.later)
def test_coroutines_of_one_worker_wait_together(
    client: maas.TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    start = time.monotonic()
    with caplog.at_level(logging.INFO, "maas"):
        calls = [client.submit("/later", seconds=0.2) for _ in range(50)]
        ids = {call.result() for call in calls}
    assert time.monotonic() - start < 50 * 0.2
    assert len(ids) == 50
    logged = {record.request_id for record in caplog.records if "slept" in record.getMessage()}  # type: ignore[attr-defined] # ours have one
    assert logged == ids


@serves(handlers.until_cancelled)
def test_cancellation_reaches_it(client: maas.TestClient, tmp_path: Path) -> None:
    file = tmp_path / "file"
    call = client.submit("/until_cancelled", file=str(file))
    wait_until(lambda: file.exists() and "started" in file.read_text())
    call.cancel()
    wait_until(lambda: "cancelled" in file.read_text())
    assert client.server.stats["/until_cancelled"]["workers"]["deaths"] == 0


@serves(handlers.fail)
def test_errors_are_as_in_process(
    client: maas.TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(maas.Error, match="a teapot") as caught:
        client.call("/fail", text="maas")
    assert caught.value.status == 418
    with pytest.raises(maas.InternalError, match=r"^internal error$") as internal:
        client.call("/fail", text="a reason")
    (record,) = [r for r in caplog.records if "a reason" in r.getMessage()]
    assert record.request_id == internal.value.request_id  # type: ignore[attr-defined] # ours have one
    assert "raise ValueError(text)" in record.trace  # type: ignore[attr-defined] # ours have one


@serves(handlers.end, handlers.who)
def test_a_worker_that_dies_fails_its_request_alone(client: maas.TestClient) -> None:
    with pytest.raises(maas.UnavailableError, match=r"signal 11 \(Segmentation fault\); try again"):
        client.call("/end", number=11)
    assert client.call("/who", text="x")["text"] == "x"
    wait_until(lambda: client.server.stats["/end"]["workers"]["live"] == 1)


@serves(handlers.end)
def test_what_ended_a_worker_twice_is_refused(client: maas.TestClient) -> None:
    for _ in range(2):
        with pytest.raises(maas.UnavailableError):
            client.call("/end", number=6)
    with pytest.raises(maas.UnprocessableError, match="ended its worker process 2 times"):
        client.call("/end", number=6)


@serves(handlers.end)
def test_five_deaths_make_it_unavailable(
    client: maas.TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    for number in (4, 6, 8, 11, 7):
        with pytest.raises(maas.UnavailableError):
            client.call("/end", number=number)
    with pytest.raises(maas.OverloadedError, match="its worker processes died 5 times within 60 s"):
        client.call("/end", number=0)
    status, _, body = client.exchange("GET", "/readyz", [], b"")
    assert status == 503
    assert b"endpoint /end is unavailable" in body
    _, _, metrics = client.exchange("GET", "/metrics", [], b"")
    assert b'maas_workers_unavailable{model="/end",version="1"} 1\n' in metrics
    assert b'maas_worker_deaths_total{model="/end",version="1"} 5\n' in metrics
    assert any("ALARM" in r.getMessage() and r.levelname == "ERROR" for r in caplog.records)


@serves(handlers.end_again)
def test_an_idempotent_request_runs_again(client: maas.TestClient, tmp_path: Path) -> None:
    assert client.call("/end_again", file=str(tmp_path / "file")) == "survived"
    assert client.server.stats["/end_again"]["workers"]["retries"] == 1


@serves(handlers.poison)
def test_the_culprit_of_a_batch_is_found_and_its_neighbours_are_answered(
    client: maas.TestClient,
) -> None:
    calls = [client.submit("/poison", text=t) for t in ("a", "b", "poison", "c")]
    assert [calls[i].result() for i in (0, 1, 3)] == ["a", "b", "c"]
    with pytest.raises(maas.UnavailableError):
        calls[2].result()
    assert not client.server.stats["/poison"]["workers"]["unavailable"]


@serves(handlers.Counting)
def test_a_service_is_set_up_once_in_each_of_its_processes(client: maas.TestClient) -> None:
    pids = set(client.server.stats["/count"]["workers"]["pids"])
    assert set(client.server.stats["/setups"]["workers"]["pids"]) == pids
    for _ in range(5):
        pid, made, _ = client.call("/count")
        assert pid in pids
        assert made == 1
        assert client.call("/setups")[1] == 1
    assert handlers.Counting.made == 0


def test_a_service_is_torn_down_in_each_of_its_processes(caplog: pytest.LogCaptureFixture) -> None:
    with maas.TestClient(handlers.Counting) as client:
        client.call("/count")
    told = sorted(r.getMessage() for r in caplog.records if "torn down" in r.getMessage())
    assert told == ["torn down after 0 calls", "torn down after 1 calls"]


def test_publishing_again_replaces_the_processes() -> None:
    with maas.TestClient(handlers.who) as client:
        before = client.server.stats["/who"]["workers"]["pids"]
        client.server.publish(handlers.who)
        after = client.server.stats["/who"]["workers"]["pids"]
        assert not set(before) & set(after)
        wait_until(lambda: not any(map(is_alive, before)))
        assert client.call("/who", text="x")["pid"] in after


def test_a_module_that_cannot_be_imported_is_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "half_broken.py"
    file.write_text(
        "import maas\n\n@maas.endpoint('/x', workers=1)\ndef x() -> int:\n    return 1\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import half_broken  # type: ignore[import-not-found] # written above

    file.write_text("raise RuntimeError('no licence')\n")
    with pytest.raises(maas.InvalidArgumentError, match=r"RuntimeError: no licence \(.*:1\)"):
        maas.TestClient(half_broken.x)


def test_a_handler_that_a_worker_cannot_find_is_refused() -> None:
    @maas.endpoint("/local", workers=1)
    def local() -> int:
        return 1

    with pytest.raises(maas.InvalidArgumentError, match="at the top level"):
        maas.TestClient(local)


def test_an_instance_of_a_service_with_workers_is_refused() -> None:
    with pytest.raises(maas.TargetError, match="serve the class"):
        collect(handlers.Counting())


def test_wrong_use_is_refused_where_it_is_written(double: maas.Model) -> None:
    def refused(words: str) -> Any:
        return pytest.raises(maas.InvalidArgumentError, match=words)

    def f() -> int:
        return 1

    with refused("workers is a whole number of at least 0"):
        maas.endpoint("/f", workers=-1)(f)
    with refused("idempotent is True or False"):
        maas.endpoint("/f", idempotent=1)(f)  # type: ignore[arg-type] # that is the test
    with refused("remove max_concurrency"):
        maas.endpoint("/f", workers=1, max_concurrency=2)(f)
    with refused("write @maas.service"):

        @maas.service
        class Wrong:
            @maas.endpoint("/f", workers=2)
            def f(self) -> int:
                return 1


def test_workers_share_the_cores() -> None:
    with maas.TestClient(handlers.who) as client:
        assert client.call("/who", text="x")
    found = workers._cores_each(10**6)
    assert found == 1
    assert workers._cores_each(1) == (
        engine.current_settings().cores or len(os.sched_getaffinity(0))
    )


@serves(handlers.who)
def test_two_workers_answer_at_the_same_time(client: maas.TestClient) -> None:
    seen: set[int] = set()

    def ask() -> None:
        for _ in range(50):
            seen.add(client.call("/who", text="x")["pid"])

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 2


@serves(handlers.asked)
def test_a_worker_sees_the_head_of_the_request(client: maas.TestClient) -> None:
    headers = [("Content-Type", "application/json"), ("X-Agent", "tester")]
    status, _, body = client.exchange("POST", "/asked?n=1", headers, b'{"text": "hi"}')
    assert status == 200
    answer = json.loads(body)
    assert (answer["text"], answer["agent"], answer["path"]) == ("hi", "tester", "/asked?n=1")
    assert answer["pid"] != HERE


@serves(handlers.smaller)
@pytest.mark.parametrize(("accept", "form"), [("image/png", "PNG"), ("image/jpeg", "JPEG")])
def test_an_image_goes_to_a_worker_and_comes_back_in_the_form_asked_for(
    client: maas.TestClient, accept: str, form: str
) -> None:
    sent = io.BytesIO()
    Image.new("RGB", (8, 6), "red").save(sent, "PNG")
    headers = [("Content-Type", "image/png"), ("Accept", accept)]
    status, about, body = client.exchange("POST", "/smaller", headers, sent.getvalue())
    assert (status, dict(about)["Content-Type"]) == (200, accept)
    answer = Image.open(io.BytesIO(body))
    assert (answer.format, answer.size) == (form, (4, 3))
