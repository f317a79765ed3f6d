"""The architecture as tests: imports point down, names are unique, and everything is small, documented and typed."""

import ast
import io
import re
import statistics
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
CORE, GENERATOR = "xlm_core", "microworld"
LAYERS = [
    {"config", "digests", "errors", "history", "io", "languages", "published", "results", "tsv", "version", "workflow"},
    {"text", "metrics"},
    {"data"},
    {"model"},
    {"train", "interop"},
    {"tasks"},
    {"cli"},
    {"__main__"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names} | {"report": 2}
IN_LAYER_ZERO = LAYERS[0] - {"workflow"}  # may import each other

# What the tree may weigh at most.
# Of the core; raised for models of other programs (import, export, model cards, continued pretraining, encoders that
# transformers runs), archives as sources, and the check of the command line.
FILES, CODE_LINES = 138, 13_120
RULE_LINES, SCRIPTS = 1_950, 35  # rules: raised for the executors that are refused before the first job
MODULE_LINES, FUNCTION_LINES, MEDIAN_LINES, NINETY_PERCENT_LINES, PARAMETERS = 350, 60, 10, 25, 10
SCRIPT_LINES = 47

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Module:
    """A module of the core or of the generator, parsed once."""

    def __init__(self, path: Path) -> None:
        self.name = str(path.relative_to(ROOT))
        self.text = path.read_text(encoding="utf-8")
        self.tree = ast.parse(self.text)
        self.nodes = list(ast.walk(self.tree))
        package, *parts = path.relative_to(ROOT).with_suffix("").parts
        self.package, self.part = package, parts[0]

    @property
    def functions(self) -> Iterator[Function]:
        return (node for node in self.nodes if isinstance(node, Function))

    @property
    def imports(self) -> Iterator[tuple[str, str]]:
        """Package and its part: ``from xlm_core.data import batch`` gives ``xlm_core, data``."""
        for node in self.nodes:
            if isinstance(node, ast.ImportFrom):
                package, *parts = (node.module or "").split(".")
                yield from ((package, part) for part in parts[:1] or [alias.name for alias in node.names])
            elif isinstance(node, ast.Import):
                yield from ((alias.name.split(".")[0], "") for alias in node.names)

    @property
    def n_code_lines(self) -> int:
        """Lines that hold code: no blank lines, comments or docstrings."""
        lines: set[int] = set()
        for token in tokenize.generate_tokens(io.StringIO(self.text).readline):
            if token.type not in NO_CODE:
                lines.update(range(token.start[0], token.end[0] + 1))
        for node in self.nodes:
            if isinstance(node, ast.Module | ast.ClassDef | Function) and ast.get_docstring(node, clean=False):
                lines.difference_update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
        return len(lines)


NO_CODE = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER
}  # fmt: skip
MODULES = [
    Module(path)
    for package in (CORE, GENERATOR)
    for path in sorted((ROOT / package).rglob("*.py"))
    if path != ROOT / package / "__init__.py"
]
CORE_MODULES = [module for module in MODULES if module.package == CORE]
RULES = [ROOT / "Snakefile", *sorted((ROOT / "rules").rglob("*.smk"))]
SCRIPT_FILES = sorted((ROOT / "workflow_scripts").glob("*.py"))


def n_lines(function: Function) -> int:
    return (function.end_lineno or 0) - function.lineno + 1


def parameters(function: Function) -> list[ast.arg]:
    """All but the object or class itself."""
    given = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return given[1:] if given and given[0].arg in ("self", "cls") else given


def test_imports_point_down() -> None:
    wrong = [
        f"{module.name} imports {package}.{part}"
        for module in CORE_MODULES
        for package, part in module.imports
        if (package == CORE and not may_import(module.part, part)) or package == GENERATOR
    ]
    assert wrong == []


def may_import(part: str, other: str) -> bool:
    """The report reads results and no code behind them but the intervals; in the lowest layer the workflow is above."""
    if other == part:
        return True
    if part == "report":
        return other in LAYERS[0] | {"metrics"}
    if {part, other} <= LAYERS[0]:
        return other in IN_LAYER_ZERO
    return other in LEVEL and LEVEL[other] < LEVEL[part]


def test_the_generator_needs_little_of_the_core() -> None:
    parts = {part for module in MODULES if module.package == GENERATOR for name, part in module.imports if name == CORE}
    assert parts <= {"config", "errors", "io", "languages"}


def test_no_class_has_the_name_of_another() -> None:
    names = Counter(node.name for module in CORE_MODULES for node in module.nodes if isinstance(node, ast.ClassDef))
    assert not {name for name, count in names.items() if count > 1}


def test_modules_and_functions_are_small() -> None:
    assert [module.name for module in MODULES if module.text.count("\n") > MODULE_LINES] == []
    long = [f"{module.name}: {f.name}" for module in MODULES for f in module.functions if n_lines(f) > FUNCTION_LINES]
    assert long == []
    lengths = sorted(n_lines(function) for module in CORE_MODULES for function in module.functions)
    assert statistics.median(lengths) <= MEDIAN_LINES
    assert lengths[int(0.9 * len(lengths))] <= NINETY_PERCENT_LINES


def test_functions_have_few_parameters() -> None:
    many = [
        f"{module.name}: {function.name}"
        for module in MODULES
        for function in module.functions
        if len(parameters(function)) > PARAMETERS
    ]
    assert not many


def test_the_tree_is_small() -> None:
    files = list((ROOT / CORE).rglob("*.py"))
    assert len(files) <= FILES
    assert sum(module.n_code_lines for module in CORE_MODULES) <= CODE_LINES
    assert sum(len(path.read_text().splitlines()) for path in RULES) <= RULE_LINES
    assert max(len(path.read_text().splitlines()) for path in RULES) <= MODULE_LINES
    assert len(SCRIPT_FILES) <= SCRIPTS


def test_public_names_are_documented() -> None:
    missing = [module.name for module in MODULES if not ast.get_docstring(module.tree)]
    missing += [
        f"{module.name}: {node.name}"
        for module in MODULES
        for node in module.tree.body
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_") and not ast.get_docstring(node)
    ]
    assert missing == []


def test_the_core_does_not_print_nor_swallow() -> None:
    wrong = [
        f"{module.name}, line {node.lineno}"
        for module in MODULES
        for node in module.nodes
        if (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print")
        or (isinstance(node, ast.ExceptHandler) and node.type is None)
    ]
    assert wrong == []


def test_every_script_has_its_rules_and_every_rule_its_script() -> None:
    named = {name for path in RULES for name in re.findall(r"workflow_scripts/(\w+)\.py", path.read_text())}
    assert named == {path.stem for path in SCRIPT_FILES}


def test_scripts_are_borders() -> None:
    long = [path.name for path in SCRIPT_FILES if len(path.read_text().splitlines()) > SCRIPT_LINES]
    assert long == [], "logic belongs into xlm_core"
