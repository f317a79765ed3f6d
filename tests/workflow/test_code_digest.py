"""The digest of a step's code changes with what the step reaches, and with nothing else."""

from pathlib import Path

import pytest

from xlm_core.workflow import code_digest

ROOT = Path(__file__).parents[2]

FILES = {
    "xlm_core/__init__.py": "",
    "xlm_core/errors.py": "class XlmError(Exception): pass\n",
    "xlm_core/low.py": '''"""Low."""
import logging
LOG = logging.getLogger(__name__)
TABLE = {"a": 1}
UNUSED = 3


def add(a: int, b: int) -> int:
    """Add."""
    LOG.info("adding %d", a)
    if a < 0:
        raise ValueError(f"negative: {a}")
    return a + b


def nobody_calls(a):
    return a


class Shape:
    sides: int = 4

    def __init__(self):
        self.n = self._count()

    def _count(self):
        return 1

    def area(self):
        return self.n

    def perimeter(self):
        return 4 * self.n


class Layer(torch.nn.Module):
    def forward(self):
        return 1
''',
    "xlm_core/high.py": """from xlm_core import errors, low
from xlm_core.low import add, Shape


def step(n):
    from xlm_core.lazy import lazily
    return add(low.TABLE["a"], 2) + Shape().area() + lazily()


def other_step():
    return low.Layer()


def by_name():
    return getattr(Shape(), "perimeter")()


def with_module():
    return vars(low)
""",
    "xlm_core/lazy.py": "def lazily():\n    return 7\n",
    "workflow_scripts/run.py": "from xlm_core.high import step\n\nn = snakemake.params.n\n\nwith step(n):\n    pass\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write(tmp_path, FILES)
    return tmp_path


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def digest(folder: Path, *names: str) -> str:
    """The digest that a new process computes: parsed modules are kept in one process."""
    for cached in (code_digest.of_code, code_digest._module, code_digest._module_path):
        cached.cache_clear()
    return code_digest.of_code(folder, *names)


def is_changed(folder: Path, edit: tuple[str, str, str], root: str = "xlm_core.high.step") -> bool:
    """Whether an edit, of a module, from a text to another, changes the digest of a root."""
    module, old, new = edit
    path, before = folder / "xlm_core" / f"{module}.py", digest(folder, root)
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    return digest(folder, root) != before


@pytest.mark.parametrize(
    "edit",
    [
        ("high", '["a"], 2', '["a"], 3'),
        ("low", "a + b", "a - b"),
        ("low", '{"a": 1}', '{"a": 2}'),
        ("low", "a < 0", "a < 1"),
        ("low", "return self.n\n", "return self.n + 1\n"),  # a method that is called
        ("low", "return 1\n\n    def area", "return 2\n\n    def area"),  # one that a called method calls
        ("low", "sides: int = 4", "sides: int = 5"),
        ("lazy", "7", "8"),
    ],
)
def test_what_a_step_reaches_counts(project: Path, edit: tuple[str, str, str]):
    assert is_changed(project, edit)


@pytest.mark.parametrize(
    "edit",
    [
        ("low", '"""Add."""', '"""Add two numbers."""'),
        ("low", "    return a + b", "    # because\n    return a + b"),
        ("low", "a + b", "(a  +  b)"),
        ("low", "a: int, b: int) -> int", "a, b)"),
        ("low", '"adding %d"', '"we add %d"'),
        ("low", 'f"negative: {a}"', '"a negative number"'),
        ("low", "UNUSED = 3", "UNUSED = 4\nMORE = 5\n\ndef more():\n    return MORE\n"),
        ("low", "def nobody_calls(a):\n    return a", "def nobody_calls(a):\n    return a + 1"),
        ("low", "4 * self.n", "5 * self.n"),  # a method that nobody calls
        ("high", "return low.Layer()", "return None"),
        ("errors", "pass", "x = 1"),
    ],
)
def test_what_changes_no_result_does_not_count(project: Path, edit: tuple[str, str, str]):
    assert not is_changed(project, edit)


@pytest.mark.parametrize(
    ("root", "edit"),
    [
        (
            "xlm_core.high.other_step",
            ("low", "def forward(self):\n        return 1", "def forward(self):\n        return 2"),
        ),
        ("xlm_core.high.by_name", ("low", "4 * self.n", "5 * self.n")),
        ("xlm_core.high.with_module", ("low", "def nobody_calls(a):\n    return a", "def nobody_calls(a):\n    pass")),
    ],
    ids=["methods that a base outside calls", "a method by its name in quotes", "a module as a value"],
)
def test_what_cannot_be_followed_counts(project: Path, root: str, edit: tuple[str, str, str]):
    assert is_changed(project, edit, root)


def test_a_function_in_another_module_is_the_same_function(project: Path):
    before = digest(project, "xlm_core.high.step")
    moved = FILES["xlm_core/high.py"].replace("xlm_core.lazy", "xlm_core.moved")
    write(project, {"xlm_core/moved.py": FILES["xlm_core/lazy.py"], "xlm_core/high.py": moved})
    (project / "xlm_core/lazy.py").unlink()
    assert digest(project, "xlm_core.high.step") == before


def test_a_script_counts_as_a_whole_and_reaches_what_it_calls(project: Path):
    before = digest(project, "workflow_scripts.run")
    assert is_changed(project, ("low", "a + b", "a - b"), "workflow_scripts.run")
    write(
        project, FILES | {"workflow_scripts/run.py": FILES["workflow_scripts/run.py"].replace("params.n", "params.m")}
    )
    assert digest(project, "workflow_scripts.run") != before


@pytest.mark.parametrize("name", ["words.yaml", "templates/table.j2"])
def test_data_beside_a_reached_module_counts(project: Path, name: str):
    before = digest(project, "xlm_core.high.step")
    write(project, {f"xlm_core/{name}": "cat: chat"})
    assert digest(project, "xlm_core.high.step") != before


def test_a_method_that_only_a_template_names_counts(project: Path):
    write(project, {"xlm_core/templates/table.j2": "{{ shape.perimeter() }}"})
    assert is_changed(project, ("low", "4 * self.n", "5 * self.n"))


@pytest.mark.parametrize("root", ["xlm_core.absent", "xlm_core.high.absent"])
def test_a_root_that_does_not_exist_is_an_error(project: Path, root: str):
    with pytest.raises(ValueError, match="absent"):
        digest(project, root)


def reached(*roots: str) -> set[str]:
    return {f"{module}.{name}" for module, name in code_digest.reach(ROOT, *roots)}


def test_pretraining_reaches_the_model_and_neither_decoding_nor_reports():
    names = reached("workflow_scripts.pretrain")
    expected = {
        "xlm_core.model.transformer.Transformer", "xlm_core.model.attention.SelfAttention",
        "xlm_core.data.masking.MaskSampler.mask", "xlm_core.train.losses.token_loss",
        "xlm_core.train.optimization.learning_rate", "xlm_core.data.token_store.TokenStore.open",
    }  # fmt: skip
    assert expected <= names
    assert not any(name.startswith(("xlm_core.report", "xlm_core.text.extract", "microworld")) for name in names)
    assert "xlm_core.interop.encoders.load_classifier" not in names


def test_functions_of_one_script_reach_their_own_code():
    corpus, glue = reached("workflow_scripts.extract.extract_corpus"), reached("workflow_scripts.extract.extract_glue")
    assert any(name.startswith("xlm_core.text.formats.wikipedia") for name in corpus - glue)
    assert any(name.startswith("xlm_core.text.formats.glue") for name in glue - corpus)


def test_a_collection_of_the_microworld_does_not_reach_the_others():
    documents, glue = reached("microworld.corpora.write_documents"), reached("microworld.corpora.write_glue")
    assert "microworld.glue_examples.examples" in glue - documents
    assert "microworld.documents.documents" in documents - glue


def test_the_generator_reaches_both_packages():
    names = reached("workflow_scripts.generate_microworld")
    assert {name.split(".")[0] for name in names} == {"microworld", "xlm_core", "workflow_scripts"}
