# SPDX-License-Identifier: Apache-2.0
"""The FastAPI peer of oip_image.py: python fastapi_image.py MODEL.pt PORT.

As lean as FastAPI gets with orjson and numpy: the raw body, the data into a float32 array, the
module called on the event loop.
"""

import sys

import numpy as np
import orjson
import torch
import uvicorn
from fastapi import FastAPI, Request, Response

app = FastAPI()
torch.set_num_threads(1)
net = torch.jit.load(sys.argv[1]).eval()


@app.post("/predict")
async def predict(request: Request) -> Response:
    """One image, as the protocol has it."""
    tensor = orjson.loads(await request.body())["inputs"][0]
    image = np.array(tensor["data"], dtype=np.float32).reshape(tensor["shape"])
    with torch.inference_mode():
        scores = net(torch.from_numpy(image)).numpy()
    answer = {"outputs": [{"name": "y", "shape": scores.shape, "data": scores.ravel().tolist()}]}
    return Response(orjson.dumps(answer), media_type="application/json")


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
