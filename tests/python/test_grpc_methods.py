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
        ("ModelMetadata", {"name": "a/../b?c"}, "GET", "/v2/models/a%2F..%2Fb%3Fc"),
        ("ModelConfig", {"name": "m"}, "GET", "/v2/models/m/config"),
        ("ModelStatistics", {}, "GET", "/v2/models/stats"),
        ("ModelStatistics", {"name": "m"}, "GET", "/v2/models/m/stats"),
        ("RepositoryIndex", {"ready": True}, "POST", "/v2/repository/index"),
        ("RepositoryModelLoad", {"model_name": "m"}, "POST", "/v2/repository/models/m/load"),
        (
            "RepositoryModelUnload",
            {"model_name": "é"},
            "POST",
            "/v2/repository/models/%C3%A9/unload",
        ),
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
