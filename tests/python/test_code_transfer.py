# SPDX-License-Identifier: Apache-2.0
import sys
from pathlib import Path
from typing import Any

import pytest
import worker_handlers as handlers

import maas
from maas import code_transfer


def there_and_back(thing: Any) -> Any:
    return code_transfer.resolve(code_transfer.reference(thing, "endpoint f"))


def test_a_function_or_class_of_a_module_is_found_again() -> None:
    assert there_and_back(handlers.who) is handlers.who
    assert there_and_back(handlers.Counting) is handlers.Counting


def test_a_module_that_is_not_on_the_path_is_found_by_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "lonely.py"
    file.write_text("def f():\n    return 7\n")
    found = {"name": "f", "module": "lonely", "file": str(file)}
    monkeypatch.delitem(sys.modules, "lonely", raising=False)
    assert code_transfer.resolve(found)() == 7
    monkeypatch.delitem(sys.modules, "lonely")


def test_a_script_is_loaded_without_what_it_does_as_main(tmp_path: Path) -> None:
    file = tmp_path / "script.py"
    file.write_text(
        "def f():\n    return __name__\n\nif __name__ == '__main__':\n    raise SystemExit\n"
    )
    found = {"name": "f", "module": "__main__", "file": str(file)}
    assert code_transfer.resolve(found)() == code_transfer.MAIN
    del sys.modules[code_transfer.MAIN]


def test_source_becomes_a_module_once() -> None:
    source = "made = []\n\ndef f():\n    made.append(1)\n    return len(made)\n"
    found = {"name": "f", "source": source}
    assert code_transfer.resolve(found)() == 1
    assert code_transfer.resolve(found)() == 2
    del sys.modules[code_transfer.CELLS]


def test_what_has_no_name_in_its_module_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(words: str) -> Any:
        return pytest.raises(maas.InvalidArgumentError, match=words)

    def local() -> None: ...

    with refused("a lambda"):
        there_and_back(lambda: 1)
    with refused("inside a function"):
        there_and_back(local)
    with refused("have none"):
        there_and_back(3)
    who = handlers.who
    monkeypatch.setattr(handlers, "who", local)
    with refused("is something else by now"):
        there_and_back(who)


def test_a_name_that_has_gone_is_told(tmp_path: Path) -> None:
    file = Path(handlers.__file__).resolve()
    found = {"name": "gone", "module": handlers.__name__, "file": str(file)}
    with pytest.raises(maas.TargetError, match="has no gone any more"):
        code_transfer.resolve(found)


def test_a_reason_is_the_last_line_and_its_place() -> None:
    with pytest.raises(SyntaxError) as wrong:
        compile("x = (", "app.py", "exec")
    assert code_transfer.reason(wrong.value).startswith("app.py:1: syntax error")
    with pytest.raises(ValueError, match="no weights") as missing:
        raise ValueError("no weights")
    assert code_transfer.reason(missing.value).startswith("ValueError: no weights (")
    assert code_transfer.reason(SystemExit(3)) == "SystemExit: 3"
