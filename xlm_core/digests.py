"""Digests: short names for what a result depends on, its code and its settings."""

import ast
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PACKAGE = "xlm_core"
PACKAGES = (PACKAGE, "microworld")  # whose imports are followed

# What these modules hold cannot change a number: the settings in use reach a step by value, errors end it.
NEUTRAL = (f"{PACKAGE}.config", f"{PACKAGE}.errors", f"{PACKAGE}.train.log")


def of_value(value: Any) -> str:
    """Digest of plain data: dictionaries, lists, numbers, text."""
    return _short(json.dumps(value, sort_keys=True))


def of_file(path: Path) -> str:
    """Digest of what a file holds."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


def of_code(root: Path, *modules: str) -> str:
    """Digest of modules and of all they import inside ``PACKAGES``, whatever their comments, docstrings and layout.

    The YAML files that lie beside a module belong to it: they are data that it reads.

    Args:
        root: folder that holds the packages.
        modules: names such as ``xlm_core.tasks.classification.xnli``.
    """
    trees = _closure(root, modules)
    code = [(name, ast.dump(tree)) for name, tree in sorted(trees.items())]
    folders = {path.parent for name in trees if (path := _file(root, name))}
    data = [(path.name, path.read_text(encoding="utf-8")) for folder in folders for path in folder.glob("*.yaml")]
    return _short(repr((code, sorted(data))))


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _closure(root: Path, modules: tuple[str, ...]) -> dict[str, ast.Module]:
    """The syntax trees of modules and of all they import inside ``PACKAGES``, without docstrings."""
    trees: dict[str, ast.Module] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        path = _file(root, name)
        if path is not None and name not in trees and not name.startswith(NEUTRAL):
            trees[name] = _without_docstrings(ast.parse(path.read_text(encoding="utf-8")))
            waiting.extend(_imports(trees[name]))
    return trees


def _file(root: Path, module: str) -> Path | None:
    """The file of a module or of a package; None for a name that is neither, such as a function's."""
    path = root.joinpath(*module.split("."))
    candidates = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in candidates if file.is_file()), None)


def _imports(tree: ast.Module) -> Iterator[str]:
    """Names imported from inside ``PACKAGES``, which may be modules or things in them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] in PACKAGES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in PACKAGES:
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if documented and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return tree
