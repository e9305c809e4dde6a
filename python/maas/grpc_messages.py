# SPDX-License-Identifier: Apache-2.0
"""The messages of the gRPC service that no tensor travels in, as classes of `protobuf`.

Written down from the Open Inference Protocol (`inference_grpc.md`), the parts that Triton adds to
it and the health protocol of gRPC: names, numbers and types of the fields. Only those fields of a
model's configuration are here that the server fills in. Inference itself is read and written by
the core.
"""

from __future__ import annotations

from functools import cache
from typing import Any

PACKAGE = "inference"
_FILE = "maas/inference.proto"

# A field is its number, and a type: a scalar's name, another message, `[...]` for many of it, or
# `{...}` for a map from strings to it.
MESSAGES: dict[str, dict[str, tuple[int, str]]] = {
    "ServerLiveRequest": {},
    "ServerLiveResponse": {"live": (1, "bool")},
    "ServerReadyRequest": {},
    "ServerReadyResponse": {"ready": (1, "bool")},
    "ModelReadyRequest": {"name": (1, "string"), "version": (2, "string")},
    "ModelReadyResponse": {"ready": (1, "bool")},
    "ServerMetadataRequest": {},
    "ServerMetadataResponse": {
        "name": (1, "string"),
        "version": (2, "string"),
        "extensions": (3, "[string]"),
    },
    "ModelMetadataRequest": {"name": (1, "string"), "version": (2, "string")},
    "TensorMetadata": {"name": (1, "string"), "datatype": (2, "string"), "shape": (3, "[int64]")},
    "ModelMetadataResponse": {
        "name": (1, "string"),
        "versions": (2, "[string]"),
        "platform": (3, "string"),
        "inputs": (4, "[TensorMetadata]"),
        "outputs": (5, "[TensorMetadata]"),
    },
    "ModelConfigRequest": {"name": (1, "string"), "version": (2, "string")},
    "ModelInput": {
        "name": (1, "string"),
        "data_type": (2, "DataType"),
        "dims": (4, "[int64]"),
        "is_shape_tensor": (6, "bool"),
        "allow_ragged_batch": (7, "bool"),
        "optional": (8, "bool"),
    },
    "ModelOutput": {
        "name": (1, "string"),
        "data_type": (2, "DataType"),
        "dims": (3, "[int64]"),
        "label_filename": (4, "string"),
        "is_shape_tensor": (6, "bool"),
    },
    "ModelInstanceGroup": {"name": (1, "string"), "count": (2, "int32"), "kind": (4, "Kind")},
    "ModelDynamicBatching": {
        "preferred_batch_size": (1, "[int32]"),
        "max_queue_delay_microseconds": (2, "uint64"),
        "preserve_ordering": (3, "bool"),
        "priority_levels": (4, "uint64"),
        "default_priority_level": (5, "uint64"),
        "default_queue_policy": (6, "ModelQueuePolicy"),
    },
    "ModelQueuePolicy": {
        "timeout_action": (1, "TimeoutAction"),
        "default_timeout_microseconds": (2, "uint64"),
        "allow_timeout_override": (3, "bool"),
        "max_queue_size": (4, "uint32"),
    },
    "Specific": {"versions": (1, "[int64]")},
    "ModelVersionPolicy": {"specific": (3, "Specific")},
    "ModelTransactionPolicy": {"decoupled": (1, "bool")},
    "ModelConfig": {
        "name": (1, "string"),
        "platform": (2, "string"),
        "version_policy": (3, "ModelVersionPolicy"),
        "max_batch_size": (4, "int32"),
        "input": (5, "[ModelInput]"),
        "output": (6, "[ModelOutput]"),
        "instance_group": (7, "[ModelInstanceGroup]"),
        "dynamic_batching": (11, "ModelDynamicBatching"),
        "backend": (17, "string"),
        "model_transaction_policy": (19, "ModelTransactionPolicy"),
    },
    "ModelConfigResponse": {"config": (1, "ModelConfig")},
    "ModelStatisticsRequest": {"name": (1, "string"), "version": (2, "string")},
    "StatisticDuration": {"count": (1, "uint64"), "ns": (2, "uint64")},
    "InferStatistics": {
        "success": (1, "StatisticDuration"),
        "fail": (2, "StatisticDuration"),
        "queue": (3, "StatisticDuration"),
        "compute_input": (4, "StatisticDuration"),
        "compute_infer": (5, "StatisticDuration"),
        "compute_output": (6, "StatisticDuration"),
        "cache_hit": (7, "StatisticDuration"),
        "cache_miss": (8, "StatisticDuration"),
    },
    "InferBatchStatistics": {
        "batch_size": (1, "uint64"),
        "compute_input": (2, "StatisticDuration"),
        "compute_infer": (3, "StatisticDuration"),
        "compute_output": (4, "StatisticDuration"),
    },
    "ModelStatistics": {
        "name": (1, "string"),
        "version": (2, "string"),
        "last_inference": (3, "uint64"),
        "inference_count": (4, "uint64"),
        "execution_count": (5, "uint64"),
        "inference_stats": (6, "InferStatistics"),
        "batch_stats": (7, "[InferBatchStatistics]"),
    },
    "ModelStatisticsResponse": {"model_stats": (1, "[ModelStatistics]")},
    "RepositoryIndexRequest": {"repository_name": (1, "string"), "ready": (2, "bool")},
    "ModelIndex": {
        "name": (1, "string"),
        "version": (2, "string"),
        "state": (3, "string"),
        "reason": (4, "string"),
    },
    "RepositoryIndexResponse": {"models": (1, "[ModelIndex]")},
    "ModelRepositoryParameter": {
        "bool_param": (1, "bool"),
        "int64_param": (2, "int64"),
        "string_param": (3, "string"),
        "bytes_param": (4, "bytes"),
    },
    "RepositoryModelLoadRequest": {
        "repository_name": (1, "string"),
        "model_name": (2, "string"),
        "parameters": (3, "{ModelRepositoryParameter}"),
    },
    "RepositoryModelLoadResponse": {},
    "RepositoryModelUnloadRequest": {
        "repository_name": (1, "string"),
        "model_name": (2, "string"),
        "parameters": (3, "{ModelRepositoryParameter}"),
    },
    "RepositoryModelUnloadResponse": {},
    # Of inference only what an answer in a stream needs that the core did not write.
    "ModelInferRequest": {"id": (3, "string")},
    "ModelInferResponse": {"id": (3, "string")},
    "ModelStreamInferResponse": {
        "error_message": (1, "string"),
        "infer_response": (2, "ModelInferResponse"),
    },
    "HealthCheckRequest": {"service": (1, "string")},
    "HealthCheckResponse": {"status": (1, "ServingStatus")},
}

# Values of an enumeration, by their numbers.
ENUMS: dict[str, tuple[str, ...]] = {
    "DataType": (
        *("TYPE_INVALID", "TYPE_BOOL", "TYPE_UINT8", "TYPE_UINT16", "TYPE_UINT32", "TYPE_UINT64"),
        *("TYPE_INT8", "TYPE_INT16", "TYPE_INT32", "TYPE_INT64", "TYPE_FP16", "TYPE_FP32"),
        *("TYPE_FP64", "TYPE_STRING", "TYPE_BF16"),
    ),
    "TimeoutAction": ("REJECT", "DELAY"),
    "Kind": ("KIND_AUTO", "KIND_GPU", "KIND_CPU", "KIND_MODEL"),
    "ServingStatus": ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"),
}

# Fields of which a message has one at most.
ONE_OF = {
    ("ModelRepositoryParameter", "parameter_choice"): list(MESSAGES["ModelRepositoryParameter"])
}


@cache
def message_class(name: str) -> Any:
    """The class of a message, by its name in `MESSAGES`."""
    from google.protobuf import message_factory

    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"{PACKAGE}.{name}"))


@cache
def _pool() -> Any:
    # Of our own: clients in the same process may have registered the protocol's own file.
    from google.protobuf import descriptor_pb2, descriptor_pool

    file = descriptor_pb2.FileDescriptorProto(name=_FILE, package=PACKAGE, syntax="proto3")
    for name, values in ENUMS.items():
        described = file.enum_type.add(name=name)
        for number, value in enumerate(values):
            described.value.add(name=value, number=number)
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for key, (number, kind) in fields.items():
            _add_field(message, key, number, kind)
    for (name, choice), keys in ONE_OF.items():
        message = next(item for item in file.message_type if item.name == name)
        message.oneof_decl.add(name=choice)
        for field in message.field:
            if field.name in keys:
                field.oneof_index = 0
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool


def _add_field(message: Any, name: str, number: int, kind: str) -> None:
    field = message.field.add(name=name, number=number)
    field.label = field.LABEL_OPTIONAL if kind.isalnum() else field.LABEL_REPEATED
    plain = kind.strip("[]{}")
    if kind.startswith("{"):
        entry = message.nested_type.add(name=f"{name.title()}Entry")
        entry.options.map_entry = True
        _add_field(entry, "key", 1, "string")
        _add_field(entry, "value", 2, plain)
        field.type, field.type_name = field.TYPE_MESSAGE, f".{PACKAGE}.{message.name}.{entry.name}"
    elif plain in MESSAGES:
        field.type, field.type_name = field.TYPE_MESSAGE, f".{PACKAGE}.{plain}"
    elif plain in ENUMS:
        field.type, field.type_name = field.TYPE_ENUM, f".{PACKAGE}.{plain}"
    else:
        field.type = getattr(field, f"TYPE_{plain.upper()}")
