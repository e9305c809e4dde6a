# SPDX-License-Identifier: Apache-2.0
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import maas
from maas import targets

APP = """
import maas
from helper import SUFFIX

@maas.endpoint("/echo")
def echo(text: str) -> str:
    return text + SUFFIX

@maas.endpoint("/shout")
def shout(text: str) -> str:
    return text.upper()

number = 3
"""


@pytest.fixture(autouse=True)
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    modules, path = set(sys.modules), sys.path[:]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "someapp.py").write_text(APP)
    (tmp_path / "helper.py").write_text("SUFFIX = '!'\n")
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if getattr(sys.modules[name], "__file__", None) or name == "helper":
            file = str(getattr(sys.modules[name], "__file__", ""))
            if file.startswith(str(tmp_path)):
                del sys.modules[name]


def paths(target: str) -> list[str]:
    return [spec.path for spec in targets.load(target).endpoints]


def test_a_file_serves_all_that_it_defines() -> None:
    assert paths("someapp.py") == ["/echo", "/shout"]


def test_a_name_in_a_file_serves_that_alone() -> None:
    assert paths("someapp.py:shout") == ["/shout"]


def test_a_module_is_found_in_the_working_directory() -> None:
    assert paths("someapp") == ["/echo", "/shout"]
    assert paths("someapp:echo") == ["/echo"]


def test_a_file_may_import_what_stands_beside_it(
    app: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    (spec, _) = targets.load(str(app / "someapp.py")).endpoints
    assert spec.function("hi") == "hi!"


def test_a_file_with_the_name_of_a_loaded_module_leaves_that_alone(app: Path) -> None:
    import json

    (app / "json.py").write_text(APP)
    assert paths("json.py") == ["/echo", "/shout"]
    assert sys.modules["json"] is json


def test_a_model_file_is_a_target(models: Path) -> None:
    (model,) = targets.load(str(models / "double.pt")).models
    assert model.name == "double"


def test_models_that_a_file_loads_need_no_name(app: Path, models: Path) -> None:
    (app / "loads.py").write_text(
        f"import maas\nfor name in ('a', 'b'):\n    maas.load('{models}/double.pt', name=name)\n"
    )
    assert [model.name for model in targets.load("loads.py").models] == ["a", "b"]
    (app / "both.py").write_text(f"{APP}\nnet = maas.load('{models}/double.pt', name='a')\n")
    found = targets.load("both.py")
    assert ([model.name for model in found.models], len(found.endpoints)) == (["a"], 2)
    assert targets.load("both.py:echo").models == ()


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("somapp.py", r"file 'somapp\.py' was not found; did you mean 'someapp\.py'"),
        ("gone.pt", r"model file 'gone\.pt' was not found"),
        ("someapp.py:ech", r"someapp\.py has no 'ech'; did you mean 'echo'"),
        ("someapp.py:zzz", "it serves echo, shout"),
        ("someapp.py:number", "3 cannot be served"),
        ("somapp", r"no module or file 'somapp' was found; did you mean 'someapp\.py'"),
        ("no/such-thing", "a target is file.py"),
        (".", "'.' is a folder"),
    ],
)
def test_a_wrong_target_is_told_with_a_remedy(target: str, words: str) -> None:
    with pytest.raises(maas.Error, match=words):
        targets.load(target)


def test_a_syntax_error_says_file_and_line(app: Path) -> None:
    (app / "broken.py").write_text("x = 1\ndef f(:\n")
    with pytest.raises(maas.TargetError, match=r"broken\.py:2: syntax error"):
        targets.load("broken.py")
    with pytest.raises(maas.TargetError, match=r"broken\.py:2: syntax error"):
        targets.load("broken")


def test_a_failure_of_the_file_says_what_and_where(app: Path) -> None:
    (app / "failing.py").write_text("x = 1\ny = x / 0\n")
    with pytest.raises(maas.TargetError, match=r"ZeroDivisionError: .*\(.*failing\.py:2\)"):
        targets.load("failing.py")
    assert "failing" not in sys.modules


def test_a_missing_import_is_the_files_own_failure(app: Path) -> None:
    (app / "wanting.py").write_text("import not_installed_here\n")
    for target in ("wanting.py", "wanting"):
        with pytest.raises(maas.TargetError, match=r"cannot load wanting.*not_installed_here"):
            targets.load(target)


def test_an_error_of_maas_passes_as_it_is(app: Path) -> None:
    (app / "wrong.py").write_text("import maas\nmaas.Tensor('float31', [1])\n")
    with pytest.raises(maas.InvalidArgumentError, match="unknown dtype 'float31'"):
        targets.load("wrong.py")


def test_the_sources_of_a_target_are_below_its_folder(app: Path) -> None:
    assert targets.source_folder("someapp.py:echo") == app.resolve()
    assert targets.source_folder("someapp") == app.resolve()


def test_one_name_of_a_file_brings_the_hooks_of_the_file(app: Path) -> None:
    (app / "hooked.py").write_text(
        "import maas\n"
        "@maas.on_startup\ndef _begin() -> None: ...\n"
        "@maas.endpoint('/one')\ndef one() -> int: return 1\n"
        "@maas.endpoint('/two')\ndef two() -> int: return 2\n"
    )
    service = targets.load("hooked.py:one")
    assert [spec.path for spec in service.endpoints] == ["/one"]
    assert [hook.__name__ for hook in service.hooks.startup] == ["_begin"]
    assert targets.load("hooked.py").hooks.startup


def test_an_error_in_a_call_of_maas_names_the_line_of_the_target(app: Path) -> None:
    (app / "calls.py").write_text("import maas\n\nmaas.nothing\n")
    with pytest.raises(maas.TargetError, match=r"calls\.py:3\)"):
        targets.load("calls.py")


def test_a_version_of_the_registry_is_a_target(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAAS_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    for name in ("double", "triple"):
        maas.models.add("net", models / f"{name}.pt", alias="champion")
    maas.models.rollback("net")
    for target, version in (("net", 1), ("net:2", 2), ("net@champion", 1), ("net@latest", 2)):
        [served] = targets.load(target).models
        assert (served.name, served.version) == ("net", version)
    with pytest.raises(maas.NotFoundError, match="has no alias 'blue'; it has: champion"):
        targets.load("net@blue")
    with pytest.raises(maas.NotFoundError, match="has no model 'other'"):
        targets.load("other@champion")
    (tmp_path / "net.py").write_text(APP)
    assert targets.load("net").endpoints, "a module of that name comes first"
