"""tritonclient, sync and aio, as it comes from PyPI, against a real server."""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from protocol_server import ECHOES, serving

import maas

triton = pytest.importorskip("tritonclient.http")
aio = pytest.importorskip("tritonclient.http.aio")
exceptions = pytest.importorskip("tritonclient.utils")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[maas.Server]:
    @maas.endpoint("/shout")
    def shout(text: str, times: int = 1) -> str:
        return text.upper() * times

    @maas.endpoint("/spell")
    def spell(prompt: str) -> Iterator[str]:
        yield from prompt

    with serving(tmp_path_factory.mktemp("models"), shout, spell) as running:
        yield running


@pytest.fixture
def client(server: maas.Server) -> Iterator[Any]:
    made = triton.InferenceServerClient(f"127.0.0.1:{server.port}")
    yield made
    made.close()


def given(values: np.ndarray[Any, Any], datatype: str = "FP32", *, binary: bool = True) -> Any:
    tensor = triton.InferInput("x", list(values.shape), datatype)
    tensor.set_data_from_numpy(values, binary_data=binary)
    return tensor


def wanted(*, binary: bool = True, classes: int = 0) -> Any:
    return triton.InferRequestedOutput("y", binary_data=binary, class_count=classes)


ROWS = np.arange(6, dtype=np.float32).reshape(2, 3)


def test_it_learns_what_the_server_and_its_models_are(client: Any) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("m")
    assert client.is_model_ready("m", "1")
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
    metadata = client.get_model_metadata("m")
    assert metadata["inputs"] == [{"name": "x", "datatype": "FP32", "shape": [-1, 3]}]
    config = client.get_model_config("m")
    assert config["max_batch_size"] == 8
    assert config["input"][0]["data_type"] == "TYPE_FP32"
    assert config["input"][0]["dims"] == [3]
    assert config["dynamic_batching"]["default_queue_policy"]["max_queue_size"] == 1024


@pytest.mark.parametrize("coding", [None, "gzip", "deflate"])
@pytest.mark.parametrize("into", [True, False])
@pytest.mark.parametrize("out", [True, False])
def test_every_form_of_a_request_is_answered(
    client: Any, into: bool, out: bool, coding: str | None
) -> None:
    rows = np.tile(ROWS, (200, 1))  # enough for the answer to be compressed
    answer = client.infer(
        "m",
        [given(rows, binary=into)],
        outputs=[wanted(binary=out)],
        request_id="7",
        request_compression_algorithm=coding,
        response_compression_algorithm=coding,
    )
    assert (answer.as_numpy("y") == rows * 2).all()
    assert answer.get_response()["id"] == "7"
    assert answer.get_response()["model_version"] == "1"


def test_an_answer_is_compressed_for_who_asks(server: maas.Server) -> None:
    tensor = {"name": "x", "shape": [2000, 3], "datatype": "FP32", "data": [1] * 6000}
    body = json.dumps({"inputs": [tensor]}).encode()

    def coding(accepted: str) -> str | None:
        request = urllib.request.Request(
            f"{server.url}/v2/models/m/infer",
            body,
            {"Content-Type": "application/json", "Accept-Encoding": accepted},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            found: str | None = answer.headers["Content-Encoding"]
            return found

    assert [coding(text) for text in ("gzip", "deflate", "gzip, deflate, br", "identity")] == [
        "gzip",
        "deflate",
        None,
        None,
    ]


@pytest.mark.parametrize("name", [name for name in ECHOES if name != "bf16"])
def test_every_dtype_comes_back_bit_by_bit(client: Any, name: str) -> None:
    random = np.random.default_rng(1)
    dtype = np.dtype(ECHOES[name])
    raw = random.integers(0, 256, 1000 * dtype.itemsize, dtype=np.uint8)
    values = (raw % 2).astype(bool) if name == "bool" else raw.view(dtype)
    answer = client.infer(
        f"echo_{name}", [given(values.reshape(1, -1), name.upper())], outputs=[wanted()]
    )
    assert answer.as_numpy("y").tobytes() == values.tobytes()


def test_a_large_tensor_goes_both_ways(client: Any) -> None:
    values = np.random.default_rng(1).random((1, 3_000_000)).astype(np.float32)
    answer = client.infer("echo_fp32", [given(values)], outputs=[wanted()])
    assert (answer.as_numpy("y") == values).all()


def test_raw_requests_are_answered(server: maas.Server) -> None:
    request = urllib.request.Request(
        f"{server.url}/v2/models/m/infer",
        ROWS.tobytes(),
        {"Inference-Header-Content-Length": "0", "Content-Type": "application/octet-stream"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        length = int(answer.headers["Inference-Header-Content-Length"])
        whole = answer.read()
    assert json.loads(whole[:length])["outputs"][0]["shape"] == [2, 3]
    assert whole[length:] == (ROWS * 2).tobytes()


def test_classes_come_with_their_labels(client: Any) -> None:
    for binary in (True, False):
        answer = client.infer("m", [given(ROWS)], outputs=[wanted(binary=binary, classes=2)])
        found = [
            item if isinstance(item, str) else item.decode()
            for item in answer.as_numpy("y").reshape(-1)
        ]
        assert found == ["4:2", "2:1:dog", "10:2", "8:1:dog"]


def test_statistics_are_exact(client: Any) -> None:
    def counted() -> Any:
        return client.get_inference_statistics("m", "1")["model_stats"][0]

    before = counted()
    for _ in range(5):
        client.infer("m", [given(ROWS)])
    with pytest.raises(exceptions.InferenceServerException):
        client.infer("m", [given(ROWS[:, :2])])
    after = counted()
    grown = {
        name: {
            key: after["inference_stats"][name][key] - before["inference_stats"][name][key]
            for key in ("count", "ns")
        }
        for name in ("success", "fail", "queue", "compute_infer")
    }
    assert grown["success"]["count"] == grown["queue"]["count"] == 5
    assert grown["fail"]["count"] == 1
    assert after["inference_count"] - before["inference_count"] == 10
    assert after["execution_count"] - before["execution_count"] == 5
    assert grown["success"]["ns"] >= grown["queue"]["ns"] + grown["compute_infer"]["ns"]
    assert after["last_inference"] >= before["last_inference"] > 0
    everything = client.get_inference_statistics()["model_stats"]
    assert {"m", "echo_fp32"} <= {item["name"] for item in everything}


def test_models_are_loaded_and_unloaded(client: Any) -> None:
    def states() -> dict[str, str]:
        return {item["name"]: item["state"] for item in client.get_model_repository_index()}

    values = np.ones((1, 2), dtype=np.float64)
    client.unload_model("echo_fp64")
    assert states()["echo_fp64"] == "UNAVAILABLE"
    assert not client.is_model_ready("echo_fp64")
    with pytest.raises(exceptions.InferenceServerException, match="unloaded"):
        client.infer("echo_fp64", [given(values, "FP64")])
    client.load_model("echo_fp64")
    assert states()["echo_fp64"] == "READY"
    assert (client.infer("echo_fp64", [given(values, "FP64")]).as_numpy("y") == values).all()
    with pytest.raises(exceptions.InferenceServerException, match="no model"):
        client.load_model("nothing")


def test_errors_are_told_in_the_client_s_form(client: Any) -> None:
    with pytest.raises(exceptions.InferenceServerException, match="no model 'nothing'"):
        client.infer("nothing", [given(ROWS)])
    with pytest.raises(exceptions.InferenceServerException, match=r"\[2, 2\]"):
        client.infer("m", [given(ROWS[:, :2])])


def test_the_aio_client_works_as_well(server: maas.Server) -> None:
    async def run() -> None:
        async with aio.InferenceServerClient(f"127.0.0.1:{server.port}") as client:
            assert await client.is_server_ready()
            assert (await client.get_model_config("m"))["name"] == "m"
            assert (await client.get_inference_statistics("m"))["model_stats"]
            assert await client.get_model_repository_index()
            for binary in (True, False):
                answers = await asyncio.gather(
                    *(
                        client.infer(
                            "m", [given(ROWS, binary=binary)], outputs=[wanted(binary=binary)]
                        )
                        for _ in range(8)
                    )
                )
                for answer in answers:
                    assert (answer.as_numpy("y") == ROWS * 2).all()

    asyncio.run(run())


def call(server: maas.Server, path: str, body: object) -> str:
    request = urllib.request.Request(
        server.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        text: str = answer.read().decode()
        return text


def test_text_is_generated_whole_and_bit_by_bit(server: maas.Server) -> None:
    asked = {"text_input": "hi", "parameters": {"times": 2, "temperature": 0.5}, "id": "7"}
    assert json.loads(call(server, "/v2/models/shout/generate", asked)) == {
        "model_name": "shout",
        "model_version": "1",
        "id": "7",
        "text_output": "HIHI",
    }
    spelt = json.loads(call(server, "/v2/models/spell/generate", {"text_input": 'a"é'}))
    assert spelt["text_output"] == 'a"é'
    events = call(server, "/v2/models/spell/versions/1/generate_stream", {"text_input": "abc"})
    parts = [line[6:] for line in events.splitlines() if line.startswith("data: ")]
    assert [json.loads(part)["text_output"] for part in parts] == ["a", "b", "c"]


def test_what_kserve_s_client_sends_is_answered(server: maas.Server) -> None:
    # Its InferenceRESTClient: health bodies, a top-level model_name, field names in lower case.
    for path, body in (
        ("/v2/health/live", {"live": True}),
        ("/v2/health/ready", {"live": True, "ready": True}),
    ):
        with urllib.request.urlopen(server.url + path, timeout=60) as answer:
            assert json.loads(answer.read()) == body
    head = json.dumps(
        {
            "id": "1",
            "model_name": "m",
            "inputs": [
                {
                    "name": "x",
                    "shape": [2, 3],
                    "datatype": "FP32",
                    "parameters": {"binary_data_size": 24},
                }
            ],
        }
    ).encode()
    request = urllib.request.Request(
        f"{server.url}/v2/models/m/infer",
        head + ROWS.tobytes(),
        {
            "content-type": "application/octet-stream",
            "inference-header-content-length": str(len(head)),
        },
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert json.loads(answer.read())["id"] == "1"
    request = urllib.request.Request(f"{server.url}/v2/models/none/infer", b"{}", {"a": "b"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=60)
    with refused.value as error:
        assert error.headers["content-type"] == "application/json"


def test_what_perf_analyzer_sends_is_answered(server: maas.Server) -> None:
    for path in ("v2", "v2/models/m", "v2/models/m/config", "v2/models/m/stats"):
        with urllib.request.urlopen(f"{server.url}/{path}", timeout=60) as answer:
            assert answer.headers["content-type"] == "application/json"
            assert json.loads(answer.read())
    # In its JSON mode the field covers the whole body.
    tensor = {"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]}
    body = json.dumps({"inputs": [tensor]}).encode()
    request = urllib.request.Request(
        f"{server.url}/v2/models/m/infer",
        body,
        {
            "Content-Type": "application/json",
            "Inference-Header-Content-Length": str(len(body)),
        },
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert json.loads(answer.read())["outputs"][0]["data"] == [2, 4, 6]
