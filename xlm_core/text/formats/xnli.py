"""Extract XNLI's labelled sentence pairs from the two published archives (paper, section 5.1).

XNLI-1.0 holds the validation and test sets of all languages in two tables; their text is raw. XNLI-MT-1.0 holds the
machine translations: MultiNLI's training set, one tokenized table per target language, and the test set of each
language translated to English, which is raw. So the training records are tokenized text and the others are not, which
the next step must know.

A record is premise, hypothesis and label name. The order of the rows is the tables': row n of an evaluation set is the
same pair in every language.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from xlm_core import tsv
from xlm_core.errors import CorpusError
from xlm_core.io import atomic_many
from xlm_core.text.formats.archive import member_with_suffix, open_lines
from xlm_core.tsv import FilterStats, clean_field

SPELLINGS = {"contradictory": "contradiction"}  # of the training tables
NO_LABEL = "-"  # the annotators did not agree
EVALUATION = {"valid": "xnli.dev.tsv", "test": "xnli.test.tsv"}  # split -> archive member
TRANSLATIONS = {"train": "multinli.train.{language}.tsv", "translated": "xnli.test.{language}.en.tsv"}


def extract(
    evaluation: Path, training: Path, outputs: Mapping[tuple[str, str], Path], statistics: Path, labels: Sequence[str]
) -> None:
    """Write the records of each split and language, and the counts of all of them.

    Pairs without a gold label are dropped. The outputs appear together, after all of them are complete.

    Args:
        evaluation: XNLI-1.0.zip.
        training: XNLI-MT-1.0.zip.
        outputs: (split, language) -> records; the splits are "train", "valid", "test", and "translated": the test set
            of the language in English.
        statistics: JSON of records read, kept and dropped.
        labels: the allowed labels; other tasks in XNLI's format have others.

    Raises:
        ArchiveError: an archive is broken or lacks a member.
        CorpusError: a column or language is missing, a label is unknown, or a row has another number of fields.
    """
    stats = FilterStats()
    with atomic_many(list(outputs.values())) as partials:
        paths = dict(zip(outputs, partials, strict=True))
        for (split, language), path in paths.items():
            if split in TRANSLATIONS:
                suffix = TRANSLATIONS[split].format(language=language)
                if not tsv.write_in_place(_translation(training, suffix, labels, stats), [path]):
                    raise CorpusError(f"{training}, {suffix}: no labelled pair; fetch the file again")
        for split, suffix in EVALUATION.items():
            languages = [language for other, language in paths if other == split]
            for language, records in _evaluation_set(evaluation, suffix, languages, labels, stats).items():
                tsv.write_in_place(records, [paths[split, language]])
    stats.write(statistics)


def _translation(training: Path, suffix: str, labels: Sequence[str], stats: FilterStats) -> Iterator[list[str]]:
    """Yield the records of one machine-translated table."""
    with open_lines(training, member_with_suffix(training, suffix)) as (table, lines):
        for location, row in tsv.read_table(table, lines, ("premise", "hypo", "label")):
            yield from _record(location, row, labels, stats)


def _evaluation_set(
    evaluation: Path, suffix: str, languages: Sequence[str], labels: Sequence[str], stats: FilterStats
) -> dict[str, list[list[str]]]:
    """Return the records of each language of one evaluation set, read in one pass."""
    records: dict[str, list[list[str]]] = {language: [] for language in languages}
    columns = ("language", "sentence1", "sentence2", "gold_label")
    with open_lines(evaluation, member_with_suffix(evaluation, suffix)) as (table, lines):
        for location, (language, *row) in tsv.read_table(table, lines, columns):
            if language in records:
                records[language] += _record(location, row, labels, stats)
    n_records = {language: len(rows) for language, rows in records.items()}
    for language, n in n_records.items():
        if n != max(n_records.values()) or not n:
            raise CorpusError(
                f"{evaluation}, {suffix}: {n} labelled pairs in {language}, expected the same number, above 0, "
                f"in every language ({n_records}); check the language's code or fetch the file again"
            )
    return records


def _record(location: str, row: Sequence[str], labels: Sequence[str], stats: FilterStats) -> list[list[str]]:
    """Return the one record of a row, or none if the row has no gold label."""
    premise, hypothesis, label = row
    if SPELLINGS.get(label) in labels:
        label = SPELLINGS[label]
    if label == NO_LABEL:
        stats.drop("no gold label")
        return []
    if label not in labels:
        raise CorpusError(
            f"{location}: label {label!r}, expected one of {', '.join(labels)} (xnli.labels); mend the configuration, "
            "or fetch the file again"
        )
    stats.kept += 1
    return [[clean_field(premise), clean_field(hypothesis), label]]
