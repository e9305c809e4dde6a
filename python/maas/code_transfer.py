# SPDX-License-Identifier: Apache-2.0
"""How a worker process finds a handler: by the module's name and file, or by the source of cells.

A reference is plain data. It is made where the handler is defined and resolved in the worker.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import linecache
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from maas import notebook_source
from maas.errors import Error, InvalidArgumentError, TargetError

# Not "__main__": what a script does under `if __name__ == "__main__"` is not for workers.
# multiprocessing has the same name for the same thing.
MAIN = "__mp_main__"
CELLS = "__maas_notebook__"


def reference(thing: Any, place: str) -> dict[str, str]:
    """Where a function or class is found; `place` says in an error whose it is."""
    name = getattr(thing, "__qualname__", "")
    if not name:
        raise InvalidArgumentError(
            f"{place}: a worker finds a handler by its name, and {type(thing).__name__} objects "
            "have none; write a function at the top level of a module"
        )
    if "<" in name:
        kind = "a lambda" if "<lambda>" in name else "defined inside a function"
        raise InvalidArgumentError(
            f"{place} is {kind}, and a worker finds a handler by its name in its module; define it "
            "at the top level"
        )
    module = sys.modules.get(thing.__module__)
    file = getattr(module, "__file__", None)
    if module is None or file is None:
        return {"name": name, "source": notebook_source.gather(thing, place)}
    if inspect.unwrap(_find(module, name) or thing) is not inspect.unwrap(thing):
        raise InvalidArgumentError(
            f"{place}: {thing.__module__}.{name} is something else by now, and a worker would find "
            "that; give the handler a name of its own"
        )
    spec = getattr(module, "__spec__", None)
    module_name = spec.name if module.__name__ == "__main__" and spec else module.__name__
    return {"name": name, "module": module_name, "file": str(Path(file).resolve())}


def resolve(found: dict[str, str]) -> Any:
    """The function or class that a reference tells of; raises what importing its module raises."""
    if "source" in found:
        module = _cells(found["source"])
    else:
        module = _module(found["module"], Path(found["file"]))
    thing = _find(module, found["name"])
    if thing is None:
        raise TargetError(f"{module.__name__} has no {found['name']} any more")
    return thing


def reason(error: BaseException) -> str:
    """The last line of the traceback, and the place in the user's code that it is about."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}: syntax error: {error.msg}"
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.lineno
        and not frame.filename.startswith("<frozen")
        and Path(frame.filename).parent != Path(__file__).parent
    ]
    place = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    text = error.message if isinstance(error, Error) else str(error)
    return f"{type(error).__name__}: {text}{place}"


def _find(module: ModuleType, name: str) -> Any:
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def _module(name: str, file: Path) -> ModuleType:
    """By its name where that gives this file; a script, or a file of no package, by the file."""
    name = MAIN if name == "__main__" else name
    known = sys.modules.get(name)
    if known is not None and getattr(known, "__file__", None) == str(file):
        return known
    if name != MAIN and _origin(name) == file:
        return importlib.import_module(name)
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise TargetError(f"{file} is no Python source")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _origin(name: str) -> Path | None:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    return Path(spec.origin).resolve() if spec is not None and spec.origin else None


def _cells(source: str) -> ModuleType:
    """A module of its own for the source of cells; once for all that share it."""
    known = sys.modules.get(CELLS)
    if known is not None and getattr(known, "__maas_source__", None) == source:
        return known
    module = ModuleType(CELLS)
    module.__maas_source__ = source  # type: ignore[attr-defined]
    file = f"<{CELLS}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    sys.modules[CELLS] = module
    exec(compile(source, file, "exec"), vars(module))
    return module
