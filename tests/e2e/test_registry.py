# SPDX-License-Identifier: Apache-2.0
"""The registry under real processes: kills, writers at once, full disks, many versions."""

import contextlib
import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from server_process import ROOT, Process

import maas

PROGRAM = Path(__file__).with_name("registry_processes.py")
ROW = maas.Tensor("float32", [3])


def processes(*arguments: object, timeout_s: float = 100) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def test_writers_that_are_killed_lose_nothing_that_they_were_told(tmp_path: Path) -> None:
    report = processes("kills", tmp_path, "--count", 60)
    assert report["broken"] == [], report
    assert report["done"].get("added", 0) > 0, report


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_200_kills_among_1000_versions(tmp_path: Path) -> None:
    report = processes("kills", tmp_path, "--count", 200, "--versions", 1000, timeout_s=1700)
    assert report["broken"] == [], report
    assert report["slowest_ready_s"] < 2.0, report


def test_processes_that_publish_at_once_get_each_number_once(tmp_path: Path) -> None:
    report = processes("numbers", tmp_path, "--processes", 8, "--count", 10)
    assert (report["failed"], report["right"], report["versions"]) == (0, True, 80), report


@pytest.mark.long
@pytest.mark.timeout(900)
def test_8_processes_publish_200_versions_each(tmp_path: Path) -> None:
    report = processes("numbers", tmp_path, "--processes", 8, "--count", 200, timeout_s=800)
    assert (report["failed"], report["right"], report["versions"]) == (0, True, 1600), report


def test_one_of_many_wins_each_race_for_an_alias(tmp_path: Path) -> None:
    report = processes("races", tmp_path, "--count", 8)
    assert report["right"], report


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MiB."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount the small disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr!r}")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill_up(file: Path) -> None:
    """Takes all the room that is left."""
    with file.open("wb", buffering=0) as out:
        for size in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while True:
                    out.write(bytes(size))


def test_a_full_disk_is_507_and_the_next_publication_works_when_there_is_room(
    small_disk: Path, tmp_path: Path
) -> None:
    store = small_disk / "store"
    rng = random.Random(0)
    (tmp_path / "m.bin").write_bytes(rng.randbytes(3_000_000))
    maas.models.add("net", tmp_path / "m.bin", runtime="none", store=store)
    fill_up(small_disk / "ballast")
    for size in (2_500_000, 100_000, 10):
        (tmp_path / "m.bin").write_bytes(rng.randbytes(size))
        with pytest.raises(maas.Error, match="the disk is full") as raised:
            maas.models.add("net", tmp_path / "m.bin", runtime="none", store=store)
        assert raised.value.status == 507
    assert [*(store / "tmp").iterdir()] == []
    assert maas.models.get("net", 1, store=store).version == 1
    (small_disk / "ballast").unlink()
    (tmp_path / "m.bin").write_bytes(rng.randbytes(2_000_000))
    made = maas.models.add("net", tmp_path / "m.bin", runtime="none", store=store)
    assert maas.models.get("net", made.version, store=store).digest == made.digest
    assert maas.models.fsck(store=store)["well"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAAS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_a_server_serves_the_version_that_an_alias_names(
    serve: Callable[..., Process], digits: Path, home: Path
) -> None:
    image = maas.Tensor("float32", [8, 8])
    shapes: dict[str, Any] = {
        "inputs": {"image": image},
        "outputs": {"logits": maas.Tensor("float32", [10])},
    }
    for _ in range(2):
        maas.models.add("digits", digits, alias="champion", **shapes)
    maas.models.rollback("digits")
    process = serve("digits@champion", "--store", home)
    served = process.client().request("GET", "/v2/models/digits")
    assert served["versions"] == ["1"]
    with pytest.raises(maas.ConflictError):
        maas.models.delete("digits", 1)
    maas.models.promote("digits", 2)
    with pytest.raises(maas.ConflictError, match="is served"):
        maas.models.delete("digits", 1)
    process.end()
    maas.models.delete("digits", 1)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_pages_of_200000_versions_take_50_ms(tmp_path: Path) -> None:
    from registry_filling import fill

    home = tmp_path / "store"
    fill(home, names=2_000, each=100)
    held = maas.store.opened(home)
    slowest: dict[str, float] = {}
    expressions = {
        "all": "",
        "tag of one": "tags.number = '77'",
        "tag of all": "tags.team = 'red'",
        "metric of few": "metrics.test.accuracy > 0.9999",
        "metric of many": "metrics.test.accuracy > 0.5",
        "name": "name = 'model-1000'",
        "alias": "alias = 'champion'",
    }
    for what, expression in expressions.items():
        for after in ("", "model-1500/50"):
            start = time.perf_counter()
            held.search(expression, after, 100)
            slowest[what] = max(slowest.get(what, 0), time.perf_counter() - start)
    start = time.perf_counter()
    held.models("model-1", 100)
    slowest["models"] = time.perf_counter() - start
    shown = []
    for number in range(0, 2000, 100):
        start = time.perf_counter()
        held.find(f"model-{number}:50")
        shown.append(time.perf_counter() - start)
    assert max(slowest.values()) < 0.050, slowest
    assert sorted(shown)[len(shown) // 2] < 0.005, shown


@pytest.mark.usefixtures("digits", "home")
def test_the_readme_prints_what_its_commands_print() -> None:
    readme = (ROOT / "README.md").read_text()
    [block] = [b for b in re.findall(r"```console\n(.*?)```", readme, re.S) if "models add" in b]
    python = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    shown = re.findall(r"\$ (.*)\n((?:[^$].*\n)*)", block)
    assert len(shown) == 5
    for command, output in shown:
        done = subprocess.run(
            command,
            shell=True,
            cwd=ROOT,
            env={**os.environ, "PATH": python},
            capture_output=True,
            text=True,
            check=True,
        )
        assert without_chance(done.stdout) == without_chance(output), command


def without_chance(text: str) -> str:
    """Without what differs from run to run: digests and times."""
    text = re.sub(r"sha256:[0-9a-f]{12}", "sha256", text)
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:]{8}Z", "time", text)
