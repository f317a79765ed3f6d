"""Scripts of the workflow call functions that exist, with arguments that they take: no type checker reads them."""

import ast
import importlib
import inspect
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = sorted((Path(__file__).parent.parent / "workflow_scripts").glob("*.py"))


def imported(tree: ast.Module) -> dict[str, Any]:
    """Name -> what a script has imported under it."""
    names: dict[str, Any] = {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module:
            module = importlib.import_module(node.module)
            for alias in node.names:
                value = getattr(module, alias.name, None) or importlib.import_module(f"{node.module}.{alias.name}")
                names[alias.asname or alias.name] = value
    return names


def called(function: ast.expr, names: dict[str, Any]) -> Any:
    """The function of a call of ``name()`` or ``name.name()``; None for one that is not imported."""
    if isinstance(function, ast.Name):
        return names.get(function.id)
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id in names:
        return getattr(names[function.value.id], function.attr)
    return None


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_calls_what_exists(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = imported(tree)
    n_checked = 0
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        function, keywords = called(call.func, names), [keyword.arg for keyword in call.keywords]
        own = str(getattr(function, "__module__", "")).partition(".")[0] in ("xlm_core", "microworld")
        if own and None not in keywords and not any(isinstance(value, ast.Starred) for value in call.args):
            values: dict[str, Any] = dict.fromkeys(map(str, keywords))
            inspect.signature(function).bind(*call.args, **values)  # raises TypeError
            n_checked += 1
    assert n_checked > 0


@pytest.mark.parametrize("name", ["pretrain", "train_translator"])
def test_a_launched_function_takes_its_arguments(name: str) -> None:
    """Other processes read them from a file, by name."""
    tree = ast.parse(next(path for path in SCRIPTS if path.stem == name).read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "launch"]
    (arguments,) = (
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "arguments"
    )
    assert isinstance(arguments, ast.Dict) and len(calls) == 1
    function, *others = map(ast.unparse, calls[0].args)
    assert others == ["arguments"]
    values: dict[str, Any] = {ast.literal_eval(key): None for key in arguments.keys if key}
    inspect.signature(imported(tree)[function]).bind(**values)  # raises TypeError
