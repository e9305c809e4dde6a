# SPDX-License-Identifier: Apache-2.0
"""Sets up what one purpose needs: prepare.py serve|test|check|sanitize|coverage|bench.

System packages, then `.venv`, then the compiled core, which an editable install puts into it. What
a step depends on is hashed and kept in `.venv/.maas/`, so that a second run does no work twice.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import system_packages

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMPS = VENV / ".maas"
TREE = ROOT / "build" / "release"


@dataclass(frozen=True)
class Purpose:
    """What a make target stands on."""

    extras: tuple[str, ...] = ()
    packages: tuple[system_packages.SystemPackage, ...] = system_packages.BUILD
    options: dict[str, str] = field(default_factory=dict)  # CMake's; others stay as they are
    installs: bool = True  # the core into .venv
    every_target: bool = False  # programs besides the core, whose sources no stamp watches
    always_configures: bool = False  # reads the compile database, which must have every source


TESTS, BENCHMARKS = system_packages.TESTS, system_packages.BENCHMARKS
PURPOSES = {
    "serve": Purpose(extras=("examples",), options={"MAAS_TESTS": "OFF", "MAAS_BENCHMARKS": "OFF"}),
    "test": Purpose(
        extras=("test",),
        packages=system_packages.BUILD + TESTS,
        options={"MAAS_TESTS": "ON"},
        every_target=True,
    ),
    "check": Purpose(
        extras=("test", "check"),
        packages=system_packages.BUILD + TESTS + BENCHMARKS,
        options={"MAAS_TESTS": "ON", "MAAS_BENCHMARKS": "ON"},
        always_configures=True,
    ),
    "sanitize": Purpose(packages=system_packages.BUILD + TESTS, installs=False),
    "coverage": Purpose(extras=("test", "coverage"), packages=system_packages.BUILD + TESTS),
    "bench": Purpose(
        extras=("examples",),
        packages=system_packages.BUILD + BENCHMARKS,
        options={"MAAS_BENCHMARKS": "ON"},
        every_target=True,
    ),
}


def main() -> None:
    purpose = PURPOSES[sys.argv[1]]
    system_packages.require(purpose.packages)
    with locked():
        prepare_environment(purpose)
        if purpose.installs:
            prepare_core(purpose)


def prepare_environment(purpose: Purpose) -> None:
    if not (VENV / "bin" / "python").exists():
        announce(".venv")
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    required = pyproject["build-system"]["requires"] + pyproject["project"]["dependencies"]
    torch = next(name for name in required if name.startswith("torch=="))
    # Alone and first, so that no other requirement can choose another torch.
    pip_install("torch", [torch])
    pip_install("requirements", required)
    for extra in purpose.extras:
        pip_install(extra, pyproject["project"]["optional-dependencies"][extra])


def pip_install(name: str, requirements: list[str]) -> None:
    key = digest(*sorted(requirements))
    if stamped(name, key):
        return
    with stamping(name, key):
        run_pip(*requirements)


def prepare_core(purpose: Purpose) -> None:
    key = digest(sources_digest(), os.environ.get("CI", ""))
    current = stamped("core", key)
    builds = purpose.every_target or not current
    if builds or purpose.always_configures:
        announce(f"build/{TREE.name}")
        options = [f"-D{name}={value}" for name, value in purpose.options.items()]
        run_cmake("--preset", "release", *options)
    if builds:
        run_cmake("--build", str(TREE))
    if not current:
        with stamping("core", key):
            run_pip(
                "--no-deps",
                "--no-build-isolation",
                "--editable",
                ".",
                f"--config-settings=build-dir={TREE}",
            )


def sources_digest() -> str:
    """Of all that the compiled core is made from; Python sources are used in place."""
    files = [ROOT / "CMakeLists.txt", ROOT / "CMakePresets.json", ROOT / "pyproject.toml"]
    files += [
        path
        for folder in ("cmake", "cpp")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.is_file()
    ]
    return digest(
        *(
            f"{path.relative_to(ROOT)}:{hashlib.sha256(path.read_bytes()).hexdigest()}"
            for path in files
        )
    )


def run_pip(*arguments: str) -> None:
    quiet = [] if sys.stdout.isatty() else ["--quiet"]
    command = [
        str(VENV / "bin" / "python"),
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        *quiet,
    ]
    subprocess.run([*command, *arguments], check=True, cwd=ROOT, env=environment())


def run_cmake(*arguments: str) -> None:
    subprocess.run(["cmake", *arguments], check=True, cwd=ROOT, env=environment())


def environment() -> dict[str, str]:
    return {**os.environ, "PATH": f"{VENV / 'bin'}:{os.environ['PATH']}"}


def digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def stamped(name: str, key: str) -> bool:
    stamp = STAMPS / name
    return stamp.is_file() and stamp.read_text() == key


@contextmanager
def stamping(name: str, key: str) -> Iterator[None]:
    """The stamp is written only when the block succeeds."""
    announce(f"pip install: {name}")
    start = time.monotonic()
    yield
    STAMPS.mkdir(exist_ok=True)
    (STAMPS / name).write_text(key)
    announce(f"pip install: {name}: {time.monotonic() - start:.0f} s")


@contextmanager
def locked() -> Iterator[None]:
    """Two set-ups of one checkout take turns."""
    (ROOT / "build").mkdir(exist_ok=True)
    with (ROOT / "build" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def announce(what: str) -> None:
    print(f"-- {what}", flush=True)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as failure:
        sys.stderr.write(
            f"set-up stopped: {' '.join(map(str, failure.cmd))} failed with {failure.returncode}\n"
        )
        raise SystemExit(1) from None
