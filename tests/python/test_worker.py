# SPDX-License-Identifier: Apache-2.0
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import worker_handlers as handlers

import maas
from maas import code_transfer, engine, worker, workers
from maas.endpoint_spec import spec_of


def described(function: Any, **more: Any) -> dict[str, Any]:
    spec = spec_of(function)
    assert spec is not None
    found = {
        "path": spec.path,
        "max_batch_size": spec.max_batch_size,
        "parameters": workers.signature_text(spec.signature()),
        "code": code_transfer.reference(function, "endpoint"),
        "method": None,
    }
    return {**found, **more}


@pytest.fixture
def setup(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a worker is told, with this process as it was afterwards."""
    monkeypatch.setattr(engine._process, "is_worker", False)
    monkeypatch.setattr(engine._process, "settings", engine._process.settings)
    return {"path": sys.path[:], "folder": str(Path.cwd()), "settings": {"cores": 1}}


def test_a_worker_loads_what_it_is_told(setup: dict[str, Any]) -> None:
    ((call, fields, asynchronous, contexts),) = worker.load(
        {**setup, "endpoints": [described(handlers.who)]}
    )
    assert (len(fields), asynchronous, contexts) == (1, False, False)
    (answer,) = call([[b'"x"']], ["r-1"])
    assert f'"pid":{os.getpid()}'.encode() in answer.replace(b" ", b"")


def test_a_worker_serves_nothing_itself(setup: dict[str, Any]) -> None:
    worker.load({**setup, "endpoints": []})
    with pytest.raises(maas.InvalidArgumentError, match='under `if __name__ == "__main__":`'):
        maas.TestClient(handlers.who)


def test_parameters_that_have_changed_since_are_refused(setup: dict[str, Any]) -> None:
    item = described(handlers.who, parameters="[]")
    with pytest.raises(maas.TargetError, match="have changed since it was published"):
        worker.load({**setup, "endpoints": [item]})


def test_the_program_alone_says_who_starts_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "maas.worker"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "maas serve" in done.stderr
