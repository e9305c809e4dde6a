# SPDX-License-Identifier: Apache-2.0
"""Installs the system packages that are missing, or says which command does it and exits with 2."""

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"


@dataclass(frozen=True)
class SystemPackage:
    """What a purpose needs from the system: how to see that it is there, and who brings it."""

    name: str
    is_there: Callable[[], bool]
    optional: bool = False  # installed along with others, never a reason to stop


def tool(name: str, *version_at_least: int) -> Callable[[], bool]:
    def is_there() -> bool:
        path = shutil.which(name)
        if path is None or not version_at_least:
            return path is not None
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
        found = answer.stdout.split("version ", 1)[-1].split()[0].split(".")
        return tuple(int(part) for part in found[:2] if part.isdigit()) >= version_at_least

    return is_there


def header(path: str) -> Callable[[], bool]:
    def is_there() -> bool:
        extra = os.environ.get("CPLUS_INCLUDE_PATH", "") + ":" + os.environ.get("CPATH", "")
        folders = [
            Path("/usr/include"),
            Path("/usr/local/include"),
            *Path("/usr/include").glob("*-linux-gnu"),
        ]
        folders += [Path(folder) for folder in extra.split(":") if folder]
        return any((folder / path).is_file() for folder in folders)

    return is_there


def python_header() -> bool:
    return Path(sysconfig.get_path("include"), "Python.h").is_file()


def python_venv() -> bool:
    return all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))


BUILD = (
    SystemPackage("g++", tool("g++")),
    SystemPackage("cmake", tool("cmake", 3, 25)),
    SystemPackage("libssl-dev", header("openssl/ssl.h")),
    SystemPackage("libsqlite3-dev", header("sqlite3.h")),
    SystemPackage("zlib1g-dev", header("zlib.h")),
    SystemPackage(f"{PYTHON}-dev", python_header),
    SystemPackage(f"{PYTHON}-venv", python_venv),
    SystemPackage("ccache", tool("ccache"), optional=True),
)
TESTS = (
    SystemPackage("libgtest-dev", header("gtest/gtest.h")),
    SystemPackage("libgmock-dev", header("gmock/gmock.h")),
)
BENCHMARKS = (SystemPackage("libbenchmark-dev", header("benchmark/benchmark.h")),)


def require(packages: Iterable[SystemPackage]) -> None:
    """Returns when every package that is not optional is there."""
    missing = [package for package in packages if not package.is_there()]
    if all(package.optional for package in missing):
        return
    names = [package.name for package in missing]
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *names]
    become_root = root_prefix()
    if become_root is None or shutil.which("apt-get") is None:
        command = f"sudo apt-get update && sudo {' '.join(install)}"
        sys.stderr.write(
            f"System packages are missing: {', '.join(names)}. Install them, then run this again:\n"
        )
        sys.stderr.write(f"  {command}\n")
        raise SystemExit(2)
    print(f"-- installing system packages: {' '.join(names)}", flush=True)
    wait_for_lock = ["-o", "DPkg::Lock::Timeout=300"]
    quiet = ["-qq", *wait_for_lock]
    run = [*become_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", *quiet]
    subprocess.run([*run, "update"], check=True)
    subprocess.run([*run, *install[1:]], check=True, stdout=subprocess.DEVNULL)


def root_prefix() -> list[str] | None:
    """How to become root without a password: nothing, sudo, or None where it is not possible."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if (
        sudo
        and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0
    ):
        return [sudo, "-n"]
    return None
