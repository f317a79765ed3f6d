"""Short digests of what a result depends on: its code and its settings."""

import ast
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

PACKAGES = ("xlm_core", "microworld")
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)  # nodes with a docstring
DATA = ("*.yaml", "templates/*.j2")  # files beside a module

# These modules cannot change a number: a step gets the settings in use by value, and errors end it.
NEUTRAL = ("xlm_core.config", "xlm_core.errors", "xlm_core.train.log")


def of_value(value: Any) -> str:
    """Digest plain data: dictionaries, lists, numbers, text."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]


def of_file(path: Path) -> str:
    """Digest the content of a file."""
    return sha256(path)[:12]


def sha256(path: Path) -> str:
    """Return the SHA-256 of the content of a file, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def of_code(root: Path, *modules: str) -> str:
    """Digest modules and all modules of the packages that they import, without comments, docstrings and layout.

    The files of ``DATA`` beside a module count, too: they are data that it reads.

    Args:
        root: folder that holds the packages.
        modules: names such as ``xlm_core.tasks.retrieval``.
    """
    paths = _closure(root, modules)
    code = [(name, _digest_and_imports(path.read_text(encoding="utf-8"))[0]) for name, path in sorted(paths.items())]
    folders = {path.parent for path in paths.values()}
    data = [(path.name, of_file(path)) for folder in folders for pattern in DATA for path in folder.glob(pattern)]
    return of_value([code, sorted(data)])


def _closure(root: Path, modules: tuple[str, ...]) -> dict[str, Path]:
    """Find the files of modules and of all modules of the packages that they import."""
    paths: dict[str, Path] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        stem = root.joinpath(*name.split("."))
        candidates = (stem.with_suffix(".py"), stem / "__init__.py")
        path = next((file for file in candidates if file.is_file()), None)  # None for a name in a module
        if path is not None and name not in paths and not name.startswith(NEUTRAL):
            paths[name] = path
            waiting.extend(_digest_and_imports(path.read_text(encoding="utf-8"))[1])
    return paths


@cache  # by the text: many steps share most of their modules, and parsing is slow
def _digest_and_imports(text: str) -> tuple[str, list[str]]:
    """Digest the code of a module, and list the names that it imports from the packages: modules or objects in them."""
    tree = ast.parse(text)
    imports = []
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        elif isinstance(node, ast.Import):
            imports += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            imports += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return of_value(ast.dump(tree)), [name for name in imports if name.split(".")[0] in PACKAGES]
