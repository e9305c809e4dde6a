"""Handlers for the tests of workers: a worker imports this file by itself."""

import asyncio
import logging
import os
import signal
import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from PIL import Image

import maas

Row = Annotated[np.ndarray, maas.Tensor("float32", [3])]


@maas.endpoint("/who", workers=2)
def who(text: str) -> dict[str, Any]:
    return {"text": text, "pid": os.getpid(), "parent": os.getppid(), "folder": str(Path.cwd())}


@maas.endpoint("/rows", workers=1, max_batch_size=8)
def rows(x: Row) -> list[float]:
    return [float(value) for value in x.sum(axis=1)]


@maas.endpoint("/later", workers=1)
async def later(seconds: float, ctx: maas.Context) -> str:
    await asyncio.sleep(seconds)
    ctx.log.warning("slept %g s", seconds)
    return ctx.request_id


@maas.endpoint("/until_cancelled", workers=1, timeout_s=60)
def until_cancelled(file: str, ctx: maas.Context) -> bool:
    """Tells in a file that it runs and, when it is cancelled, that too."""
    with open(file, "w") as out:  # noqa: PTH123 - flushed at each line, as told
        print("started", file=out, flush=True)
        while not ctx.cancelled:
            time.sleep(0.001)
        print("cancelled", file=out, flush=True)
    return True


@maas.endpoint("/fail", workers=1)
def fail(text: str) -> str:
    if text == "maas":
        raise maas.Error(418, "a teapot")
    raise ValueError(text)


@maas.endpoint("/end", workers=1)
def end(number: int) -> int:
    os.kill(os.getpid(), signal.Signals(number))
    return number


@maas.endpoint("/end_again", workers=2, idempotent=True)
def end_again(file: str) -> str:
    """Ends its process once, and answers when it runs again."""
    if not os.path.exists(file):  # noqa: PTH110 - as short as the rest
        open(file, "x").close()  # noqa: PTH123
        os.kill(os.getpid(), signal.SIGSEGV)
    return "survived"


@maas.endpoint(
    "/poison",
    workers=2,
    idempotent=True,
    max_batch_size=8,
    batch_timeout_ms=200,
    batch_policy="window",
)
def poison(text: str) -> list[str]:
    if "poison" in text:
        os._exit(9)
    return list(text)


@maas.service(name="counting", workers=2)
class Counting:
    made = 0

    def setup(self) -> None:
        Counting.made += 1
        self.calls = 0

    @maas.endpoint("/count")
    def count(self) -> list[int]:
        self.calls += 1
        return [os.getpid(), Counting.made, self.calls]

    def teardown(self) -> None:
        logging.getLogger("maas").warning("torn down after %d calls", self.calls)

    @maas.endpoint("/setups")
    async def setups(self) -> list[int]:
        return [os.getpid(), Counting.made]


@maas.endpoint("/asked", workers=1)
def asked(text: str, ctx: maas.Context) -> dict[str, Any]:
    return {"text": text, "agent": ctx.headers["x-agent"], "path": ctx.path, "pid": os.getpid()}


@maas.endpoint("/smaller", workers=1)
def smaller(image: Image.Image) -> Image.Image:
    """The client's Accept chooses the form of the answer."""
    return image.resize((4, 3))


@maas.endpoint("/total")
def total(x: Row, text: str) -> dict[str, Any]:
    """Asks endpoints that run in workers."""
    return {"sum": rows(x), "pid": who(text)["pid"]}


@maas.endpoint("/from_worker", workers=1)
def from_worker(x: Row) -> tuple[float, int]:
    """In a worker no other endpoint is served: it runs there, with a batch of one."""
    return float(rows(x)), who("")["pid"] == os.getpid()  # type: ignore[arg-type] # within a handler it is one row
