# SPDX-License-Identifier: Apache-2.0
"""TARGET of the command line -> a Service: `file.py[:name]`, `module:name`, or a model file."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType

from maas import model, stored
from maas.errors import Error, NotFoundError, TargetError
from maas.model import Model
from maas.service import Service, collect, hooks_in, served_names
from maas.stored import MODEL_SUFFIXES
from maas.types import closest

_FORMS = (
    "a target is file.py, file.py:name, module:name, a model file (.pt), "
    "or NAME, NAME:VERSION, NAME@ALIAS of the registry"
)


def load(target: str) -> Service:
    """The Service that a target names; a failure of its own code is told in one sentence.

    A whole file or module serves what it defines and every model that it loads, bound to a name
    or not.
    """
    if target.endswith(MODEL_SUFFIXES):
        return Service(models=[model.load(target)])
    if _is_stored(target):
        return Service(models=[model.load(target)])
    location, _, name = _split(target)
    with model.loaded_meanwhile() as loaded:
        module = _module(location)
    if not name:
        return _whole(module, loaded)
    found = getattr(module, name, None)
    if found is None:
        names = served_names(vars(module))
        hint = closest(name, names) or f"; it serves {', '.join(names) or 'nothing'}"
        raise TargetError(f"{location} has no {name!r}{hint}")
    service = collect(found)
    hooks = hooks_in(vars(module)) + service.hooks
    return Service(
        endpoints=service.endpoints, models=service.models, name=service.name, hooks=hooks
    )


def _is_stored(target: str) -> bool:
    """Whether it names a model of the registry; a module of that name comes first."""
    name, colon, which = target.partition(":")
    if "@" in target or (colon and which.isdigit()):
        return not target.endswith(".py")
    files = (Path(f"{name}.py"), Path(name, "__init__.py"))
    if colon or target.endswith(".py") or any(file.exists() for file in files):
        return False
    return stored.exists(name) and importlib.util.find_spec(name.partition(".")[0]) is None


def _whole(module: ModuleType, loaded: list[Model]) -> Service:
    found = collect(module) if served_names(vars(module)) or not loaded else Service()
    known = {item.name for item in found.models}
    others = {item.name: item for item in loaded if item.name not in known}
    models = [*found.models, *others.values()]
    return Service(
        endpoints=found.endpoints,
        models=models,
        mounts=found.mounts,
        name=found.name,
        hooks=found.hooks,
    )


def source_folder(target: str) -> Path:
    """The folder whose sources a target is made of."""
    location, _, _ = _split(target)
    return Path(location).resolve().parent if location.endswith(".py") else Path.cwd()


def _split(target: str) -> tuple[str, str, str]:
    if target.endswith(".py"):
        return target, "", ""
    # The last colon: a drive letter or a folder may hold others.
    location, colon, name = target.rpartition(":")
    return (location, colon, name) if colon else (target, "", "")


def _module(location: str) -> ModuleType:
    if location.endswith(".py"):
        return _from_file(Path(location))
    if not all(part.isidentifier() for part in location.split(".")):
        raise TargetError(_not_a_target(location))
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(location)
    except Error:
        raise
    except ModuleNotFoundError as error:
        if error.name is not None and location.startswith(error.name):
            raise TargetError(_not_a_target(location)) from error
        raise TargetError(_failed(location, error)) from error
    except Exception as error:
        raise TargetError(_failed(location, error)) from error


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        siblings = [f.name for f in path.parent.glob("*.py")] if path.parent.is_dir() else []
        hint = closest(path.name, siblings) or "; check the path"
        raise NotFoundError(f"file {str(path)!r} was not found{hint}")
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)  # so that it may import the files beside it
    # Its own name where that is free: what it defines then looks like what it is.
    name = path.stem if path.stem not in sys.modules else f"maas_target_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        sys.modules.pop(name, None)
        if isinstance(error, Error) or not isinstance(error, Exception):
            raise
        raise TargetError(_failed(str(path), error)) from error
    return module


def _failed(location: str, error: Exception) -> str:
    """Which line failed and how, without the traceback."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}: syntax error: {error.msg}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "importlib" not in frame.filename and frame.lineno]
    # The line of the target, not what it called here or in a library.
    package = Path(__file__).parent
    own = [frame for frame in own if not Path(frame.filename).is_relative_to(package)]
    own = [frame for frame in own if "site-packages" not in Path(frame.filename).parts] or own
    place = f" ({own[-1].filename}:{own[-1].lineno})" if own else ""
    return f"cannot load {location}: {type(error).__name__}: {error}{place}"


def _not_a_target(location: str) -> str:
    if Path(location).is_dir():
        return f"{location!r} is a folder; {_FORMS}"
    names = [f.name for f in Path.cwd().iterdir() if f.suffix in (".py", *MODEL_SUFFIXES)]
    hint = closest(f"{location}.py", names) or closest(location, names)
    return f"no module or file {location!r} was found{hint}; {_FORMS}"
