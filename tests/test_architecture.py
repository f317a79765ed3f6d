"""The architecture as tests: imports point down, and everything is small, documented and typed."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

CORE = ROOT / "xlm_core"
GENERATOR = ROOT / "microworld"
MODULES = sorted(path for path in CORE.rglob("*.py") if path != CORE / "__init__.py")
GENERATING = sorted(GENERATOR.rglob("*.py"))
LAYERS = [
    {"config", "digests", "errors", "io", "languages", "results", "tsv", "workflow"},
    {"text", "metrics"},
    {"data", "model"},
    {"objectives", "train"},
    {"tasks", "interop"},
    {"__main__"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names} | {"report": 1}
IN_LAYER_ZERO = LAYERS[0] - {"workflow"}  # may import each other


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imported(tree: ast.Module) -> Iterator[str]:
    """The parts of the package that a module imports: ``from xlm_core.data import batch`` gives ``data``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "xlm_core":
            parts = (node.module or "").split(".")
            yield from parts[1:2] or [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            assert not any(alias.name.split(".")[0] == "xlm_core" for alias in node.names), (
                "write 'from xlm_core import'"
            )


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_imports_point_down(path: Path):
    here = path.relative_to(CORE).parts[0].removesuffix(".py")
    for name in imported(ast.parse(path.read_text())):
        if {here, name} <= LAYERS[0]:
            assert name in IN_LAYER_ZERO
        else:
            assert name == here or LEVEL[name] < LEVEL[here], f"{here} must not import {name}"
        assert here != "report" or name == here or LEVEL[name] == 0, (
            "the report reads results, not the code behind them"
        )


@pytest.mark.parametrize("path", GENERATING, ids=named)
def test_the_generator_needs_little_of_the_core(path: Path):
    assert set(imported(ast.parse(path.read_text()))) <= {"config", "errors", "io", "languages"}


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_the_core_does_not_know_the_generator(path: Path):
    for node in ast.walk(ast.parse(path.read_text())):
        assert not (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == GENERATOR.name)


@pytest.mark.parametrize("path", MODULES + GENERATING, ids=named)
def test_modules_and_functions_stay_small(path: Path):
    text = path.read_text()
    assert len(text.splitlines()) <= 350
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno < 60, f"{node.name} is too long"


@pytest.mark.parametrize("path", MODULES + GENERATING, ids=named)
def test_public_functions_are_documented_and_typed(path: Path):
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), "what is this module for?"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{node.name} has no docstring"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            untyped = [a.arg for a in arguments if a.annotation is None and a.arg not in ("self", "cls")]
            assert node.returns is not None and not untyped, f"{node.name} is not typed: {untyped}"


@pytest.mark.parametrize("path", MODULES + GENERATING, ids=named)
def test_the_core_does_not_print_nor_swallow(path: Path):
    for node in ast.walk(ast.parse(path.read_text())):
        assert not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print")
        assert not (isinstance(node, ast.ExceptHandler) and node.type is None)


@pytest.mark.parametrize("path", sorted((ROOT / "rules").rglob("*.smk")), ids=lambda path: str(path.relative_to(ROOT)))
def test_files_of_rules_stay_small(path: Path):
    assert len(path.read_text().splitlines()) <= 350


def test_every_rule_has_its_script_and_every_script_its_rule():
    rules = {
        line.strip().removeprefix("rule ").removesuffix(":")
        for path in (ROOT / "rules").glob("*.smk")
        for line in path.read_text().splitlines()
        if line.strip().startswith("rule ")
    }
    assert rules == {path.stem for path in (ROOT / "workflow_scripts").glob("*.py")}


def test_scripts_are_borders():
    for path in (ROOT / "workflow_scripts").glob("*.py"):
        assert len(path.read_text().splitlines()) <= 45, f"{path.name}: logic belongs into xlm_core"
