# SPDX-License-Identifier: Apache-2.0
"""The same handlers as FastAPI serves them: python fastapi_echo.py PORT."""

import sys

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Item(BaseModel):
    """The body."""

    name: str
    tags: list[str]
    score: float
    note: str


@app.post("/plain")
def plain(item: Item) -> Item:
    """A `def`: on FastAPI's thread pool."""
    return item


@app.post("/coroutine")
async def coroutine(item: Item) -> Item:
    """An `async def`: on the event loop."""
    return item


if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )
