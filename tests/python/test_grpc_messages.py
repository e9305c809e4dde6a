"""The messages against those that a client of the protocol was generated from."""

from typing import Any

import pytest
from tritonclient.grpc import model_config_pb2, service_pb2

from maas.grpc_messages import ENUMS, MESSAGES, ONE_OF, message_class

# Not in Triton's file: the health protocol, and a name of ours for a nested message.
OTHERS = {"HealthCheckRequest", "HealthCheckResponse"}


def theirs() -> dict[str, Any]:
    """By name, nested ones too."""
    found: dict[str, Any] = {}

    def add(message: Any) -> None:
        found[message.name] = message
        for nested in message.nested_types:
            add(nested)

    for file in (model_config_pb2.DESCRIPTOR, service_pb2.DESCRIPTOR):
        for message in file.message_types_by_name.values():
            add(message)
    return found


@pytest.mark.parametrize("name", sorted(set(MESSAGES) - OTHERS))
def test_numbers_and_types_are_those_that_clients_were_generated_from(name: str) -> None:
    wanted, ours = theirs()[name], message_class(name).DESCRIPTOR
    for field in ours.fields:
        other = wanted.fields_by_name[field.name]
        assert (field.number, field.type, field.is_repeated) == (
            other.number,
            other.type,
            other.is_repeated,
        )
        if field.message_type and not field.message_type.GetOptions().map_entry:
            assert field.message_type.name == other.message_type.name
        if field.enum_type:
            values = [value.name for value in other.enum_type.values]
            assert [value.name for value in field.enum_type.values] == values


def test_every_enumeration_and_choice_belongs_to_a_message() -> None:
    used = {kind.strip("[]{}") for fields in MESSAGES.values() for _, kind in fields.values()}
    assert set(ENUMS) <= used
    for name, choice in ONE_OF:
        assert choice in message_class(name).DESCRIPTOR.oneofs_by_name


def test_a_message_is_written_and_read() -> None:
    request = message_class("RepositoryModelLoadRequest")(model_name="m")
    request.parameters["config"].string_param = "{}"
    again = message_class("RepositoryModelLoadRequest").FromString(request.SerializeToString())
    assert again.parameters["config"].WhichOneof("parameter_choice") == "string_param"
    # As the health protocol's documentation has it: field 1, a number, 1 for SERVING.
    assert message_class("HealthCheckResponse")(status="SERVING").SerializeToString() == b"\x08\x01"
