# SPDX-License-Identifier: Apache-2.0
"""Adding a large file to a registry against a plain copy of it, both flushed to the disk.

    python benchmarks/registry.py [--size-mb 1024] [--runs 3] [--folder FOLDER]

Prints the best of the runs, their ratio, and by how much the process grew.
"""

import argparse
import os
import resource
import shutil
import tempfile
import time
from pathlib import Path

from maas import _core

PIECE = 1 << 20


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--size-mb", type=int, default=1024)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path.cwd())
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        source = folder / "model.bin"
        with source.open("wb") as out:
            for _ in range(given.size_mb):
                out.write(os.urandom(PIECE))
            os.fsync(out.fileno())
        memory = peak_mb()
        adds, copies = [], []
        for run in range(given.runs):  # in turn, so that both meet the same disk
            copies.append(timed(lambda: copy(source, folder / "copy.bin")))
            store = _core.Store(str(folder / f"store-{run}"))
            adds.append(timed(lambda held=store: held.put_file(str(source))))
            del store
            shutil.rmtree(folder / f"store-{run}")
            (folder / "copy.bin").unlink()
        grown = peak_mb() - memory
    add, plain = (given.size_mb / min(times) for times in (adds, copies))
    print(f"copy + fsync  {plain:7.0f} MB/s")
    print(f"add           {add:7.0f} MB/s   {add / plain:.2f} of the copy, memory +{grown:.0f} MB")


def copy(source: Path, target: Path) -> None:
    with source.open("rb") as from_file, target.open("wb") as to_file:
        shutil.copyfileobj(from_file, to_file, PIECE)
        to_file.flush()
        os.fsync(to_file.fileno())


def timed(call: object) -> float:
    start = time.perf_counter()
    call()  # type: ignore[operator]
    return time.perf_counter() - start


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
