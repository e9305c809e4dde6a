"""A FastAPI application beside endpoints of maas, in one process."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.responses import StreamingResponse

import maas


@maas.endpoint("/length")
def length(text: str) -> int:
    """Stays maas's: the application's middleware never sees it."""
    return len(text)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, str]]:
    yield {"greeting": "hello"}  # before: startup; behind: shutdown


web = FastAPI(lifespan=lifespan)


@web.middleware("http")
async def stamp(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await go_on(request)
    response.headers["X-Served-By"] = "the application"
    return response


@web.get("/greet/{name}")
async def greet(name: str, request: Request) -> dict[str, str]:
    return {"text": f"{request.state.greeting}, {name}", "at": str(request.url.path)}


@web.get("/lines")
async def lines() -> StreamingResponse:
    async def numbers() -> AsyncIterator[str]:
        for number in range(3):
            yield f"{number}\n"

    return StreamingResponse(numbers(), media_type="text/plain")


@web.websocket("/echo")
async def echo(socket: WebSocket) -> None:
    await socket.accept()
    async for text in socket.iter_text():
        await socket.send_text(text.upper())


site = maas.mount("/web", web)
