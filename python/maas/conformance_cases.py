# SPDX-License-Identifier: Apache-2.0
"""What the Open Inference Protocol asks of a server over HTTP, one small function for each case."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from maas.conformance_extensions import EXTENSIONS
from maas.conformance_target import (
    JSON,
    Case,
    Skipped,
    Target,
    Wrong,
    check,
    compressed,
    flat,
    nested,
    outputs_of,
    refused,
    wanted,
)


def _health(target: Target) -> None:
    for path in ("/v2/health/live", "/v2/health/ready", f"/v2/models/{target.model}/ready"):
        wanted(target.call("GET", path, headers={}), 200)


def _server(target: Target) -> None:
    found = target.get("/v2")
    check(isinstance(found["name"], str) and isinstance(found["version"], str), f"{found}")
    check(all(isinstance(item, str) for item in found["extensions"]), f"{found}")


def _metadata(target: Target) -> None:
    found = target.metadata
    check(found["name"] == target.model, f"name is {found['name']!r}")
    check(isinstance(found["platform"], str), "platform is no string")
    for item in [*found["inputs"], *found["outputs"]]:
        whole = {"name", "datatype", "shape"} <= set(item)
        check(whole and all(isinstance(size, int) for size in item["shape"]), f"{item}")


def _versions(target: Target) -> None:
    versions = target.metadata.get("versions")
    if not versions:
        raise Skipped("the model names no versions")
    check(all(isinstance(version, str) for version in versions), f"versions are {versions}")
    path = f"/v2/models/{target.model}/versions/{versions[-1]}"
    check(target.get(path)["name"] == target.model, "its metadata is another model's")
    body = json.dumps(target.request).encode()
    wanted(target.call("POST", f"{path}/infer", body), 200)


def _infer(target: Target) -> None:
    named = {item["name"]: item for item in target.metadata["outputs"]}
    outputs = outputs_of(target, target.infer(target.request))
    check(set(outputs) == set(named), f"the outputs are {sorted(outputs)}, not {sorted(named)}")
    for name, item in outputs.items():
        check(item["datatype"] == named[name]["datatype"], f"{name} is of {item['datatype']}")


def _nested(target: Target) -> None:
    inputs = target.inputs()
    for item in inputs:
        item["data"] = nested(flat(item["data"]), item["shape"])
    one = outputs_of(target, target.infer({**target.request, "inputs": inputs}))
    other = outputs_of(target, target.infer(target.request))
    check(
        {name: flat(item["data"]) for name, item in one.items()}
        == {name: flat(item["data"]) for name, item in other.items()},
        "the answers differ",
    )


def _identity(target: Target) -> None:
    for text in ("7", "a b"):
        found = wanted(target.infer({**target.request, "id": text}), 200).json()
        check(found.get("id") == text, f"the id came back as {found.get('id')!r}")


def _chosen_output(target: Target) -> None:
    name = target.metadata["outputs"][-1]["name"]
    answer = target.infer({**target.request, "outputs": [{"name": name}]})
    check(list(outputs_of(target, answer)) == [name], "other outputs came as well")


def _unknown_keys(target: Target) -> None:
    wanted(target.infer({**target.request, "model_name": target.model, "x": [1]}), 200)
    wanted(target.infer({**target.request, "parameters": {"x": "y", "z": 1}}), 200)


def _untyped(target: Target) -> None:
    wanted(target.infer(target.request, {}), 200)


def _form(target: Target) -> None:
    kind = wanted(target.infer(target.request), 200).headers.get("content-type", "")
    check(kind.split(";")[0] == "application/json", f"the Content-Type is {kind}")


def _no_such_model(target: Target) -> None:
    for path in ("", "/ready", "/versions/999999", "/versions/x"):
        name = target.model if "versions" in path else "no-such-model"
        refused(target.call("GET", f"/v2/models/{name}{path}", headers={}))
    body = json.dumps(target.request).encode()
    refused(target.call("POST", "/v2/models/no-such-model/infer", body))


def _changed(**change: Any) -> Callable[[Target], None]:
    def run(target: Target) -> None:
        inputs = target.inputs()
        for name, value in change.items():
            inputs[0][name] = value
        refused(target.infer({**target.request, "inputs": inputs}))

    return run


def _without(key: str) -> Callable[[Target], None]:
    def run(target: Target) -> None:
        inputs = target.inputs()
        del inputs[0][key]
        refused(target.infer({**target.request, "inputs": inputs}))

    return run


def _body(text: str) -> Callable[[Target], None]:
    def run(target: Target) -> None:
        refused(target.infer(text.replace("REQUEST", json.dumps(target.request)).encode()))

    return run


def _wrong_length(change: int) -> Callable[[Target], None]:
    def run(target: Target) -> None:
        inputs = target.inputs()
        data = flat(inputs[0]["data"])
        inputs[0]["data"] = data[:-1] if change < 0 else data + data[:1]
        refused(target.infer({**target.request, "inputs": inputs}))

    return run


def _ragged(target: Target) -> None:
    inputs = target.inputs()
    data = flat(inputs[0]["data"])
    inputs[0]["data"] = [data, data[:1], [data]]
    refused(target.infer({**target.request, "inputs": inputs}))


def _twice(target: Target) -> None:
    inputs = target.inputs()
    refused(target.infer({**target.request, "inputs": [*inputs, inputs[0]]}))


def _missing(target: Target) -> None:
    refused(target.infer({**target.request, "inputs": []}))
    refused(
        target.infer({name: value for name, value in target.request.items() if name != "inputs"})
    )


def _extra(target: Target) -> None:
    more = {"name": "no-such-input", "shape": [1], "datatype": "FP32", "data": [1.0]}
    refused(target.infer({**target.request, "inputs": [*target.inputs(), more]}))


def _no_such_output(target: Target) -> None:
    refused(target.infer({**target.request, "outputs": [{"name": "no-such-output"}]}))


def _wrong_method(target: Target) -> None:
    answer = target.call("GET", f"/v2/models/{target.model}/infer", headers={})
    check(answer.status in (404, 405), f"answered {answer.status} to GET")
    answer = target.call("POST", "/v2/health/live", b"{}")
    check(answer.status in (404, 405), f"answered {answer.status} to POST of health")


def _deep(target: Target) -> None:
    refused(target.infer(b"[" * 100_000))
    wanted(target.infer(target.request), 200)


def _coding(coding: str) -> Callable[[Target], None]:
    def run(target: Target) -> None:
        outputs_of(target, compressed(target, coding))

    return run


def _unknown_coding(target: Target) -> None:
    refused(target.infer(target.request, {**JSON, "Content-Encoding": "no-such-coding"}))


def _still_there(target: Target) -> None:
    if not isinstance(target.request, dict):
        raise Wrong("there is no request")
    wanted(target.infer(target.request), 200)


CASES = (
    Case("health and readiness are 200", _health),
    Case("the server describes itself", _server),
    Case("the model describes its tensors", _metadata),
    Case("versions are strings, and have paths of their own", _versions),
    Case("inference answers every output in its declared type", _infer),
    Case("data may be nested as the shape", _nested),
    Case("the id comes back", _identity),
    Case("outputs may be chosen", _chosen_output),
    Case("unknown keys and parameters are passed over", _unknown_keys),
    Case("a request without Content-Type is JSON", _untyped),
    Case("answers are application/json", _form),
    Case("an unknown model or version is an error of the client", _no_such_model),
    Case("an unknown input name is refused", _changed(name="no-such-input")),
    Case("an unknown datatype is refused", _changed(datatype="FLOAT")),
    Case("a negative dimension is refused", _changed(shape=[-1])),
    Case("a fractional dimension is refused", _changed(shape=[1.5])),
    Case("a product of dimensions beyond 64 bits is refused", _changed(shape=[1 << 32] * 3)),
    Case("a rank of 65 is refused", _changed(shape=[1] * 65)),
    Case("a shape that is no list is refused", _changed(shape=1)),
    Case("data that is null is refused", _changed(data=None)),
    Case("an input without name is refused", _without("name")),
    Case("an input without shape is refused", _without("shape")),
    Case("an input without datatype is refused", _without("datatype")),
    Case("an input without data is refused", _without("data")),
    Case("too little data is refused", _wrong_length(-1)),
    Case("too much data is refused", _wrong_length(1)),
    Case("ragged data is refused", _ragged),
    Case("an input that comes twice is refused", _twice),
    Case("a request without inputs is refused", _missing),
    Case("an input that the model lacks is refused", _extra),
    Case("an output that the model lacks is refused", _no_such_output),
    Case("an empty body is refused", _body("")),
    Case("a body that is no object is refused", _body("[]")),
    Case("JSON that is cut is refused", _body('{"inputs":[')),
    Case("text behind the JSON is refused", _body("REQUESTx")),
    Case("a wrong method is 405", _wrong_method),
    Case("100,000 levels of nesting are refused", _deep),
    Case("a gzip body is inflated", _coding("gzip")),
    Case("a deflate body is inflated", _coding("deflate")),
    Case("an unknown coding is refused", _unknown_coding),
    *EXTENSIONS,
    Case("the model still answers in the end", _still_there),
)
