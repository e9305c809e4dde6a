# SPDX-License-Identifier: Apache-2.0
from pathlib import Path
from typing import Any

import pytest

import maas
from maas import config


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, text: str) -> None:
    (folder / "maas.yaml").write_text(text)


def test_without_sources_every_value_is_the_default() -> None:
    loaded = config.load(environment={})
    assert loaded.settings == config.Settings()
    assert set(loaded.where.values()) == {"default"}


def test_a_flag_wins_over_the_environment_over_the_file_over_the_default(folder: Path) -> None:
    write(folder, "port: 1\nhost: h.file\nidle_timeout_s: 5\n")
    environment = {"MAAS_PORT": "2", "MAAS_HOST": "h.env"}
    loaded = config.load({"port": 3}, environment=environment)
    settings, where = loaded.settings, loaded.where
    assert (settings.port, where["port"]) == (3, "flag")
    assert (settings.host, where["host"]) == ("h.env", "environment MAAS_HOST")
    assert (settings.idle_timeout_s, where["idle_timeout_s"]) == (5.0, "maas.yaml")
    assert (settings.max_connections, where["max_connections"]) == (4096, "default")


def test_a_misspelt_key_of_the_file_is_an_error_with_a_suggestion(folder: Path) -> None:
    write(folder, "prot: 9000\n")
    with pytest.raises(maas.ConfigError, match=r"maas\.yaml: unknown key 'prot'; did you mean 'po"):
        config.load(environment={})


def test_a_misspelt_variable_is_an_error_with_a_suggestion() -> None:
    with pytest.raises(maas.ConfigError, match="MAAS_PROT in the environment; did you mean 'MAAS_"):
        config.load(environment={"MAAS_PROT": "1"})


def test_variables_of_others_are_left_alone() -> None:
    environment = {
        "MAAS_FORCE_ISA": "scalar",
        "MAAS_SERVICE_HOST": "10.0.0.1",
        "MAAS_PORT_8000_TCP": "x",
        "HOME": "/",
    }
    assert config.load(environment=environment).settings == config.Settings()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"port": "x"}, "port is a whole number, not 'x'"),
        ({"port": 70000}, "at most 65535"),
        ({"port": -1}, "port is at least 0"),
        ({"port": 1.5}, "port is a whole number"),
        ({"max_held_bytes": 0}, "max_held_bytes is at least 1"),
        ({"max_body_bytes": 0}, "max_body_bytes is at least 1"),
        ({"log_format": "jsn"}, "text or json, not 'jsn'; did you mean 'json'"),
        ({"idle_timeout_s": "nan"}, "idle_timeout_s is at least 0"),
        ({"cores": True}, "cores is a whole number"),
    ],
)
def test_a_wrong_value_is_named_with_what_it_must_be(flags: dict[str, Any], words: str) -> None:
    with pytest.raises(maas.ConfigError, match=words):
        config.load(flags, environment={})


def test_a_named_file_is_read_instead_and_must_exist(folder: Path) -> None:
    (folder / "other.yaml").write_text("port: 7\n")
    assert config.load(environment={}, file="other.yaml").settings.port == 7
    assert config.load(environment={"MAAS_CONFIG": "other.yaml"}).settings.port == 7
    with pytest.raises(maas.ConfigError, match=r"'none\.yaml' was not found"):
        config.load(environment={}, file="none.yaml")


def test_models_of_the_file_are_entries_with_the_arguments_of_load(folder: Path) -> None:
    write(
        folder,
        """
models:
  - path: digits.pt
    name: digits
    inputs: {image: {dtype: float32, shape: [8, 8]}}
    outputs: {logits: {dtype: float32, shape: [10]}}
    max_batch_size: 32
    batch_timeout_ms: 2
""",
    )
    loaded = config.load(environment={})
    (entry,) = loaded.settings.models
    assert entry.inputs == {"image": maas.Tensor("float32", [8, 8])}
    assert (entry.name, entry.max_batch_size, entry.batch_timeout_ms) == ("digits", 32, 2.0)
    assert loaded.where["models"] == "maas.yaml"


def test_a_model_of_the_file_may_be_padded_and_share_the_executors_by_weight(folder: Path) -> None:
    write(
        folder,
        """
models:
  - path: encoder.pt
    inputs:
      input_ids: {dtype: int64, shape: [-1]}
      mask: {dtype: int64, shape: [-1], optional: true}
    batch_policy: window
    on_batch_error: fail
    pad: {input_ids: 0}
    mask: mask
    max_batch_tokens: 4096
    weight: 2
""",
    )
    (entry,) = config.load(environment={}).settings.models
    assert entry.inputs is not None
    assert entry.inputs["mask"].optional
    assert (entry.batch_policy, entry.on_batch_error) == ("window", "fail")
    assert (entry.pad, entry.mask) == ({"input_ids": 0}, "mask")
    assert (entry.max_batch_tokens, entry.weight) == (4096, 2.0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("models: 3", "models is a list"),
        ("models: [{name: x}]", r"models\[0\]: a model entry needs a path"),
        ("models: [{path: x.pt, nam: y}]", "unknown key 'nam'; did you mean 'name'"),
        ("models: [{path: x.pt, executors: two}]", "executors is a whole number, not 'two'"),
        ("models: [{path: x.pt, inputs: 3}]", "inputs maps names to tensors"),
        ("models: [{path: x.pt, pad: x}]", r"models\[0\]\.pad maps inputs to numbers"),
        ("models: [{path: x.pt, inputs: {x: 3}}]", r"inputs\.x is a tensor, such as"),
        (
            "models: [{path: x.pt, inputs: {x: {dtype: f32, shape: [1]}}}]",
            r"models\[0\]\.inputs\.x: unknown dtype",
        ),
        ("[1, 2]", "expected keys and values"),
        ("port: [", "not valid YAML"),
        ("port: [1]", "port is a whole number"),
    ],
)
def test_a_wrong_file_is_told_in_one_sentence(folder: Path, text: str, words: str) -> None:
    write(folder, text)
    with pytest.raises(maas.ConfigError, match=words):
        config.load(environment={})


def test_an_empty_file_says_nothing(folder: Path) -> None:
    write(folder, "# nothing yet\n")
    assert config.load(environment={}).settings == config.Settings()


def test_every_setting_has_a_help_text() -> None:
    assert all(item.metadata["help"] for item in config.SCALARS.values())


def test_the_home_of_the_registry_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAAS_HOME", "/somewhere")
    assert config.load().where["port"] == "default"
