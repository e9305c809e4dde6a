# SPDX-License-Identifier: Apache-2.0
"""Many processes on one registry, run as a program: kills, numbers, or races. Prints a JSON report.

Children are forked before any store is open, so that starting one takes a millisecond.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from maas import _core

NAMES = ("a", "b")
TEST = _core.Actor(who="test")


def publish(store: _core.Store, name: str, text: str) -> dict[str, Any]:
    writer = store.writer()
    writer.write(text.encode())
    digest, size = writer.finish()
    manifest = {
        "format": 1,
        "files": [{"path": "model.bin", "sha256": digest, "size": size}],
        "runtime": "none",
        "description": "",
        "author": "test",
        "created_ms": 1,
        "tags": {"text": text[:20]},
        "metrics": [],
        "signature": {},
        "lineage": {},
    }
    return store.publish(name, manifest=json.dumps(manifest), state="READY", reason="", actor=TEST)


class Writer:
    """Does what comes to its mind, and notes each step before and after it."""

    def __init__(self, folder: Path, journal: Path, seed: int) -> None:
        self.store = _core.Store(str(folder))
        self.random = random.Random(seed)
        self.journal = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.seed = seed

    def run(self) -> None:
        steps = [self.add] * 5 + [self.promote] * 3 + [self.rollback, self.delete, self.gc]
        while True:
            name = self.random.choice(NAMES)
            try:
                self.random.choice(steps)(name)
            except _core.CoreError as error:
                # What it wanted was not possible: another was quicker. "locked" never is a reason.
                if error.args[0] not in ("conflict", "not_found", "unprocessable"):
                    self.note("error", *error.args[:3])

    def note(self, *what: Any) -> None:
        os.write(self.journal, (json.dumps(what) + "\n").encode())

    def some_version(self, name: str) -> int:
        model = self.store.model(name)
        return self.random.randint(1, max(1, model["next_version"] - 1)) if model else 1

    def add(self, name: str) -> None:
        size = self.random.choice((10, 5_000, 2_000_000))
        row = publish(self.store, name, f"{self.seed}-{self.random.random()}".ljust(size, "x"))
        self.note("added", name, row["version"], row["digest"])

    def promote(self, name: str) -> None:
        version = self.some_version(name)
        move = self.store.move_alias(name, "champion", version, expect=None, actor=TEST)
        self.note("moved", name, move["version"], move["sequence"])

    def rollback(self, name: str) -> None:
        move = self.store.roll_back(name, "champion", expect=None, actor=TEST)
        self.note("moved", name, move["version"], move["sequence"])

    def delete(self, name: str) -> None:
        version = self.some_version(name)
        self.note("deletes", name, version)
        self.store.remove(name, version, actor=TEST)
        self.note("deleted", name, version)

    def gc(self, name: str) -> None:
        self.store.collect(grace_ms=0, dry_run=False)


@contextmanager
def children() -> Iterator[dict[int, Callable[[], None]]]:
    """The children that run, ended at the end."""
    running: dict[int, Callable[[], None]] = {}
    try:
        yield running
    finally:
        for pid in running:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def fork(body: Callable[[], None]) -> int:
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            body()
            code = 0
        finally:
            os._exit(code)
    return pid


def kills(folder: Path, count: int, seed: int, versions: int) -> dict[str, Any]:
    """Kills writers at random moments; what they were told must be there afterwards."""
    chance = random.Random(seed)
    journal = folder / "journal.txt"
    home = folder / "store"
    slowest = 0.0

    def fill() -> None:
        store = _core.Store(str(home))
        for number in range(versions):
            publish(store, "a", str(number))

    os.waitpid(fork(fill), 0)
    with children() as running:
        for start in range(4):
            body = writer(home, journal, seed * 1_000_003 + start)
            running[fork(body)] = body
        for number in range(count):
            time.sleep(chance.uniform(0.0, 0.05))
            victim = chance.choice(list(running))
            os.kill(victim, signal.SIGKILL)
            os.waitpid(victim, 0)
            del running[victim]
            slowest = max(slowest, ready_s(home))
            body = writer(home, journal, seed * 1_000_003 + 4 + number)
            running[fork(body)] = body
    report = check(home, journal)
    return {**report, "kills": count, "seed": seed, "slowest_ready_s": round(slowest, 3)}


def writer(home: Path, journal: Path, seed: int) -> Callable[[], None]:
    return lambda: Writer(home, journal, seed).run()


def ready_s(home: Path) -> float:
    """How long a new process needs until it can answer, beside the writers that go on."""
    start = time.monotonic()

    def ask() -> None:
        _core.Store(str(home)).models("", 10)

    _, status = os.waitpid(fork(ask), 0)
    if status != 0:
        raise SystemExit("the store could not be opened after a kill")
    return time.monotonic() - start


def check(home: Path, journal: Path) -> dict[str, Any]:
    """The broken invariants; none is what it should be."""
    broken: list[str] = []
    notes = [json.loads(line) for line in journal.read_text().splitlines()]
    store = _core.Store(str(home))
    told = Counter(note[0] for note in notes)
    broken += [f"a client saw: {note}" for note in notes if note[0] == "error"]
    given = Counter((note[1], note[2]) for note in notes if note[0] == "added")
    broken += [f"number {key} was given {count} times" for key, count in given.items() if count > 1]
    rows = {(row["name"], row["version"]): row for row in every(store, "version >= 1")}
    gone = {(row["name"], row["version"]) for row in every(store, "state = 'DELETED'")}
    deletes = {(note[1], note[2]) for note in notes if note[0] == "deletes"}
    for kind, *what in notes:
        key = (what[0], what[1])
        if kind == "added" and key not in rows and not (key in gone and key in deletes):
            broken.append(f"{key} was added and is not there")
        if kind == "added" and key in rows and rows[key]["digest"] != what[2]:
            broken.append(f"{key} has another digest")
        if kind == "deleted" and key not in gone:
            broken.append(f"{key} was deleted and is there")
    moves = {m["sequence"]: m["version"] for name in NAMES for m in store.history(name, "", 10**6)}
    for kind, *what in notes:
        if kind == "moved" and what[2] and moves.get(what[2]) != what[1]:
            broken.append(f"the move {what} is not in the history")
    found = store.fsck(False)
    broken += [f"fsck: {f}" for f in found["findings"] if not f["repaired"]]
    ready = {key: row["digest"] for key, row in rows.items()}
    published = [row for name in NAMES for row in store.audit(name, 0, 10**6)]
    audit = Counter(row["action"] for row in published)
    if audit["publish"] < told["added"] or audit["delete"] < told["deleted"]:
        broken.append(f"the audit has {audit} for {told}")
    broken += recovered(home, ready)
    return {"broken": broken, "done": dict(told), "versions": len(rows)}


def recovered(home: Path, ready: dict[tuple[str, int], str]) -> list[str]:
    """What is missing when the catalogue is made again from what is on disk."""
    (home / "catalogue.db").unlink()
    report = _core.recover_store(str(home), actor=TEST)
    store = _core.Store(str(home))
    back = {(r["name"], r["version"]): r["digest"] for r in every(store, "state = 'READY'")}
    lost = [f"{key} was not recovered: {report}" for key in ready if back.get(key) != ready[key]]
    return lost + [f"fsck after recovery: {f}" for f in store.fsck(True)["findings"]]


def every(store: _core.Store, expression: str) -> Iterator[dict[str, Any]]:
    after = ""
    while True:
        rows, after = store.search(expression, after, 500)
        yield from rows
        if not after:
            return


def numbers(folder: Path, processes: int, each: int) -> dict[str, Any]:
    """Processes that publish to one name at once; a client that sees an error ends with 1."""
    home = folder / "store"
    start = time.monotonic()

    def body(number: int) -> Callable[[], None]:
        def run() -> None:
            store = _core.Store(str(home))
            for count in range(each):
                publish(store, "a", f"{number}-{count}")

        return run

    pids = [fork(body(number)) for number in range(processes)]
    failed = sum(os.waitpid(pid, 0)[1] != 0 for pid in pids)
    seconds = time.monotonic() - start
    found = [row["version"] for row in every(_core.Store(str(home)), "name = 'a'")]
    right = found == list(range(1, processes * each + 1))
    return {"failed": failed, "right": right, "versions": len(found), "seconds": round(seconds, 1)}


def races(folder: Path, rounds: int) -> dict[str, Any]:
    """Sixteen processes move one alias from where it is: one wins each round."""
    home = folder / "store"

    def fill() -> None:
        store = _core.Store(str(home))
        for number in range(16):
            publish(store, "a", str(number))

    def attempt(version: int, expect: int, gate: int) -> Callable[[], None]:
        def run() -> None:
            store = _core.Store(str(home))
            os.read(gate, 1)  # until the parent closes it
            try:
                move = store.move_alias("a", "champion", version, expect=expect, actor=TEST)
            except _core.CoreError as error:
                os._exit(2 if error.args[0] == "conflict" else 3)
            os._exit(0 if move["version"] == version else 3)

        return run

    os.waitpid(fork(fill), 0)
    outcomes = []
    at = 0
    for number in range(rounds):
        gate, opener = os.pipe()
        rivals = {fork(gated(attempt, v, at, gate, opener)): v for v in range(1, 17) if v != at}
        os.close(gate)
        os.close(opener)
        codes = {v: os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid, v in rivals.items()}
        winners = [version for version, code in codes.items() if code == 0]
        outcomes.append((len(winners), Counter(codes.values())[3]))
        at = winners[0] if winners else at
        if len(winners) != 1:
            return {"rounds": number + 1, "outcomes": outcomes, "right": False}
    return {"rounds": rounds, "right": all(outcome == (1, 0) for outcome in outcomes)}


def gated(
    attempt: Callable[[int, int, int], Callable[[], None]],
    version: int,
    expect: int,
    gate: int,
    opener: int,
) -> Callable[[], None]:
    def run() -> None:
        os.close(opener)
        attempt(version, expect, gate)()

    return run


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["kills", "numbers", "races"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--versions", type=int, default=0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    if given.what == "kills":
        report = kills(given.folder, given.count, given.seed, given.versions)
    elif given.what == "numbers":
        report = numbers(given.folder, given.processes, given.count)
    else:
        report = races(given.folder, given.count)
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main()
