# SPDX-License-Identifier: Apache-2.0
"""The servers of encoder.py: how each is started, asked and understood."""

import json
import pathlib
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness import maas_command

HERE = pathlib.Path(__file__).resolve().parent
MAX_BATCH, WAIT_MS = 16, 5.0


def _plain_body(ids: Sequence[int]) -> bytes:
    return json.dumps({"input_ids": list(ids)}, separators=(",", ":")).encode()


def _plain_answer(body: bytes) -> list[float]:
    return json.loads(body)["embedding"]


def _rows_body(ids: Sequence[int]) -> bytes:
    return json.dumps({"input_ids": [list(ids)]}, separators=(",", ":")).encode()


def _protocol_body(ids: Sequence[int]) -> bytes:
    tensor = {
        "name": "input_ids",
        "datatype": "INT64",
        "shape": [1, len(ids)],
        "parameters": {"length": len(ids)},
        "data": list(ids),
    }
    return json.dumps({"inputs": [tensor]}, separators=(",", ":")).encode()


def _protocol_answer(body: bytes) -> list[float]:
    return json.loads(body)["outputs"][0]["data"]


@dataclass(frozen=True)
class Contestant:
    """One server: its name, its Python, and its dialect of the same question."""

    name: str
    python: str
    command: Callable[[int, pathlib.Path], list[str]]
    packages: tuple[str, ...]
    batch: int = MAX_BATCH
    path: str = "/embed"
    body: Callable[[Sequence[int]], bytes] = _plain_body
    answer: Callable[[bytes], list[float]] = _plain_answer

    @property
    def is_peer(self) -> bool:
        """Whether it is somebody else's."""
        return self.name != "maas"

    def environment(self, model: pathlib.Path, port: int, folder: pathlib.Path) -> dict[str, str]:
        """What tells the server its model, port and batching; switches that some peers need."""
        return {
            "BENCH_MODEL": str(model),
            "BENCH_PORT": str(port),
            "BENCH_BATCH": str(self.batch),
            "BENCH_WAIT_MS": str(WAIT_MS),
            "MKL_NUM_THREADS": "1",
            "PYTHONPATH": str(HERE / "peers") if self.is_peer else "",
            "BENTOML_HOME": str(folder),
            "BENTOML_DO_NOT_TRACK": "True",
        }

    def missing(self) -> str:
        """Why it cannot run, or nothing."""
        if not pathlib.Path(self.python).is_file():
            return f"there is no {self.python}"
        code = (
            "import importlib.util as u, sys; "
            "print(*[p for p in sys.argv[1:] if u.find_spec(p) is None])"
        )
        asked = [self.python, "-c", code, *self.packages]
        found = subprocess.run(asked, capture_output=True, text=True, check=False)
        lacking = found.stdout.strip() if found.returncode == 0 else found.stderr[-300:]
        return f"{self.python} lacks {lacking}" if lacking else ""

    def versions(self) -> str:
        """The versions of its packages, for the report."""
        code = (
            "import importlib.metadata as m, sys; "
            "print(', '.join(f'{p} {m.version(p)}' for p in sys.argv[1:]))"
        )
        asked = [self.python, "-c", code, *self.packages]
        found = subprocess.run(asked, capture_output=True, text=True, check=False)
        return found.stdout.strip() or "unknown"


def _maas(python: str) -> Contestant:
    return Contestant(
        "maas",
        python,
        lambda port, _: maas_command(python, HERE / "apps/encoder.py", port),
        ("maas", "torch"),
    )


def _litserve(peers: pathlib.Path, name: str, batch: int) -> Contestant:
    python = str(peers / "main/bin/python")
    command = [python, str(HERE / "peers/litserve_encoder.py")]
    packages = ("litserve", "fastapi", "uvicorn", "orjson", "torch")
    return Contestant(name, python, lambda *_: command, packages, batch)


def _fastapi(peers: pathlib.Path, name: str, batch: int) -> Contestant:
    python = str(peers / "main/bin/python")
    command = [python, str(HERE / "peers/fastapi_encoder.py")]
    packages = ("fastapi", "uvicorn", "uvloop", "httptools", "orjson", "torch")
    return Contestant(name, python, lambda *_: command, packages, batch)


def _bentoml(peers: pathlib.Path, name: str, batch: int) -> Contestant:
    python, single = str(peers / "bento/bin/python"), batch == 1

    def command(port: int, _: pathlib.Path) -> list[str]:
        serve = [python, "-m", "bentoml", "serve", "bentoml_encoder:Service"]
        where = ["--host", "127.0.0.1", "--port", str(port)]
        return [*serve, "--working-dir", str(HERE / "peers"), *where]

    return Contestant(
        name,
        python,
        command,
        ("bentoml", "torch"),
        batch,
        body=_plain_body if single else _rows_body,
        answer=json.loads if single else lambda body: json.loads(body)[0],
    )


def _mlserver(peers: pathlib.Path, name: str, batch: int) -> Contestant:
    python, script = str(peers / "mlserver/bin/python"), str(HERE / "peers/mlserver_encoder.py")
    return Contestant(
        name,
        python,
        lambda _, folder: [python, script, str(folder)],
        ("mlserver", "uvicorn", "torch"),
        batch,
        path="/v2/models/minilm/infer",
        body=_protocol_body,
        answer=_protocol_answer,
    )


_PEERS = {"litserve": _litserve, "bentoml": _bentoml, "mlserver": _mlserver, "fastapi": _fastapi}
NAMES = ("maas", *_PEERS, *(f"{name}-single" for name in _PEERS))


def contestant(name: str, python: str, peers: pathlib.Path) -> Contestant:
    """The server of this name; `peers` is the folder of the peers' environments."""
    if name == "maas":
        return _maas(python)
    make = _PEERS[name.removesuffix("-single")]
    return make(peers, name, 1 if name.endswith("-single") else MAX_BATCH)
