# SPDX-License-Identifier: Apache-2.0
"""Settings of a server, and where each value came from: flag > MAAS_* > maas.yaml > default."""

import os
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any

from maas.batching import BatchPolicy, OnBatchError
from maas.errors import ConfigError, Error
from maas.types import Tensor, closest

DEFAULT_FILE = "maas.yaml"
# Variables of other parts of maas: the kernels' instruction set, and the file of settings itself.
_OTHER_VARIABLES = {"MAAS_FORCE_ISA", "MAAS_CONFIG", "MAAS_HOME"}
# Kubernetes sets these for a service that is named "maas"; they are not meant for us.
_KUBERNETES_PREFIXES = ("MAAS_SERVICE_", "MAAS_PORT_")


def _setting(default: Any, text: str, *, low: float = 0, choices: tuple[str, ...] = ()) -> Any:
    return field(default=default, metadata={"help": text, "low": low, "choices": choices})


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model that maas.yaml names under `models:`; the keys are the arguments of maas.load."""

    path: str
    name: str | None = None
    inputs: Mapping[str, Tensor] | None = None
    outputs: Mapping[str, Tensor] | None = None
    max_batch_size: int = 1
    batch_timeout_ms: float = 0.0
    max_queue_size: int = 1024
    executors: int = 0
    batch_dim: bool = True
    batch_policy: BatchPolicy = "eager"
    on_batch_error: OnBatchError = "split"
    pad: Mapping[str, float] | None = None
    mask: str | None = None
    max_batch_tokens: int = 0
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything about a server that is not about one endpoint or one model."""

    host: str = _setting("127.0.0.1", "address to listen on")
    port: int = _setting(8000, "port to listen on; 0 takes a free one")
    grpc_port: int = _setting(
        -1, "port of the gRPC service; 0 takes a free one, -1 is none (needs maas[grpc])", low=-1
    )
    allowed_hosts: str = _setting(
        "", "names it answers for, by commas; none: loopback's when bound to it, else any"
    )
    cors_origins: str = _setting("", "origins whose pages may use it, by commas; * is any")
    traceparent: str = _setting(
        "pass", "pass traces on, or also make one where there is none", choices=("pass", "make")
    )
    access_log: str = _setting(
        "off", "where a line for each answer goes: a file, - for standard error, or off"
    )
    log_format: str = _setting("text", "how a line of log is written", choices=("text", "json"))
    max_body_bytes: int = _setting(64 * 1024 * 1024, "largest request body, in bytes", low=1)
    max_header_bytes: int = _setting(16 * 1024, "largest head of a request, in bytes", low=512)
    max_header_fields: int = _setting(100, "most fields of a request's head", low=1)
    max_target_bytes: int = _setting(8 * 1024, "longest path with its query, in bytes", low=16)
    max_chunks: int = _setting(65536, "most chunks of a body", low=1)
    max_chunk_extension_bytes: int = _setting(256, "longest extension of a chunk, in bytes")
    max_trailer_fields: int = _setting(16, "most fields behind a chunked body")
    compression: str = _setting(
        "asked",
        "answers that are compressed: never, to clients that name one coding alone, or always",
        choices=("never", "asked", "always"),
    )
    compress_min_bytes: int = _setting(1024, "bodies shorter than this are not compressed", low=1)
    model_control: str = _setting(
        "auto",
        "whether clients may load and unload models; auto: when it listens on loopback alone",
        choices=("auto", "on", "off"),
    )
    follow_interval_s: float = _setting(
        1.0, "seconds between two looks at the aliases that models follow; 0 is never"
    )
    max_connections: int = _setting(4096, "most connections at once", low=1)
    max_requests_per_connection: int = _setting(10_000, "requests one connection brings", low=1)
    header_timeout_s: float = _setting(10.0, "seconds a client has to send a request's head")
    body_grace_s: float = _setting(10.0, "seconds in which a body brings min_body_rate each")
    min_body_rate: int = _setting(500, "least bytes a second of a body")
    stall_timeout_s: float = _setting(30.0, "seconds a client may take nothing of an answer")
    idle_timeout_s: float = _setting(75.0, "seconds an idle connection is kept")
    drain_timeout_s: float = _setting(30.0, "seconds that running requests get at shutdown")
    health_interval_s: float = _setting(
        1.0, "seconds between two calls of a service's health()", low=0.01
    )
    cores: int = _setting(0, "cores to use; 0 takes all that the process may use")
    io_threads: int = _setting(0, "threads for sockets; 0 lets the core budget decide")
    executors: int = _setting(0, "threads that run models; 0 lets the core budget decide")
    intra_op_threads: int = _setting(
        0, "threads inside one model call; 0 lets the core budget decide"
    )
    max_held_bytes: int = _setting(
        1 << 30, "most bytes of requests held at once, read, waiting or running; 503 beyond", low=1
    )
    models: tuple[ModelEntry, ...] = field(
        default=(), metadata={"help": "models to serve besides the target (maas.yaml only)"}
    )

    def names(self, setting: str) -> list[str]:
        """The items of a setting that is a list by commas."""
        text: str = getattr(self, setting)
        return [name.strip() for name in text.split(",") if name.strip()]


@dataclass(frozen=True, slots=True)
class Config:
    """Settings with the place each value came from."""

    settings: Settings
    where: Mapping[str, str]


SCALARS = {item.name: item for item in fields(Settings) if item.name != "models"}


def load(
    flags: Mapping[str, Any] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    file: str | None = None,
) -> Config:
    """The settings by precedence; `file` is read instead of ./maas.yaml when given."""
    environment = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    where = dict.fromkeys([*SCALARS, "models"], "default")
    sources = (
        _from_file(file or environment.get("MAAS_CONFIG")),
        _from_environment(environment),
        {name: (value, "flag") for name, value in (flags or {}).items() if value is not None},
    )
    for source in sources:
        for name, (value, origin) in source.items():
            values[name] = value if name == "models" else parse(name, value, origin)
            where[name] = origin
    return Config(Settings(**values), where)


def parse(name: str, value: object, origin: str) -> Any:
    """One setting's value, checked; `origin` says in an error where it stands."""
    item = SCALARS[name]
    kind: type[Any] = type(item.default)
    try:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError
        if kind is int and isinstance(value, float):
            raise ValueError
        result = kind(value)
    except ValueError:
        expected = {int: "a whole number", float: "a number", str: "a text"}[kind]
        raise ConfigError(f"{origin}: {name} is {expected}, not {value!r}") from None
    choices, low = item.metadata["choices"], item.metadata["low"]
    if choices and result not in choices:
        known = " or ".join(choices)
        raise ConfigError(f"{origin}: {name} is {known}, not {value!r}{closest(result, choices)}")
    if kind is not str and not result >= low:
        raise ConfigError(f"{origin}: {name} is at least {low}, not {value!r}")
    if name in ("port", "grpc_port") and result > 65535:
        raise ConfigError(f"{origin}: {name} is at most 65535, not {value!r}")
    return result


def _from_environment(environment: Mapping[str, str]) -> dict[str, tuple[Any, str]]:
    known = {f"MAAS_{name.upper()}": name for name in SCALARS}
    found: dict[str, tuple[Any, str]] = {}
    for variable, value in environment.items():
        if not variable.startswith("MAAS_") or variable in _OTHER_VARIABLES:
            continue
        if variable in known:
            found[known[variable]] = (value, f"environment {variable}")
        elif not variable.startswith(_KUBERNETES_PREFIXES):
            raise ConfigError(
                f"unknown setting {variable} in the environment{closest(variable, list(known))}"
            )
    return found


def _from_file(path: str | None) -> dict[str, tuple[Any, str]]:
    source = Path(path or DEFAULT_FILE)
    if not source.is_file():
        if path:
            raise ConfigError(f"configuration file {path!r} was not found")
        return {}
    document = _read_yaml(source)
    known = [*SCALARS, "models"]
    found: dict[str, tuple[Any, str]] = {}
    for key, value in document.items():
        if key not in known:
            raise ConfigError(f"{source}: unknown key {key!r}{closest(str(key), known)}")
        found[key] = (_models(value, source) if key == "models" else value, str(source))
    return found


def _read_yaml(source: Path) -> dict[Any, Any]:
    import yaml

    try:
        document = yaml.safe_load(source.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "not UTF-8 text"
        raise ConfigError(f"{source}{line}: not valid YAML: {problem}") from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ConfigError(f"{source}: expected keys and values, such as `port: 8000`")
    return document


def _models(value: object, source: Path) -> tuple[ModelEntry, ...]:
    if not isinstance(value, list):
        raise ConfigError(f"{source}: models is a list of entries, each with a path")
    return tuple(_model(entry, f"{source}: models[{i}]") for i, entry in enumerate(value))


def _model(entry: object, place: str) -> ModelEntry:
    if not isinstance(entry, dict) or not isinstance(entry.get("path"), str):
        raise ConfigError(f"{place}: a model entry needs a path, such as `path: digits.pt`")
    known = {item.name: item for item in fields(ModelEntry)}
    values: dict[str, Any] = {}
    for key, value in entry.items():
        if key not in known:
            raise ConfigError(f"{place}: unknown key {key!r}{closest(str(key), list(known))}")
        values[key] = _model_value(key, value, known[key].default, f"{place}.{key}")
    return ModelEntry(**values)


def _model_value(key: str, value: Any, default: Any, place: str) -> Any:
    if key in ("inputs", "outputs"):
        if not isinstance(value, dict):
            raise ConfigError(f"{place} maps names to tensors, such as x: {_TENSOR_FORM}")
        return {str(name): _tensor(spec, f"{place}.{name}") for name, spec in value.items()}
    if key == "pad":
        if not isinstance(value, dict):
            raise ConfigError(f"{place} maps inputs to numbers, such as input_ids: 0")
        return value
    kind = str if default in (None, MISSING) else type(default)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise ConfigError(f"{place} is {_NAMES[kind]}, not {value!r}")
    return value


def _tensor(spec: object, place: str) -> Tensor:
    if not isinstance(spec, dict) or not {"dtype", "shape"} <= set(spec) <= _TENSOR_KEYS:
        raise ConfigError(f"{place} is a tensor, such as {_TENSOR_FORM}")
    try:
        return Tensor(**spec)
    except Error as error:
        raise ConfigError(f"{place}: {error.message}") from None


_TENSOR_KEYS = {item.name for item in fields(Tensor)}
_TENSOR_FORM = "{dtype: float32, shape: [8, 8]}"
_NAMES: dict[Callable[..., Any], str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}
