"""Prints, as a CMake list, where pybind11, torch, cmeel's headers and oneTBB's CMake files are."""

import importlib.util
import sys
from pathlib import Path


def package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        sys.exit(
            f"the Python package '{name}' is missing: "
            "pip install the build requirements of pyproject.toml"
        )
    return Path(spec.origin).parent


def tbb_cmake(starts: list[Path]) -> Path:
    for start in starts:
        for folder in (start, *start.parents):
            found = folder / "lib" / "cmake" / "tbb"
            if found.is_dir():
                return found
    sys.exit("oneTBB's CMake files are missing: pip install tbb-devel")


torch = package("torch")
site = torch.parent
cmeel = next(
    (p / "cmeel.prefix" for p in (site, *map(Path, sys.path)) if (p / "cmeel.prefix").is_dir()),
    None,
)
if cmeel is None:
    sys.exit("Eigen and Boost are missing: pip install cmeel-eigen cmeel-boost")
pybind11 = package("pybind11")
folders = [
    pybind11 / "share" / "cmake" / "pybind11",
    torch,
    cmeel / "include",
    tbb_cmake([site, pybind11, cmeel]),
]
print(";".join(map(str, folders)))
