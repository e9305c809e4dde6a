"""tritonclient over gRPC, sync, aio and streaming, as it comes from PyPI, against a real server."""

import asyncio
import os
import queue
import re
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import tritonclient.grpc as triton
from protocol_server import ECHOES, serving, slow_file
from server_process import Process
from tritonclient import utils as exceptions
from tritonclient.grpc import aio
from tritonclient.grpc import service_pb2 as service
from tritonclient.grpc import service_pb2_grpc as stubs

import maas
from maas.config import Settings

ROWS = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[maas.Server]:
    with serving(tmp_path_factory.mktemp("models")) as running:
        yield running


@pytest.fixture
def client(server: maas.Server) -> Iterator[Any]:
    made = triton.InferenceServerClient(f"127.0.0.1:{server.grpc_port}")
    yield made
    made.close()


@pytest.fixture
def stub(server: maas.Server) -> Iterator[Any]:
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        yield stubs.GRPCInferenceServiceStub(channel)


def given(values: np.ndarray[Any, Any], datatype: str = "FP32") -> Any:
    tensor = triton.InferInput("x", list(values.shape), datatype)
    tensor.set_data_from_numpy(values)
    return tensor


def request_of(**contents: Any) -> Any:
    """Rows for `m`, not as bytes but as a list of numbers, as other clients send them."""
    tensor = service.ModelInferRequest.InferInputTensor(
        name="x",
        datatype="FP32",
        shape=[2, 3],
        contents=service.InferTensorContents(**contents),
    )
    return service.ModelInferRequest(model_name="m", id="9", inputs=[tensor])


def test_it_learns_what_the_server_and_its_models_are(client: Any) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("m")
    assert client.is_model_ready("m", "1")
    assert not client.is_model_ready("nothing")
    about = client.get_server_metadata()
    assert about.name == "maas"
    assert "classification" in about.extensions
    metadata = client.get_model_metadata("m", as_json=True)
    assert metadata["inputs"] == [{"name": "x", "datatype": "FP32", "shape": ["-1", "3"]}]
    config = client.get_model_config("m").config
    assert config.max_batch_size == 8
    assert config.input[0].data_type == 11  # TYPE_FP32
    assert list(config.input[0].dims) == [3]
    assert config.dynamic_batching.default_queue_policy.max_queue_size == 1024
    assert list(config.version_policy.specific.versions) == [1]


@pytest.mark.parametrize("coding", [None, "gzip", "deflate"])
def test_tensors_are_answered_with_tensors(client: Any, coding: str | None) -> None:
    answer = client.infer("m", [given(ROWS)], request_id="7", compression_algorithm=coding)
    assert (answer.as_numpy("y") == ROWS * 2).all()
    assert answer.get_response().id == "7"
    assert answer.get_response().model_version == "1"


@pytest.mark.parametrize("name", [name for name in ECHOES if name != "bf16"])
def test_every_dtype_comes_back_bit_by_bit(client: Any, name: str) -> None:
    random = np.random.default_rng(1)
    dtype = np.dtype(ECHOES[name])
    raw = random.integers(0, 256, 1000 * dtype.itemsize, dtype=np.uint8)
    values = (raw % 2).astype(bool) if name == "bool" else raw.view(dtype)
    answer = client.infer(f"echo_{name}", [given(values.reshape(1, -1), name.upper())])
    assert answer.as_numpy("y").tobytes() == values.tobytes()


def test_numbers_need_not_be_bytes(stub: Any) -> None:
    answer = stub.ModelInfer(request_of(fp32_contents=[0, 1, 2, 3, 4, 5]))
    assert answer.id == "9"
    assert np.frombuffer(answer.raw_output_contents[0], np.float32).tolist() == [0, 2, 4, 6, 8, 10]
    for datatype, field, values in (
        ("BOOL", "bool_contents", [True, False]),
        ("INT8", "int_contents", [-128, 127]),
        ("INT64", "int64_contents", [-(2**63), 2**63 - 1]),
        ("FP64", "fp64_contents", [1e300, -0.5]),
    ):
        tensor = service.ModelInferRequest.InferInputTensor(
            name="x",
            datatype=datatype,
            shape=[1, 2],
            contents=service.InferTensorContents(**{field: values}),
        )
        name = f"echo_{datatype.lower()}"
        raw = stub.ModelInfer(service.ModelInferRequest(model_name=name, inputs=[tensor]))
        dtype = np.dtype(ECHOES[datatype.lower()])
        assert np.frombuffer(raw.raw_output_contents[0], dtype).tolist() == values


def test_classes_come_with_their_labels(client: Any) -> None:
    wanted = triton.InferRequestedOutput("y", class_count=2)
    answer = client.infer("m", [given(ROWS)], outputs=[wanted])
    assert answer.as_numpy("y").tolist() == [[b"4:2", b"2:1:dog"], [b"10:2", b"8:1:dog"]]


def test_it_counts_what_http_counts(client: Any) -> None:
    def counted() -> Any:
        return client.get_inference_statistics("m", "1").model_stats[0]

    before = counted()
    for _ in range(5):
        client.infer("m", [given(ROWS)])
    with pytest.raises(exceptions.InferenceServerException):
        client.infer("m", [given(ROWS[:, :2])])
    after = counted()
    assert after.inference_count - before.inference_count == 10
    assert after.inference_stats.success.count - before.inference_stats.success.count == 5
    assert after.inference_stats.fail.count - before.inference_stats.fail.count == 1
    everything = {item.name for item in client.get_inference_statistics().model_stats}
    assert {"m", "echo_fp32"} <= everything


def test_models_are_loaded_and_unloaded(client: Any) -> None:
    def states() -> dict[str, str]:
        return {item.name: item.state for item in client.get_model_repository_index().models}

    values = np.ones((1, 2), dtype=np.float64)
    client.unload_model("echo_fp64")
    assert states()["echo_fp64"] == "UNAVAILABLE"
    assert not client.is_model_ready("echo_fp64")
    with pytest.raises(exceptions.InferenceServerException, match="unloaded") as refused:
        client.infer("echo_fp64", [given(values, "FP64")])
    assert refused.value.status() == "StatusCode.UNAVAILABLE"
    client.load_model("echo_fp64")
    assert states()["echo_fp64"] == "READY"
    assert (client.infer("echo_fp64", [given(values, "FP64")]).as_numpy("y") == values).all()
    with pytest.raises(exceptions.InferenceServerException, match="no model"):
        client.load_model("nothing")
    with pytest.raises(exceptions.InferenceServerException, match="'config' is not supported"):
        client.load_model("m", config="{}")


def test_errors_have_a_status_and_a_sentence(client: Any, stub: Any) -> None:
    for values, model, status, text in (
        (ROWS, "nothing", "NOT_FOUND", "no model 'nothing'"),
        (ROWS, "a/b", "INVALID_ARGUMENT", "no model name"),
        (ROWS[:, :2], "m", "INVALID_ARGUMENT", r"\[2, 2\]"),
    ):
        with pytest.raises(exceptions.InferenceServerException, match=text) as failed:
            client.infer(model, [given(values)])
        assert failed.value.status() == f"StatusCode.{status}"
    with pytest.raises(grpc.RpcError) as failed:
        stub.SystemSharedMemoryStatus(service.SystemSharedMemoryStatusRequest())
    assert failed.value.code() is grpc.StatusCode.UNIMPLEMENTED
    with pytest.raises(grpc.RpcError) as failed:
        stub.ModelInfer(request_of(int_contents=[1] * 6))
    assert failed.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "go into fp32_contents, not into int_contents" in failed.value.details()


def test_a_message_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    server = maas.Server(port=0, settings=Settings(grpc_port=0, max_body_bytes=1000))
    with server, grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        with pytest.raises(grpc.RpcError) as refused:
            stubs.GRPCInferenceServiceStub(channel).ModelInfer(
                service.ModelInferRequest(model_name="m", raw_input_contents=[bytes(2000)])
            )
        assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_the_id_of_a_request_comes_back_in_its_trailers(stub: Any) -> None:
    _, call = stub.ModelInfer.with_call(
        request_of(fp32_contents=[0] * 6), metadata=(("x-request-id", "mine"),)
    )
    assert ("x-request-id", "mine") in [tuple(item) for item in call.trailing_metadata()]


def test_the_aio_client_works_as_well(server: maas.Server) -> None:
    async def run() -> None:
        async with aio.InferenceServerClient(f"127.0.0.1:{server.grpc_port}") as client:
            assert await client.is_server_ready()
            assert (await client.get_model_config("m")).config.name == "m"
            answers = await asyncio.gather(*(client.infer("m", [given(ROWS)]) for _ in range(50)))
            for answer in answers:
                assert (answer.as_numpy("y") == ROWS * 2).all()

    asyncio.run(run())


def test_a_stream_answers_in_order_and_survives_what_fails(client: Any) -> None:
    answers: queue.Queue[tuple[Any, Any]] = queue.Queue()
    client.start_stream(callback=lambda result, error: answers.put((result, error)))
    for number in range(200):
        values = ROWS[:, :2] if number % 50 == 7 else ROWS + number
        client.async_stream_infer("m", [given(values)], request_id=str(number))
    for number in range(200):
        result, error = answers.get(timeout=60)
        if number % 50 == 7:
            assert "[2, 2]" in str(error)
        else:
            assert error is None
            assert result.get_response().id == str(number)
            assert (result.as_numpy("y") == (ROWS + number) * 2).all()
    client.stop_stream()


def test_the_failed_answer_of_a_stream_names_its_request(stub: Any) -> None:
    wrong = request_of(fp32_contents=[0] * 5)
    right = request_of(fp32_contents=[0] * 6)
    answers = list(stub.ModelStreamInfer(iter([wrong, right])))
    assert "another number of elements" in answers[0].error_message
    assert answers[0].infer_response.id == "9"
    assert answers[1].infer_response.model_name == "m"


def test_health_is_told_as_kubernetes_asks_for_it(server: maas.Server) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        check = channel.unary_unary("/grpc.health.v1.Health/Check")
        assert check(b"") == b"\x08\x01"  # SERVING
        assert check(b"\x0a\x01m") == b"\x08\x01"
        with pytest.raises(grpc.RpcError) as failed:
            check(b"\x0a\x04none")
        assert failed.value.code() is grpc.StatusCode.NOT_FOUND
        with pytest.raises(grpc.RpcError) as failed:
            check(b"\x0a\x7f")
        assert failed.value.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[maas.Server]:
    path = slow_file(tmp_path_factory.mktemp("slow"))
    row = maas.Tensor("float32", [1])
    model = maas.load(path, name="slow", inputs={"x": row}, outputs={"y": row})
    server = maas.Server(port=0, settings=Settings(grpc_port=0))
    server.publish(model)
    with server:
        yield server


def times(count: int) -> Any:
    return given(np.array([[count]], np.float32))


LONG = 30_000  # multiplications: a second or so


def counted(server: maas.Server, start: str) -> float:
    """The sum of the metrics whose lines begin so."""
    with maas.Client(server.url) as client:
        page = client.exchange("GET", "/metrics", [], b"")[2].decode()
    return sum(float(line.split()[-1]) for line in page.splitlines() if line.startswith(start))


def withdrawn(server: maas.Server) -> float:
    return counted(server, 'maas_cancelled_total{model="slow"')


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_deadline_is_told_while_the_model_still_runs(slow: maas.Server) -> None:
    with triton.InferenceServerClient(f"127.0.0.1:{slow.grpc_port}") as client:
        running = 'maas_cancelled_total{model="slow",version="1",stage="running",reason="deadline"'
        before = counted(slow, running)
        with pytest.raises(exceptions.InferenceServerException, match="deadline passed") as late:
            client.infer("slow", [times(LONG)], timeout=50_000)  # microseconds
        assert late.value.status() == "StatusCode.DEADLINE_EXCEEDED"
        assert counted(slow, running) == before + 1


def test_the_time_that_a_client_has_left_is_the_request_s_deadline(slow: maas.Server) -> None:
    before = withdrawn(slow)
    with (
        triton.InferenceServerClient(f"127.0.0.1:{slow.grpc_port}") as client,
        pytest.raises(exceptions.InferenceServerException, match="DEADLINE_EXCEEDED"),
    ):
        client.infer("slow", [times(LONG)], client_timeout=0.05)
    wait_for(lambda: withdrawn(slow) == before + 1)


def test_a_call_that_is_cancelled_is_taken_back(slow: maas.Server) -> None:
    before = withdrawn(slow)
    request = service.ModelInferRequest(
        model_name="slow",
        inputs=[
            service.ModelInferRequest.InferInputTensor(name="x", datatype="FP32", shape=[1, 1])
        ],
        raw_input_contents=[np.float32(LONG).tobytes()],
    )
    with grpc.insecure_channel(f"127.0.0.1:{slow.grpc_port}") as channel:
        stub = stubs.GRPCInferenceServiceStub(channel)
        call = stub.ModelInfer.future(request)
        wait_for(lambda: counted(slow, "maas_http_in_flight") == 2)  # it, and this question
        call.cancel()
        wait_for(lambda: withdrawn(slow) == before + 1)
        streams = stub.ModelStreamInfer(iter([request] * 3))
        wait_for(lambda: counted(slow, "maas_http_in_flight") == 4)
        streams.cancel()
        wait_for(lambda: withdrawn(slow) == before + 4)


def test_a_stream_that_nobody_reads_is_read_no_further(server: maas.Server) -> None:
    sent = 0

    def requests() -> Iterator[Any]:
        nonlocal sent
        tensor = service.ModelInferRequest.InferInputTensor(
            name="x", datatype="FP32", shape=[1, 1_000_000]
        )
        for sent in range(1, 1000):  # noqa: B007 - read outside
            yield service.ModelInferRequest(
                model_name="echo_fp32", inputs=[tensor], raw_input_contents=[bytes(4_000_000)]
            )

    before = resident(os.getpid())
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        answers = stubs.GRPCInferenceServiceStub(channel).ModelStreamInfer(requests())
        last = -1
        while sent != last:  # until it is asked for no more
            last = sent
            time.sleep(1)
        assert sent < 200
        assert resident(os.getpid()) - before < 1_500_000_000
        answers.cancel()
    wait_for(lambda: counted(server, "maas_http_in_flight") == 1)


def test_a_running_call_is_answered_before_the_server_ends(slow: maas.Server) -> None:
    # The last test of this server: it ends here.
    with triton.InferenceServerClient(f"127.0.0.1:{slow.grpc_port}") as client:
        running = client.async_infer
        answers: queue.Queue[tuple[Any, Any]] = queue.Queue()
        running("slow", [times(LONG)], callback=lambda result, error: answers.put((result, error)))
        wait_for(lambda: counted(slow, "maas_http_in_flight") == 2)
        slow.stop()
        result, error = answers.get(timeout=60)
        assert error is None
        assert result.as_numpy("y").tolist() == [[LONG]]
        with pytest.raises(exceptions.InferenceServerException):
            client.is_server_live()


def resident(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_a_message_without_tensors_is_small(client: Any, stub: Any) -> None:
    request = service.RepositoryModelLoadRequest(model_name="m")
    request.parameters["config"].string_param = "x" * 65536
    with pytest.raises(grpc.RpcError) as refused:
        stub.RepositoryModelLoad(request)
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert client.is_server_live()


def test_more_calls_than_connections_are_told_to_come_again(tmp_path: Path) -> None:
    server = maas.Server(port=0, settings=Settings(grpc_port=0, max_connections=1))
    with server, grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        stub = stubs.GRPCInferenceServiceStub(channel)
        go = threading.Event()

        def one() -> Iterator[Any]:
            yield service.ModelInferRequest(model_name="none")
            go.wait(60)

        answers = stub.ModelStreamInfer(one())
        assert "no model" in next(answers).error_message
        with pytest.raises(grpc.RpcError) as refused:
            stub.ModelInfer(service.ModelInferRequest(model_name="none"))
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
        assert ("grpc-retry-pushback-ms", "1000") in map(tuple, refused.value.trailing_metadata())
        assert stub.ServerLive(service.ServerLiveRequest()).live
        go.set()
        assert list(answers) == []


def test_a_stream_that_asks_nothing_does_not_hold_up_the_end() -> None:
    server = maas.Server(port=0, settings=Settings(grpc_port=0, drain_timeout_s=60))
    server.start()
    go = threading.Event()

    def one() -> Iterator[Any]:
        yield service.ModelInferRequest(model_name="none")
        go.wait(60)

    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        answers = stubs.GRPCInferenceServiceStub(channel).ModelStreamInfer(one())
        next(answers)
        start = time.monotonic()
        assert server.drain()
        server.stop()
        assert time.monotonic() - start < 30
        with pytest.raises(grpc.RpcError) as ended:
            next(answers)
        assert ended.value.code() is grpc.StatusCode.UNAVAILABLE
        assert "shutting down" in ended.value.details()
        go.set()


def test_a_signal_lets_running_calls_finish(serve: Callable[..., Process], tmp_path: Path) -> None:
    path = slow_file(tmp_path)
    app = tmp_path / "app.py"
    app.write_text(
        f"import maas\nrow = maas.Tensor('float32', [1])\n"
        f"maas.load({path!r}, name='slow', inputs={{'x': row}}, outputs={{'y': row}})\n"
    )
    process = serve("--grpc-port", "0", app)
    process.wait_for("core budget")
    found = re.search(r"serving gRPC at 127.0.0.1:(\d+)", process.log)
    assert found
    answers: queue.Queue[tuple[Any, Any]] = queue.Queue()
    with (
        triton.InferenceServerClient(f"127.0.0.1:{found[1]}") as client,
        process.client() as http,
    ):
        client.async_infer(
            "slow", [times(LONG)], callback=lambda result, error: answers.put((result, error))
        )

        def running() -> bool:
            page = http.exchange("GET", "/metrics", [], b"")[2].decode()
            return "maas_http_in_flight 2" in page

        wait_for(running)
        process.send(signal.SIGTERM)
        result, error = answers.get(timeout=60)
        assert error is None
        assert result.as_numpy("y").tolist() == [[LONG]]
    assert process.exit_code() == 0


def test_a_server_whose_port_is_taken_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = maas.Server(port=0, settings=Settings(grpc_port=port))
        with pytest.raises(maas.UnavailableError, match=f"127.0.0.1:{port} for gRPC"):
            server.start()
        server.stop()


def test_the_command_line_serves_both_and_ends_both(
    serve: Callable[..., Process], digits: Path
) -> None:
    process = serve("--grpc-port", "0", digits)
    process.wait_for("core budget")
    found = re.search(r"serving gRPC at 127.0.0.1:(\d+)", process.log)
    assert found
    port = int(found[1])
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = stubs.GRPCInferenceServiceStub(channel)
        assert stub.ServerReady(service.ServerReadyRequest()).ready
        process.send(signal.SIGTERM)
        assert process.exit_code() == 0
        with pytest.raises(grpc.RpcError):
            stub.ServerReady(service.ServerReadyRequest())
