# SPDX-License-Identifier: Apache-2.0
import linecache
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import maas
from maas import code_transfer, notebook_source

Run = Callable[[str], dict[str, Any]]


@pytest.fixture
def notebook() -> Iterator[Run]:
    """Runs cells as IPython does: in one namespace without a file, each known to linecache."""
    module = ModuleType("fake_notebook")
    sys.modules["fake_notebook"] = module
    files: list[str] = []

    def run(cell: str) -> dict[str, Any]:
        file = f"<ipython-input-{len(files)}>"
        files.append(file)
        linecache.cache[file] = (len(cell), None, cell.splitlines(keepends=True), file)
        exec(compile(cell, file, "exec"), vars(module))
        return vars(module)

    yield run
    del sys.modules["fake_notebook"]
    sys.modules.pop(code_transfer.CELLS, None)
    for file in files:
        del linecache.cache[file]


def rebuilt(thing: Any) -> Any:
    return code_transfer.resolve(code_transfer.reference(thing, "endpoint f"))


def test_a_function_comes_with_all_that_it_names(notebook: Run) -> None:
    notebook("import numpy as np\nimport os.path\nfrom typing import Annotated\nimport maas\n")
    notebook("FACTOR = 3\nNAMES = {'a': [1, 2]}\n")
    notebook("Row = Annotated[np.ndarray, maas.Tensor('float32', [2])]\n")
    notebook("def twice(x):\n    return FACTOR * scaled(x)\n\ndef scaled(x):\n    return x * 2\n")
    names = notebook(
        "@maas.endpoint('/f')\ndef f(x: Row) -> list[float]:\n"
        "    return [float(np.sum(twice(x))), len(NAMES), os.path.basename('/a/b') == 'b']\n"
    )
    found = rebuilt(names["f"])
    assert found is not names["f"]
    assert found(np.ones(2)) == [12.0, 1, True]


def test_a_class_comes_with_its_bases(notebook: Run) -> None:
    names = notebook(
        "class Base:\n    def one(self):\n        return 1\n\n"
        "class Service(Base):\n    def two(self):\n        return self.one() + 1\n"
    )
    assert rebuilt(names["Service"])().two() == 2


def test_functions_that_call_each_other_come_both(notebook: Run) -> None:
    names = notebook(
        "def even(n):\n    return n == 0 or odd(n - 1)\n\n"
        "def odd(n):\n    return n > 0 and even(n - 1)\n"
    )
    assert rebuilt(names["even"])(10)


def test_the_latest_definition_counts(notebook: Run) -> None:
    notebook("def f():\n    return 1\n")
    names = notebook("def f():\n    return 2\n")
    assert rebuilt(names["f"])() == 2


def test_annotations_that_are_text_stay_so(notebook: Run) -> None:
    names = notebook(
        "from __future__ import annotations\n\ndef f(x: undefined_thing) -> int:\n    return 4\n"
    )
    assert rebuilt(names["f"])(0) == 4


def test_values_that_are_no_source_are_named_with_the_remedy(notebook: Run) -> None:
    names = notebook("import numpy as np\nW = np.ones(3)\n\ndef f(x):\n    return W @ x\n")
    with pytest.raises(maas.InvalidArgumentError, match=r"'W', a ndarray.*setup\(\)"):
        notebook_source.gather(names["f"], "endpoint f")


def test_code_of_no_cell_is_refused() -> None:
    module = ModuleType("no_cells")
    sys.modules["no_cells"] = module
    exec("def f():\n    return 1\n", vars(module))
    with pytest.raises(maas.InvalidArgumentError, match="source of f is not known"):
        notebook_source.gather(vars(module)["f"], "endpoint f")
    del sys.modules["no_cells"]
