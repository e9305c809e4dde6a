# SPDX-License-Identifier: Apache-2.0
"""Inferences over gRPC per CPU second of the server, and what of it is the transport's own.

A 4-16-3 network, calls from one client with 16 under way. Contestants: maas; a server by hand
(grpc.aio, generated messages, numpy, the same module); and grpc.aio answering with constant bytes,
which is what the transport alone costs. The server has core 0, the client core 1. Needs grpcio,
torch and tritonclient[grpc] in this Python.
"""

import argparse
import asyncio
import json
import os
import pathlib
import subprocess
import sys
import time

import grpc
import grpc.aio
import numpy as np
from tritonclient.grpc import service_pb2

from harness import Server, free_port, maas_command, scratch_folder
from models import outputs_of, save_mlp, some_rows, write_mlp_app
from report import Report, arguments, middle

HERE = pathlib.Path(__file__).resolve().parent
INFER = "/inference.GRPCInferenceService/ModelInfer"
LEAST_OF_BY_HAND, LEAST_OF_CONSTANT = 1.0, 0.5


def message(row: list[float]) -> bytes:
    tensor = service_pb2.ModelInferRequest.InferInputTensor(name="x", datatype="FP32", shape=[1, 4])
    raw = np.array(row, np.float32).tobytes()
    request = service_pb2.ModelInferRequest(
        model_name="mlp", inputs=[tensor], raw_input_contents=[raw]
    )
    return bytes(request.SerializeToString())


def output(answer: bytes) -> list[float]:
    found = service_pb2.ModelInferResponse.FromString(answer)
    values: list[float] = np.frombuffer(found.raw_output_contents[0], np.float32).tolist()
    return values


async def load(port: int, seconds: float, under_way: int) -> int:
    """So many calls at once, each again as soon as it is answered; how many there were."""
    count, end = 0, time.monotonic() + seconds
    asked = message(some_rows(1)[0])
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        infer = channel.unary_unary(INFER)

        async def one() -> None:
            nonlocal count
            while time.monotonic() < end:
                await infer(asked)
                count += 1

        await asyncio.gather(*(one() for _ in range(under_way)))
    return count


def measure(args: argparse.Namespace, name: str, folder: pathlib.Path) -> dict[str, float]:
    """One turn of one server."""
    module = save_mlp(folder / "mlp.pt")
    row = some_rows(1)
    port, http = free_port(), free_port()
    if name == "maas":
        app = write_mlp_app(folder, ["mlp"])
        command = [*maas_command(args.python, app, http), "--grpc-port", str(port)]
    else:
        peer = [args.python, str(HERE / "peers/grpc_by_hand.py"), str(folder / "mlp.pt"), str(port)]
        command = [*peer, "constant"] if name == "constant" else peer
    expected = outputs_of(module, row)[0]
    with Server(name, command, port, "0", str(folder / f"{name}.log")) as server:

        def right() -> bool:
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                try:
                    answer = channel.unary_unary(INFER)(message(row[0]), timeout=1)
                except grpc.RpcError:
                    return False
            return bool(np.allclose(output(answer), expected, atol=1e-5))

        server.wait_ready(right)
        drive = [sys.executable, str(HERE / "grpc_inference.py"), "--drive", str(port)]
        drive += ["--under-way", str(args.under_way)]
        subprocess.run([*drive, "--seconds", str(args.warmup)], check=True, capture_output=True)
        before, start = server.cpu_seconds(), time.monotonic()
        done = subprocess.run(
            [*drive, "--seconds", str(args.seconds)], check=True, capture_output=True
        )
        spent, wall = server.cpu_seconds() - before, time.monotonic() - start
        if not right():
            sys.exit(f"{name}: wrong answers")
    count = int(json.loads(done.stdout))
    return {"per CPU s": count / spent, "per s": count / wall, "us of CPU": 1e6 * spent / count}


def main() -> int:
    """Run the turns and judge."""
    parser = arguments(__doc__)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--warmup", type=float, default=2)
    parser.add_argument("--under-way", type=int, default=16)
    parser.add_argument("--drive", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.drive:
        os.sched_setaffinity(0, {1})
        sys.stdout.write(json.dumps(asyncio.run(load(args.drive, args.seconds, args.under_way))))
        return 0
    report = Report("Inferences over gRPC", args)
    rows = []
    figures: dict[str, list[float]] = {}
    with scratch_folder() as folder:
        for turn in range(1, args.turns + 1):
            for name in ("maas", "by hand", "constant"):
                found = measure(args, name, folder)
                figures.setdefault(name, []).append(found["per CPU s"])
                rows.append({"turn": turn, "server": name, **found})
    report.table(f"{args.under_way} calls under way, {args.seconds:g} s each", rows)
    for name, least in (("by hand", LEAST_OF_BY_HAND), ("constant", LEAST_OF_CONSTANT)):
        pairs = zip(figures["maas"], figures[name], strict=True)
        ratio = middle([ours / theirs for ours, theirs in pairs])
        report.target(f"maas / {name}, per CPU second, median of turns", ratio, least=least)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
