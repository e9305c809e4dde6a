# SPDX-License-Identifier: Apache-2.0
"""FastAPI with the batching that a user writes by hand: raw bodies, orjson, uvloop, httptools.

Requests queue on the event loop. A batch leaves when it is full or its first request has waited
long enough, and runs in a thread, so that the loop goes on reading requests meanwhile.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import numpy as np
import orjson
import uvicorn
from encoder_model import BATCH, PORT, WAIT_S, Encoder
from fastapi import FastAPI, Request, Response

encoder = Encoder()


class Batcher:
    """Collects texts into batches and runs one batch after another."""

    def __init__(self) -> None:
        """Nothing waits yet."""
        self._waiting: deque[tuple[float, list[int], asyncio.Future]] = deque()
        self._changed = asyncio.Event()
        self._thread = ThreadPoolExecutor(1)

    async def encode(self, text: list[int]) -> np.ndarray:
        """The numbers of one text."""
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        self._waiting.append((loop.time(), text, future))
        if len(self._waiting) in (1, BATCH):
            self._changed.set()
        return await future

    async def _filled(self) -> None:
        """Wait until a batch may leave."""
        while not self._waiting:
            self._changed.clear()
            await self._changed.wait()
        until = self._waiting[0][0] + WAIT_S
        while len(self._waiting) < BATCH:
            left = until - asyncio.get_running_loop().time()
            if left <= 0:
                return
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), left)
            except TimeoutError:
                return

    async def run(self) -> None:
        """The life of the batcher."""
        loop = asyncio.get_running_loop()
        while True:
            await self._filled()
            count = min(BATCH, len(self._waiting))
            jobs = [self._waiting.popleft() for _ in range(count)]
            rows = await loop.run_in_executor(self._thread, encoder, [text for _, text, _ in jobs])
            for (_, _, future), row in zip(jobs, rows, strict=True):
                if not future.done():
                    future.set_result(row)


@asynccontextmanager
async def life(app: FastAPI) -> AsyncIterator[None]:
    """The batcher lives as long as the application."""
    app.state.batcher = Batcher()
    task = asyncio.create_task(app.state.batcher.run())
    yield
    task.cancel()


app = FastAPI(lifespan=life)


@app.post("/embed")
async def embed(request: Request) -> Response:
    """One text."""
    text = orjson.loads(await request.body())["input_ids"]
    row = await app.state.batcher.encode(text) if BATCH > 1 else encoder([text])[0]
    answer = orjson.dumps({"embedding": row}, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(answer, media_type="application/json")


if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=PORT,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )
