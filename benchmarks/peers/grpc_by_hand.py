# SPDX-License-Identifier: Apache-2.0
"""What one writes by hand: grpc.aio, generated messages, numpy, and the module called for each.

grpc_by_hand.py MODEL.pt PORT [constant]   `constant` answers every call with the same bytes
"""

import asyncio
import sys
from typing import Any

import grpc.aio
import numpy as np
import torch
from tritonclient.grpc import service_pb2

INFER = "/inference.GRPCInferenceService/ModelInfer"


def answer(module: Any, message: bytes) -> bytes:
    request = service_pb2.ModelInferRequest.FromString(message)
    tensor = request.inputs[0]
    rows = np.frombuffer(request.raw_input_contents[0], np.float32).reshape(list(tensor.shape))
    with torch.inference_mode():
        made = module(torch.from_numpy(rows.copy())).numpy()
    output = service_pb2.ModelInferResponse.InferOutputTensor(
        name="y", datatype="FP32", shape=made.shape
    )
    response = service_pb2.ModelInferResponse(
        model_name=request.model_name,
        model_version="1",
        id=request.id,
        outputs=[output],
        raw_output_contents=[made.tobytes()],
    )
    return bytes(response.SerializeToString())


async def serve(path: str, port: int, constant: bool) -> None:
    torch.set_num_threads(1)
    module = torch.jit.load(path)  # type: ignore[no-untyped-call]
    kept: list[bytes] = []

    async def infer(message: bytes, _: Any) -> bytes:
        if not constant:
            return answer(module, message)
        if not kept:
            kept.append(answer(module, message))
        return kept[0]

    class Handlers(grpc.GenericRpcHandler):  # type: ignore[misc]
        def service(self, details: Any) -> Any:
            return grpc.unary_unary_rpc_method_handler(infer) if details.method == INFER else None

    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((Handlers(),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), "constant" in sys.argv[3:]))
