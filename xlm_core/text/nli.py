"""XNLI: labelled sentence pairs out of the two published archives (paper, section 5.1).

XNLI-1.0 holds the validation and test sets of all languages in two tables; their text is raw. XNLI-MT-1.0 holds what
was translated by machine: MultiNLI's training set, one table per language into which it was translated, already
tokenized; and the test set of each language, translated to English, which is raw.
So the training records are tokenized text and the others are not, which the next step must know.

A record is premise, hypothesis, label, the label as a word. The order of the rows is the tables': row n of an
evaluation set is the same pair in every language.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from xlm_core.errors import CorpusError
from xlm_core.io import atomic
from xlm_core.text import tsv_reader
from xlm_core.text.lines import clean_field
from xlm_core.tsv import Counts

LABELS = ("contradiction", "neutral", "entailment")
SPELLINGS = {"contradictory": "contradiction"}  # of the training tables
NO_LABEL = "-"  # the annotators did not agree
EVALUATION = {"valid": "xnli.dev.tsv", "test": "xnli.test.tsv"}  # member by split
TRANSLATIONS = {"train": "multinli.train.{language}.tsv", "translated": "xnli.test.{language}.en.tsv"}  # likewise


def extract(
    evaluation: Path, training: Path, outputs: dict[str, Path], statistics: Path, labels: Sequence[str] = LABELS
) -> None:
    """Write the records of each ``split.language`` in ``outputs`` and the counts of all of them.

    Pairs without a gold label are dropped, nothing else is. The outputs appear together, when all went well.

    Args:
        evaluation: XNLI-1.0.zip.
        training: XNLI-MT-1.0.zip.
        outputs: ``split.language`` -> records; the splits are "train", "valid", "test", and "translated": the test set
            of the language in English.
        statistics: the counts of all records.
        labels: that there may be; another task has others than XNLI.

    Raises:
        ArchiveError: if an archive is broken or lacks a member.
        CorpusError: with its place, at a missing column or language, an unknown label, or a row of another width.
    """
    counts = Counts()
    wanted: dict[str, dict[str, Path]] = {}
    for key, path in outputs.items():
        split, language = key.split(".")
        wanted.setdefault(split, {})[language] = path
    with ExitStack() as stack:
        for split, paths in wanted.items():
            files = {language: stack.enter_context(_written(path)) for language, path in paths.items()}
            if split in TRANSLATIONS:
                for language, file in files.items():
                    _write_translation(training, TRANSLATIONS[split].format(language=language), file, labels, counts)
            else:
                _write_evaluation(evaluation, EVALUATION[split], files, labels, counts)
    counts.write(statistics)


@contextmanager
def _written(path: Path) -> Iterator[IO[str]]:
    """A file of records, at ``path`` once it is whole."""
    with atomic(path) as partial, open(partial, "w", encoding="utf-8", newline="\n") as file:
        yield file


def _write_translation(training: Path, suffix: str, file: IO[str], labels: Sequence[str], counts: Counts) -> None:
    """Write one table of what was translated by machine."""
    columns = ("premise", "hypo", "label")
    n_written = 0
    for place, (premise, hypothesis, label) in _rows(training, suffix, columns):
        n_written += _write_row(file, place, (premise, hypothesis, label), labels, counts)
    if not n_written:
        raise CorpusError(f"{training}, {suffix}: no labelled pair; fetch the file again")


def _write_evaluation(
    evaluation: Path, suffix: str, files: dict[str, IO[str]], labels: Sequence[str], counts: Counts
) -> None:
    """Write one evaluation set of all languages in one pass."""
    columns = ("language", "gold_label", "sentence1", "sentence2")
    n_written = dict.fromkeys(files, 0)
    for place, (language, label, premise, hypothesis) in _rows(evaluation, suffix, columns):
        if language in files:
            n_written[language] += _write_row(files[language], place, (premise, hypothesis, label), labels, counts)
    for language, n in n_written.items():
        if n != max(n_written.values()) or not n:
            raise CorpusError(
                f"{evaluation}, {suffix}: {n} labelled pairs in {language}, expected the same number, above 0, "
                f"in every language ({n_written}); check the language's code or fetch the file again"
            )


def _write_row(file: IO[str], place: str, row: tuple[str, str, str], labels: Sequence[str], counts: Counts) -> int:
    """Write premise, hypothesis and label, or count them as dropped if there is no label; returns how many it wrote."""
    counts.read += 1
    premise, hypothesis, label = row
    spelled = SPELLINGS.get(label, label)
    label = spelled if spelled in labels else label
    if label == NO_LABEL:
        counts.drop("no gold label")
        return 0
    if label not in labels:
        raise CorpusError(
            f"{place}: label {label!r}, expected one of {', '.join(labels)} (xnli.labels); mend the configuration, or "
            "fetch the file again"
        )
    file.write("\t".join((clean_field(premise), clean_field(hypothesis), label)) + "\n")
    return 1


def _rows(path: Path, suffix: str, columns: tuple[str, ...]) -> Iterator[tuple[str, list[str]]]:
    """Each row of a table as its place and the values of ``columns``."""
    with tsv_reader.member(path, suffix) as table:
        for place, values in tsv_reader.rows(table, columns):
            assert values is not None, "no row of these tables is broken"
            yield place, values
