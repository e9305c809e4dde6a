# SPDX-License-Identifier: Apache-2.0
"""The source of a handler that was written in a notebook cell, with all that it needs.

A worker process cannot import a notebook. It gets the handler's own source, and in front of it the
imports, constants, hints, functions and classes of the notebook that it names, and theirs.
"""

from __future__ import annotations
import __future__

import ast
import builtins
import inspect
import linecache
import sys
import typing
from types import CodeType, FunctionType, ModuleType
from typing import Any

from maas.errors import InvalidArgumentError

_REMEDY = "make it inside the handler or in a service's setup(), or put the code in a module"


def gather(thing: Any, place: str) -> str:
    """Source that defines a function or class of a notebook; an error names what it cannot send."""
    gathering = _Gathering(vars(sys.modules[thing.__module__]), thing.__module__, place)
    gathering.add(thing.__qualname__, thing)
    return "\n".join([*gathering.futures, *dict.fromkeys(gathering.imports), *gathering.parts])


class _Gathering:
    """What is needed so far, each name once and after what it needs itself."""

    def __init__(self, names: dict[str, Any], module: str, place: str) -> None:
        self._names = names
        self._module = module
        self._place = place
        self._seen: set[str] = set()
        self.futures: list[str] = []
        self.imports: list[str] = []
        self.parts: list[str] = []

    def add(self, name: str, value: Any) -> None:
        """Adds what defines a name."""
        if name in self._seen:
            return
        self._seen.add(name)
        if isinstance(value, ModuleType):
            self.imports.append(f"import {value.__name__} as {name}")
        elif isinstance(value, FunctionType | type) and value.__module__ == self._module:
            self._add_definition(name, value)
        elif _is_importable(value):
            self.imports.append(f"from {value.__module__} import {value.__qualname__} as {name}")
        elif _is_literal(value):
            self.parts.append(f"{name} = {value!r}\n")
        elif _is_made_anew(value):
            self._add_assignment(name)
        else:
            raise InvalidArgumentError(
                f"{self._place}: it uses {name!r}, a {type(value).__name__} of the notebook, which "
                f"cannot be sent to a worker as source; {_REMEDY}"
            )

    def _add_definition(self, name: str, value: Any) -> None:
        code = _code_of(value)
        lines = linecache.getlines(code.co_filename) if code else []
        tree = ast.parse("".join(lines))
        found = [
            node
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            and node.name == value.__qualname__
        ]
        if not found:
            raise InvalidArgumentError(
                f"{self._place}: the source of {value.__qualname__} is not known, so it cannot be "
                "sent to a worker; put it in a module"
            )
        node = found[-1]
        if code and code.co_flags & __future__.annotations.compiler_flag:
            self.futures = ["from __future__ import annotations"]
        self._add_names_in(node)
        first = min([node.lineno, *(item.lineno for item in node.decorator_list)])
        self.parts.append("".join(lines[first - 1 : node.end_lineno]) + "\n")
        if name != value.__qualname__:
            self.parts.append(f"{name} = {value.__qualname__}\n")

    def _add_assignment(self, name: str) -> None:
        """The latest statement of a cell that assigns the name."""
        found = None
        for lines in _cells():
            try:
                tree = ast.parse("".join(lines))
            except SyntaxError:
                continue
            for node in tree.body:
                if isinstance(node, ast.Assign) and any(
                    isinstance(target, ast.Name) and target.id == name for target in node.targets
                ):
                    found = (node, "".join(lines[node.lineno - 1 : node.end_lineno]))
        if found is None:
            raise InvalidArgumentError(
                f"{self._place}: no cell is known that assigns {name!r}; {_REMEDY}"
            )
        self._add_names_in(found[0])
        self.parts.append(found[1] + "\n")

    def _add_names_in(self, tree: ast.AST) -> None:
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                self._add_submodule(node)
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and node.id in self._names:
                if hasattr(builtins, node.id) and self._names[node.id] is getattr(
                    builtins, node.id
                ):
                    continue
                self.add(node.id, self._names[node.id])

    def _add_submodule(self, node: ast.Attribute) -> None:
        """`scipy.signal` is imported apart from `scipy`."""
        parts = [node.attr]
        value = node.value
        while isinstance(value, ast.Attribute):
            parts.append(value.attr)
            value = value.value
        root = self._names.get(value.id) if isinstance(value, ast.Name) else None
        if isinstance(root, ModuleType):
            name = ".".join([root.__name__, *reversed(parts)])
            if isinstance(sys.modules.get(name), ModuleType):
                self.imports.append(f"import {name}")


def _code_of(value: Any) -> CodeType | None:
    """Some code of a function or of a class: it names the cell."""
    if isinstance(value, FunctionType):
        code: CodeType = inspect.unwrap(value).__code__
        return code
    for item in vars(value).values():
        function = getattr(item, "__func__", item)
        if isinstance(function, FunctionType) and function.__module__ == value.__module__:
            return _code_of(function)
    return None


def _is_importable(value: Any) -> bool:
    name = getattr(value, "__qualname__", None)
    module = sys.modules.get(getattr(value, "__module__", None) or "")
    return isinstance(name, str) and getattr(module, name, None) is value


def _is_literal(value: Any) -> bool:
    try:
        return bool(ast.literal_eval(repr(value)) == value)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return False


def _is_made_anew(value: Any) -> bool:
    """Hints, and what maas itself makes: its statement in the worker gives the same again."""
    if typing.get_origin(value) is not None:
        return True
    return type(value).__module__.partition(".")[0] == "maas"


def _cells() -> list[list[str]]:
    """The source of all cells that ran, in their order."""
    return [
        entry[2]
        for file, entry in linecache.cache.items()
        if len(entry) == 4 and (entry[1] is None or "ipykernel" in file)
    ]
