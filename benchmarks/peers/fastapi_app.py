# SPDX-License-Identifier: Apache-2.0
"""The FastAPI peer: python fastapi_app.py MODEL.pt PORT.

`/predict` is as lean as FastAPI gets: the raw body, orjson by hand, the module called on the event
loop (a thread pool would cost more than so small a model). `/typed` is what its tutorial teaches:
pydantic models in and out.
"""

import sys

import orjson
import torch
import uvicorn
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel

app = FastAPI()
torch.set_num_threads(1)
net = torch.jit.load(sys.argv[1]).eval()


class Rows(BaseModel):
    """The request of /typed."""

    inputs: list[list[float]]


class Answers(BaseModel):
    """The answer of /typed."""

    outputs: list[list[float]]


def run(rows: list[list[float]]) -> list[list[float]]:
    """The model on a batch."""
    with torch.inference_mode():
        return net(torch.tensor(rows, dtype=torch.float32)).tolist()


@app.post("/predict")
async def predict(request: Request) -> Response:
    """The lean way."""
    answer = {"outputs": run(orjson.loads(await request.body())["inputs"])}
    return Response(orjson.dumps(answer), media_type="application/json")


@app.post("/typed")
async def typed(rows: Rows) -> Answers:
    """The tutorial's way."""
    return Answers(outputs=run(rows.inputs))


if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(sys.argv[2]),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )
