"""Versions are released and taken back while clients ask, in a real process."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from server_process import Process

import maas

BODY = {
    "inputs": [{"name": "image", "shape": [1, 8, 8], "datatype": "FP32", "data": [0.5] * 64}],
}
SHAPES: dict[str, Any] = {
    "inputs": {"image": maas.Tensor("float32", [8, 8])},
    "outputs": {"logits": maas.Tensor("float32", [10])},
}


class Asking:
    """Clients that ask again and again; what they were answered, by version."""

    def __init__(self, process: Process, clients: int) -> None:
        self.versions: Counter[str] = Counter()
        self.failures: list[str] = []
        self.seconds: list[float] = []
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        callers = [process.client() for _ in range(clients)]
        self._threads = [threading.Thread(target=self._ask, args=(item,)) for item in callers]
        for thread in self._threads:
            thread.start()

    def _ask(self, client: maas.Client) -> None:
        while not self._stopped.is_set():
            start = time.perf_counter()
            try:
                answer = client.request("POST", "/v2/models/digits/infer", BODY)
            except Exception as error:  # whatever a client may see is a failure
                self.failures.append(repr(error))
                continue
            with self._lock:
                self.versions[answer["model_version"]] += 1
                self.seconds.append(time.perf_counter() - start)

    def stop(self) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(60)


def wait_for_version(process: Process, version: int) -> None:
    client = process.client()
    until = time.monotonic() + 60
    while client.request("GET", "/v2/models/digits")["versions"] != [str(version)]:
        assert time.monotonic() < until, process.log
        time.sleep(0.01)
    client.close()


@pytest.mark.parametrize(
    "rounds", [3, pytest.param(100, marks=[pytest.mark.long, pytest.mark.timeout(900)])]
)
def test_no_request_fails_while_versions_are_released_and_taken_back(
    serve: Callable[..., Process],
    digits: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    rounds: int,
) -> None:
    monkeypatch.setenv("MAAS_HOME", str(tmp_path / "home"))
    maas.models.add("digits", digits, alias="champion", **SHAPES)
    process = serve(
        *("digits@champion", "--store", tmp_path / "home", "--follow-interval-s", "0.05")
    )
    asking = Asking(process, 4)
    for _ in range(rounds):
        before = maas.models.show("digits@champion").version
        made = maas.models.add("digits", digits, **SHAPES).version
        maas.models.promote("digits", made)
        wait_for_version(process, made)
        maas.models.rollback("digits")
        wait_for_version(process, before)
        maas.models.promote("digits", made)
        wait_for_version(process, made)
    asking.stop()
    assert asking.failures == []
    assert set(asking.versions) == {str(version) for version in range(1, rounds + 2)}
    assert process.log.count("serves, ") == 3 * rounds
    if rounds == 100:
        assert sum(asking.versions.values()) >= 50_000
