"""What each method asks of the server, and what becomes of its answers."""

import json

import pytest

from maas.grpc_messages import message_class
from maas.grpc_methods import METHODS, SERVICE


def operation(called: str, **fields: object) -> tuple[str, str, bytes]:
    method = METHODS[f"/{SERVICE}/{called}"]
    return method.read(message_class(method.request)(**fields).SerializeToString())


@pytest.mark.parametrize(
    ("name", "fields", "verb", "path"),
    [
        ("ServerLive", {}, "GET", "/v2/health/live"),
        ("ServerReady", {}, "GET", "/v2/health/ready"),
        ("ModelReady", {"name": "m"}, "GET", "/v2/models/m/ready"),
        ("ModelReady", {"name": "m", "version": "2"}, "GET", "/v2/models/m/versions/2/ready"),
        ("ServerMetadata", {}, "GET", "/v2"),
        ("ModelMetadata", {"name": "m", "version": "a/b"}, "GET", "/v2/models/m/versions/a%2Fb"),
        ("ModelConfig", {"name": "m"}, "GET", "/v2/models/m/config"),
        ("ModelStatistics", {}, "GET", "/v2/models/stats"),
        ("ModelStatistics", {"name": "m"}, "GET", "/v2/models/m/stats"),
        ("RepositoryIndex", {"ready": True}, "POST", "/v2/repository/index"),
        ("RepositoryModelLoad", {"model_name": "m"}, "POST", "/v2/repository/models/m/load"),
        ("RepositoryModelUnload", {"model_name": "m"}, "POST", "/v2/repository/models/m/unload"),
    ],
)
def test_a_method_is_an_operation_over_http(
    name: str, fields: dict[str, object], verb: str, path: str
) -> None:
    assert operation(name, **fields)[:2] == (verb, path)


def test_parameters_of_a_load_have_their_json_form() -> None:
    parameter = message_class("ModelRepositoryParameter")
    body = operation(
        "RepositoryModelLoad",
        model_name="m",
        parameters={
            "config": parameter(string_param="{}"),
            "file:1/model.pt": parameter(bytes_param=b"abc"),
            "unload_dependents": parameter(bool_param=True),
            "nothing": parameter(),
        },
    )[2]
    assert json.loads(body) == {
        "parameters": {
            "config": "{}",
            "file:1/model.pt": "YWJj",
            "unload_dependents": True,
            "nothing": None,
        }
    }


@pytest.mark.parametrize("name", ["", "a/b", "../x", "é", "a b", "x" * 129])
def test_what_is_no_name_is_a_value_error(name: str) -> None:
    with pytest.raises(ValueError, match="is no model name"):
        operation("ModelReady", name=name)
    with pytest.raises(ValueError, match="is no model name"):
        operation("RepositoryModelUnload", model_name=name)


def test_the_statistics_of_all_are_not_a_model_s_metadata() -> None:
    with pytest.raises(ValueError, match="'stats' cannot be asked for without its version"):
        operation("ModelMetadata", name="stats")
    assert operation("ModelReady", name="stats")[1] == "/v2/models/stats/ready"


def test_a_malformed_message_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="the message is malformed"):
        METHODS[f"/{SERVICE}/ModelReady"].read(b"\x0a\x05")


def test_answers_that_are_no_errors_of_the_method_become_messages() -> None:
    ready = METHODS[f"/{SERVICE}/ModelReady"]
    read = message_class("ModelReadyResponse").FromString
    for status, body, expected in (
        (200, b'{"name":"m","ready":true}', True),
        (404, b'{"error":"none"}', False),
        (503, b'{"error":"unloaded"}', False),
    ):
        message = ready.write(status, body)
        assert message is not None
        assert read(message).ready is expected
    assert ready.write(400, b'{"error":"no name"}') is None
    assert METHODS[f"/{SERVICE}/ModelConfig"].write(404, b'{"error":"none"}') is None


def test_an_answer_without_a_body_is_an_empty_message() -> None:
    assert METHODS[f"/{SERVICE}/RepositoryModelLoad"].write(200, b"") == b""
