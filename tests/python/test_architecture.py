# SPDX-License-Identifier: Apache-2.0
"""The five rules of the tree that no compiler checks. None of them has an exemption list."""

import ast
import os
import re
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CPP, PYTHON, TESTS = ROOT / "cpp", ROOT / "python" / "maas", ROOT / "tests"

# An include may point only to the left.
LAYERS = (
    "base",
    "exec",
    "kernels",
    "tensor",
    "registry",
    "runtime",
    "workers",
    "batching",
    "server",
    "bindings",
)

# The one layer that may include a third-party package; of several lines the first that fits.
OWNERS = {
    "tbb/": "exec",
    "oneapi/": "exec",
    "immintrin.h": "kernels",
    "Eigen/": "tensor",
    "torch/": "runtime",
    "boost/json/": "registry",
    "boost/": "server",
    "openssl/evp.h": "base",
    "openssl/": "server",
    "zlib.h": "server",
    "sqlite3.h": "registry",
    "pybind11/": "bindings",
}

# An import may point only to the left; `__init__` is the door, which only the command line uses.
MODULES = [
    *("errors", "types", "files", "_core", "batching", "config", "logs", "context"),
    *("arrays", "images", "tables", "media", "encoding", "ops", "schema", "reading"),
    *("engine", "lifecycle", "asgi_http", "asgi_websocket", "asgi"),
    *("calls", "declarations", "store", "stored", "warming", "model", "sample", "publication"),
    *("comparison", "archive", "models", "pipeline"),
    *("endpoint_spec", "endpoint_calls", "endpoint", "service"),
    *("notebook_source", "code_transfer", "handler", "streaming", "openapi", "workers"),
    *("publishing", "repository", "worker", "health", "forms", "following"),
    *(
        "grpc_messages",
        "grpc_methods",
        "grpc_calls",
        "grpc_stream",
        "grpc_server",
        "server_core",
        "server",
        "serving",
    ),
    *("targets", "reload", "runner", "methods", "event_stream", "client", "testing", "models_cli"),
    *("conformance_target", "conformance_extensions", "conformance_cases", "conformance"),
    *("__init__", "cli", "__main__"),
]

# Slow to import, so `import maas` must not reach them.
HEAVY = {"torch", "pandas", "onnx", "onnxruntime", "sklearn", "pydantic"}

LIMITS = {
    "cpp/**/*.h": 250,
    "cpp/**/*.cc": 400,
    "python/**/*.py": 350,
    "scripts/*.py": 350,
    "examples/**/*.py": 350,
    "benchmarks/**/*.py": 350,
    "benchmarks/**/*.cc": 400,
    "tests/**/*.py": 500,
    "tests/**/*.cc": 500,
    "tests/**/*.h": 250,
}


def test_includes_point_left() -> None:
    wrong = []
    for source in sorted(path for path in CPP.rglob("*") if path.suffix in {".h", ".cc"}):
        layer = source.relative_to(CPP).parts[0 if source.is_relative_to(CPP / "bindings") else 1]
        for form, name in re.findall(r'^\s*#\s*include\s*([<"])([^>"]+)', source.read_text(), re.M):
            if form == "<":
                owners = [one for start, one in OWNERS.items() if name.startswith(start)]
                allowed = not owners or owners[0] == layer
            elif "/" not in name:
                allowed = (source.parent / name).is_file()
            else:
                parts = name.split("/")
                target = parts[1] if parts[0] == "maas" else parts[0]
                allowed = target in LAYERS[: LAYERS.index(layer) + 1]
            if not allowed:
                wrong.append(f"{source.relative_to(ROOT)} includes {name}")
    assert not wrong, "\n".join(wrong)


def test_python_imports_point_left() -> None:
    assert {path.stem for path in PYTHON.glob("*.py*")} == set(MODULES), "name new modules here"
    wrong = []
    for source in sorted(PYTHON.glob("*.py*")):
        tree = ast.parse(source.read_text())
        left = MODULES[: MODULES.index(source.stem)]
        wrong += [
            f"{source.stem} imports {name}" for name in maas_imports(tree) if name not in left
        ]
        at_import = {name.split(".")[0] for name in imports_run_at_import(tree)}
        wrong += [f"{source.stem} imports {name} before it is needed" for name in at_import & HEAVY]
    assert not wrong, "\n".join(wrong)


def maas_imports(tree: ast.Module) -> Iterator[str]:
    """The modules of this package that a module imports anywhere, `__init__` for a public name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "maas":
            yield from (name.name if name.name in MODULES else "__init__" for name in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("maas."):
            yield (node.module or "").split(".")[1]
        elif isinstance(node, ast.Import):
            names = [
                name.name.split(".") for name in node.names if name.name.split(".")[0] == "maas"
            ]
            yield from (parts[1] if parts[1:] else "__init__" for parts in names)


def imports_run_at_import(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:  # neither inside functions nor under `if TYPE_CHECKING`
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_every_source_has_its_test_and_every_test_its_source() -> None:
    wrong = []
    layers = CPP / "maas"
    for source in sorted(layers.rglob("*.cc")):
        test = TESTS / "cpp" / source.relative_to(layers).with_name(f"{source.stem}_test.cc")
        if not test.is_file():
            wrong.append(f"{source.relative_to(ROOT)} has no {test.relative_to(ROOT)}")
    for test in sorted((TESTS / "cpp").rglob("*_test.cc")):
        folder = layers / test.parent.relative_to(TESTS / "cpp")
        if not list(folder.glob(f"{test.stem.removesuffix('_test')}.*")):
            wrong.append(f"{test.relative_to(ROOT)} has no source")
        if test.name not in (folder / "CMakeLists.txt").read_text():
            wrong.append(f"{test.relative_to(ROOT)} is not built: name it in {folder.name}'s TESTS")
    for module in sorted(set(MODULES) - {"_core", "__init__", "__main__"}):
        if not (TESTS / "python" / f"test_{module}.py").is_file():
            wrong.append(f"python/maas/{module}.py has no tests/python/test_{module}.py")
    assert not wrong, "\n".join(wrong)


def test_no_file_is_longer_than_its_limit() -> None:
    lengths = {
        path: (len(path.read_text().splitlines()), limit)
        for pattern, limit in LIMITS.items()
        for path in ROOT.glob(pattern)
    }
    assert len(lengths) > len(LIMITS)
    wrong = [
        f"{path.relative_to(ROOT)} has {length} lines, the limit is {limit}: split it by noun"
        for path, (length, limit) in lengths.items()
        if length > limit
    ]
    assert not wrong, "\n".join(wrong)


def test_the_door_is_sorted_complete_and_fast(tmp_path: Path) -> None:
    import maas

    tree = ast.parse((PYTHON / "__init__.py").read_text())
    imported = {
        name.asname or name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "maas"
        for name in node.names
    }
    assert maas.__all__ == sorted(maas.__all__)
    assert set(maas.__all__) == imported
    assert all(hasattr(maas, name) for name in maas.__all__)

    check = f"import sys, maas; sys.exit(', '.join({HEAVY!r} & set(sys.modules)) or None)"
    assert best_seconds(check, tmp_path) - best_seconds("", tmp_path) < 0.150


def best_seconds(program: str, bytecode: Path, runs: int = 5) -> float:
    """CPU time, the best of several fresh processes: others on the machine only ever add to it.

    The first one compiles, as after an installation: where the environment forbids bytecode
    (`PYTHONDONTWRITEBYTECODE`), every process would compile all modules again.
    """
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env["PYTHONPYCACHEPREFIX"] = str(bytecode)
    seconds = []
    for _ in range(runs):
        start = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT, env=env)
        end = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime)
    return min(seconds)
