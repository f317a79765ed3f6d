"""A digest changes with the code and with nothing else."""

from pathlib import Path

import pytest

from xlm_core import digests

ROOT = Path(__file__).parent.parent


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "xlm_core"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "errors.py").write_text("class XlmError(Exception): pass\n")
    (folder / "low.py").write_text('"""Low."""\n\n\ndef add(a, b):\n    """Add."""\n    return a + b\n')
    (folder / "high.py").write_text("from xlm_core import errors\nfrom xlm_core.low import add\n\nTOTAL = add(1, 2)\n")
    (folder / "other.py").write_text("X = 1\n")
    return tmp_path


def changed(package: Path, name: str, old: str, new: str) -> bool:
    """Whether an edit of one module changes the digest of ``high``."""
    before = digests.of_code(package, "xlm_core.high")
    path = package / "xlm_core" / f"{name}.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return digests.of_code(package, "xlm_core.high") != before


def test_code_counts_also_where_it_is_only_imported(package: Path):
    assert changed(package, "high", "add(1, 2)", "add(1, 3)")
    assert changed(package, "low", "a + b", "a - b")


def test_data_beside_a_module_counts(package: Path):
    before = digests.of_code(package, "xlm_core.high")
    (package / "xlm_core" / "words.yaml").write_text("cat: chat")
    assert digests.of_code(package, "xlm_core.high") != before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("low", '"""Add."""', '"""Add two numbers."""'),
        ("low", "    return", "    # because\n    return"),
        ("low", "a + b", "(a  +  b)"),
        ("other", "X = 1", "X = 2"),
        ("errors", "pass", "x = 1"),
    ],
)
def test_words_layout_and_strangers_do_not_count(package: Path, name: str, old: str, new: str):
    assert not changed(package, name, old, new)


def test_code_of_the_microworld_counts_where_it_is_asked_for(package: Path):
    (package / "microworld").mkdir()
    (package / "microworld" / "words.py").write_text("from xlm_core.low import add\n\nWORDS = ['cat']\n")
    before = digests.of_code(package, "microworld.words")
    assert changed(package, "low", "a + b", "a - b")
    low = digests.of_code(package, "microworld.words")
    (package / "microworld" / "words.py").write_text("from xlm_core.low import add\n\nWORDS = ['dog']\n")
    assert len({before, low, digests.of_code(package, "microworld.words")}) == 3


def test_the_closure_of_pretraining_holds_the_model_and_not_the_report():
    closure = set(digests._closure(ROOT, ("xlm_core.tasks.pretraining.train",)))
    assert {"xlm_core.model.attention", "xlm_core.data.masking", "xlm_core.train.losses"} <= closure
    assert not any(name.startswith(("xlm_core.report", "microworld")) for name in closure)


def test_the_closure_of_the_generator_holds_both_packages():
    closure = set(digests._closure(ROOT, ("microworld",)))
    assert {"microworld.lexicon", "xlm_core.languages", "xlm_core.io"} <= closure


def test_plain_values_have_one_digest_whatever_their_order():
    assert digests.of_value({"a": 1, "b": [2.0]}) == digests.of_value({"b": [2.0], "a": 1})
    assert digests.of_value({"a": 1}) != digests.of_value({"a": 2})
