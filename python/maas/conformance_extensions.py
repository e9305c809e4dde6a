# SPDX-License-Identifier: Apache-2.0
"""The cases of the protocol's extensions, run where a server names them."""

from __future__ import annotations

import json
import math
import struct

from maas.conformance_target import (
    HEADER,
    JSON,
    Case,
    Skipped,
    Target,
    binary,
    binary_call,
    check,
    flat,
    outputs_of,
    refused,
    wanted,
)


def _binary_in(target: Target) -> None:
    one = outputs_of(target, binary_call(target))
    check(one == outputs_of(target, target.infer(target.request)), "the answers differ")


def _binary_out(target: Target) -> None:
    answer = wanted(
        target.infer({**target.request, "parameters": {"binary_data_output": True}}), 200
    )
    length = int(answer.headers[HEADER.lower()])
    found = json.loads(answer.body[:length])
    sizes = [item["parameters"]["binary_data_size"] for item in found["outputs"]]
    check(length + sum(sizes) == len(answer.body), "the sizes do not add up to the body")
    one = {**target.request}
    one["outputs"] = [
        {"name": item["name"], "parameters": {"binary_data": True}} for item in found["outputs"]
    ]
    again = wanted(target.infer(one), 200)
    check(again.body[int(again.headers[HEADER.lower()]) :] == answer.body[length:], "they differ")


def _binary_rest(target: Target) -> None:
    refused(binary_call(target, rest=b"rest"))


def _binary_cut(target: Target) -> None:
    request, behind = binary(target)
    text = json.dumps(request).encode()
    refused(target.infer(text, {HEADER: str(len(text))}, behind[:-1]))


def _binary_header(target: Target) -> None:
    refused(binary_call(target, length=1 << 30))
    request, behind = binary(target)
    for value in ("-1", "x", "1.5", str(1 << 64)):
        refused(target.infer(json.dumps(request).encode(), {HEADER: value}, behind))


def _binary_whole(target: Target) -> None:
    text = json.dumps(target.request).encode()
    outputs_of(target, target.infer(text, {**JSON, HEADER: str(len(text))}))


def _raw(target: Target) -> None:
    inputs = target.metadata["inputs"]
    if len(inputs) != 1 or sum(size < 0 for size in inputs[0]["shape"]) > 1:
        raise Skipped("the model has several inputs, or several variable dimensions")
    _, behind = binary(target)
    if inputs[0]["datatype"] == "BYTES":
        behind = behind[4:]
    answer = wanted(target.infer(behind, {HEADER: "0"}), 200)
    check(HEADER.lower() in answer.headers, "the outputs did not come as binary data")


def _bytes_length(target: Target) -> None:
    name = target.inputs()[0]["name"]
    item = {"name": name, "shape": [1], "datatype": "BYTES", "parameters": {"binary_data_size": 6}}
    text = json.dumps({"inputs": [item]}).encode()
    refused(target.infer(text, {HEADER: str(len(text))}, struct.pack("<I", 1 << 31) + b"ab"))


def _classes(target: Target) -> None:
    spec = next(
        (item for item in target.metadata["outputs"] if item["datatype"] in ("FP32", "FP64")), None
    )
    if spec is None:
        raise Skipped("the model has no output of floats")
    output = {"name": spec["name"], "parameters": {"classification": 1}}
    found = outputs_of(target, target.infer({**target.request, "outputs": [output]}))
    item = found[spec["name"]]
    check(item["datatype"] == "BYTES", f"its datatype is {item['datatype']}")
    value, index = flat(item["data"])[0].split(":")[:2]
    check(math.isfinite(float(value)) and int(index) >= 0, f"a class is {item['data']}")


def _config(target: Target) -> None:
    found = target.get(f"/v2/models/{target.model}/config")
    check(isinstance(found["max_batch_size"], int), "max_batch_size is no number")
    for item in [*found["input"], *found["output"]]:
        check(item["data_type"].startswith("TYPE_"), f"{item}")


def _statistics(target: Target) -> None:
    def count() -> tuple[int, int]:
        found = target.get(f"/v2/models/{target.model}/stats")["model_stats"][-1]
        return found["inference_count"], found["inference_stats"]["success"]["count"]

    before = count()
    for _ in range(3):
        wanted(target.infer(target.request), 200)
    after = count()
    check(after[1] - before[1] == 3, f"3 requests made {after[1] - before[1]} successes")
    check(after[0] > before[0], "inference_count did not grow")
    names = [item["name"] for item in target.get("/v2/models/stats")["model_stats"]]
    check(target.model in names, "the model is not in the statistics of all")


def _index(target: Target) -> None:
    for body in (b"", b"{}", b'{"ready":true}'):
        found = wanted(target.call("POST", "/v2/repository/index", body), 200).json()
        check(target.model in [item["name"] for item in found], "the model is not in the index")


def _half(target: Target) -> None:
    inputs = target.inputs()
    inputs[0]["datatype"] = "FP16"
    refused(target.infer({**target.request, "inputs": inputs}))


_BINARY = "binary_tensor_data"
EXTENSIONS = (
    Case("binary inputs", _binary_in, _BINARY),
    Case("binary outputs, for all and for each", _binary_out, _BINARY),
    Case("bytes behind the last tensor are refused", _binary_rest, _BINARY),
    Case("a tensor that is cut is refused", _binary_cut, _BINARY),
    Case("a wrong length of the JSON is refused", _binary_header, _BINARY),
    Case("a length of the JSON that is the whole body", _binary_whole, _BINARY),
    Case("a string's length beyond the body is refused", _bytes_length, _BINARY),
    Case("a raw request", _raw, _BINARY),
    Case("16-bit floats as JSON are refused", _half, _BINARY),
    Case("classes of an output", _classes, "classification"),
    Case("the model's configuration", _config, "model_configuration"),
    Case("statistics count what was asked", _statistics, "statistics"),
    Case("the repository's index, also for an empty body", _index, "model_repository"),
)
