# SPDX-License-Identifier: Apache-2.0
"""The document at /openapi.json: a valid one, and the server does what it says."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

import maas

CONFIG = Path(__file__).resolve().parents[1] / "data" / "schemathesis.toml"
TIMEOUT_S = 600


@maas.endpoint("/scale")
def scale(x: Annotated[np.ndarray, maas.Tensor("float32", [3])], by: float = 2.0) -> list[float]:
    """Multiplies."""
    return [float(value) * by for value in x]


@maas.endpoint("/echo")
def echo(text: str, times: int | None = None) -> str:
    """Gives a text back."""
    return text * min(times or 1, 3)


@maas.endpoint("/words")
def words(text: str) -> Iterator[str]:
    """Gives each word back."""
    yield from text.split()


@maas.endpoint("/size")
def size(file: bytes, more: int = 0) -> int:
    """Counts bytes."""
    return len(file) + more


@pytest.fixture
def server(double: maas.Model) -> Iterator[maas.Server]:
    with maas.Server(port=0) as running:
        running.publish([scale, echo, words, size, double])
        yield running


def document(server: maas.Server) -> dict[str, Any]:
    status, _, body = server.handle("GET", "/openapi.json", [], b"")
    assert status == 200
    found: dict[str, Any] = json.loads(body)
    return found


def test_the_document_is_a_valid_one(server: maas.Server) -> None:
    OpenAPIV31SpecValidator(document(server)).validate()


def test_every_operation_names_its_scope(server: maas.Server) -> None:
    for path, item in document(server)["paths"].items():
        for verb, operation in item.items():
            if verb != "parameters":
                assert operation["x-scope"] in ("public", "read", "infer", "admin"), path


@pytest.mark.long
@pytest.mark.timeout(TIMEOUT_S + 20)
def test_the_server_does_what_the_document_says(server: maas.Server, tmp_path: Path) -> None:
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(CONFIG)),
        *("--no-color", "run", f"{server.url}/openapi.json", "--max-examples", "30"),
        *("--request-timeout", "10", "--generation-deterministic"),
    ]
    ended = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    sys.stdout.write(ended.stdout)
    assert ended.returncode == 0, ended.stdout[-5000:]
