"""Digests of the code behind a step: of the functions, classes and constants that it reaches, and of nothing else.

Static analysis decides what is reached. From a root it follows every name to its definition, through imports, in the
packages of this project. What it cannot follow counts as reached:

- A method of a reached class counts if its name occurs as an attribute, or as a word in quotes, in reached code or in a
  template beside it. All methods count of a class that has a base outside the project.
- All definitions of a module count if the module itself is passed on as a value.

Comments, docstrings, layout, annotations of functions, arguments of log calls and messages of exceptions change no
result, and the name of a module does not count either. Reached modules' data files do: ``DATA``.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from xlm_core import digests

SCRIPTS = "workflow_scripts"
PACKAGES = ("xlm_core", "microworld", SCRIPTS)
DATA = ("*.yaml", "templates/*.j2")  # files beside a module

# These modules cannot change a number: a step gets the settings in use by value, errors end it, and records of jobs and
# the version that a file names are no results.
NEUTRAL = ("xlm_core.config", "xlm_core.errors", "xlm_core.train.log", "xlm_core.version", "xlm_core.workflow")
LOGGERS = ("LOG", "logging")
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef)  # nodes with a docstring
PLAIN_BASES = ("object", "NamedTuple", "Protocol", "Generic", "Enum", "ABC")  # they call no method by themselves

Definition = tuple[str, str]  # module and name; of a method: module and "Class.method"


@cache
def of_code(root: Path, *names: str) -> str:
    """Digest the code that modules, or functions of modules, reach.

    Args:
        root: folder that holds the packages.
        names: such as ``xlm_core.tasks.retrieval.score_retrieval``, or a module, whose every statement counts.

    Raises:
        ValueError: there is no such module or function.
    """
    reached = reach(root, *names)
    modules = {module for module, _ in reached}
    folders = {_module(root, module).path.parent for module in modules}
    data = [
        (path.name, digests.of_file(path)) for folder in folders for pattern in DATA for path in folder.glob(pattern)
    ]
    return digests.of_value([sorted(item.text for item in reached.values()), sorted(data)])


def reach(root: Path, *names: str) -> dict[Definition, "Code"]:
    """Return all definitions that modules or functions reach, with their code."""
    reached: dict[Definition, Code] = {}
    attributes: set[str] = set()
    waiting = [definition for name in names for definition in _roots(root, name)]
    methods: dict[Definition, Code] = {}  # of reached classes, which are not reached themselves so far
    while waiting:
        definition = waiting.pop()
        if definition in reached:
            continue
        module = _module(root, definition[0])
        code = methods.pop(definition, None) or module.definitions[definition[1]]
        reached[definition] = code
        waiting += module.effects if not module.name.startswith(SCRIPTS) else []  # a script is run, not imported
        attributes |= code.attributes | module.template_words
        waiting += [target for name in code.names for target in _resolve(root, module, name)]
        methods |= {(module.name, f"{definition[1]}.{name}"): method for name, method in code.methods.items()}
        waiting += [name for name in methods if name[1].rsplit(".", 1)[1] in attributes]
    return reached


@dataclass
class Code:
    """A statement without what changes no result.

    text        its syntax tree
    names       that it looks up, with one attribute where they have any: ``checkpoint.load``
    attributes  names of all attributes, and words in quotes
    methods     name -> method that counts only where it is used
    """

    text: str
    names: set[str]
    attributes: set[str]
    methods: dict[str, "Code"] = field(default_factory=dict)


@dataclass
class Module:
    """A module of the project, by its syntax tree."""

    name: str
    path: Path

    @cached_property
    def imports(self) -> dict[str, tuple[str, str]]:
        """Local name -> module that it is imported from, and its name there, empty for the module itself."""
        _, imports = self._cleaned
        return {local: source for local, source in imports.items() if source[0].split(".")[0] in PACKAGES}

    @cached_property
    def definitions(self) -> dict[str, Code]:
        """Name -> what it is bound to. A statement that binds no name has its number as its name."""
        definitions: dict[str, Code] = {}
        tree, _ = self._cleaned
        for number, node in enumerate(tree.body):
            for name in _bound_names(node) or [str(number)]:
                code, former = _code_of(node), definitions.get(name)
                if former:  # bound twice: both count
                    code = Code(former.text + code.text, former.names | code.names, former.attributes | code.attributes)
                definitions[name] = code
        return definitions

    @cached_property
    def effects(self) -> list[Definition]:
        """Statements that bind no name and run when the module is imported."""
        return [(self.name, name) for name in self.definitions if name.isdecimal()]

    @cached_property
    def template_words(self) -> set[str]:
        """All words of the templates beside the module, which may name methods."""
        paths = self.path.parent.glob("templates/*")
        return {word for path in paths for word in re.findall(r"\w+", path.read_text(encoding="utf-8"))}

    @cached_property
    def _cleaned(self) -> tuple[ast.Module, dict[str, tuple[str, str]]]:
        """The syntax tree without what changes no result, and all imports that were taken out of it."""
        cleaner = _Cleaner()
        return cleaner.visit(ast.parse(self.path.read_text(encoding="utf-8"))), cleaner.imports


@cache
def _module(root: Path, name: str) -> Module:
    path = _module_path(root, name)
    if path is None:
        raise ValueError(f"{name} is no module in {root}")
    return Module(name, path)


@cache
def _module_path(root: Path, name: str) -> Path | None:
    stem = root.joinpath(*name.split("."))
    return next((path for path in (stem.with_suffix(".py"), stem / "__init__.py") if path.is_file()), None)


def _roots(root: Path, name: str) -> list[Definition]:
    """Return the definitions that a root names: all of a module, or one function."""
    if _module_path(root, name):
        return [(name, each) for each in _module(root, name).definitions]
    module, _, function = name.rpartition(".")
    if function not in _module(root, module).definitions:
        raise ValueError(f"{module} defines no {function}")
    return [(module, function)]


def _resolve(root: Path, module: Module, name: str) -> Iterator[Definition]:
    """Find the definitions behind a name that a module looks up: none outside the project or in a neutral module."""
    first, _, attribute = name.partition(".")
    if first in module.definitions:
        yield (module.name, first)
    elif first in module.imports:
        source, original = module.imports[first]
        submodule = f"{source}.{original}" if original else source
        if _module_path(root, submodule):
            source, original = submodule, attribute
        if source.startswith(NEUTRAL):
            return
        imported = _module(root, source)
        if original:
            yield from _resolve(root, imported, original)
        else:
            yield from _roots(root, source)


def _bound_names(node: ast.stmt) -> list[str]:
    """Return the names that a statement of a module binds."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.If | ast.Try | ast.For):
        stored = (each for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store))
        return [each.id for each in stored]
    return []


def _code_of(node: ast.stmt) -> Code:
    """Describe a statement; methods of a class whose bases call none of them by themselves are described apart."""
    if not isinstance(node, ast.ClassDef) or not all(_is_plain(base) for base in node.bases):
        return _describe(node)
    methods = {each.name: each for each in node.body if isinstance(each, ast.FunctionDef)}
    apart = {name: method for name, method in methods.items() if not name.startswith("__")}
    rest = ast.ClassDef(**{**vars(node), "body": [each for each in node.body if each not in apart.values()]})
    code = _describe(rest)
    code.methods = {name: _describe(method) for name, method in apart.items()}
    return code


def _is_plain(base: ast.expr) -> bool:
    """Return whether a class may have this base and still only the methods that are named count."""
    return ast.unparse(base).partition("[")[0] in PLAIN_BASES


def _describe(node: ast.stmt) -> Code:
    names = _Names()
    names.visit(node)
    return Code(ast.dump(node), names.names, names.attributes)


class _Names(ast.NodeVisitor):
    """Collects the names that a statement looks up, and its attributes."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.attributes: set[str] = set()

    def visit_Name(self, node: ast.Name) -> None:
        self.names.add(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.attributes.add(node.attr)
        if isinstance(node.value, ast.Name):
            self.names.add(f"{node.value.id}.{node.attr}")
        else:
            self.visit(node.value)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and node.value.isidentifier():
            self.attributes.add(node.value)


class _Cleaner(ast.NodeTransformer):
    """Takes out of a syntax tree what changes no result.

    imports  local name -> module that it is imported from, and its name there, empty for the module itself
    """

    def __init__(self) -> None:
        self.imports: dict[str, tuple[str, str]] = {}

    def visit(self, node: ast.AST) -> Any:
        """Visit no expression: all that changes no result is a statement, or a part of one."""
        return node if isinstance(node, ast.expr) else super().visit(node)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        body = getattr(node, "body", None)
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
        if body == []:
            body.append(ast.Pass())
        return node

    def visit_Import(self, node: ast.Import) -> None:
        """Drop an import: the names that it binds are followed."""
        self.imports |= {alias.asname or alias.name: (alias.name, "") for alias in node.names}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """Drop an import: the names that it binds are followed."""
        if node.module:
            self.imports |= {alias.asname or alias.name: (node.module, alias.name) for alias in node.names}

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        for argument in ast.walk(node.args):
            if isinstance(argument, ast.arg):
                argument.annotation = None
        return self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        call = node.value
        is_log = (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and isinstance(call.func.value, ast.Name)
            and call.func.value.id in LOGGERS
        )
        return None if is_log else self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        if isinstance(node.exc, ast.Call):
            node.exc = node.exc.func
        node.cause = None
        return self.generic_visit(node)
