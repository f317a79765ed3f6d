"""Extract XNLI's labelled sentence pairs from the two published archives (paper, section 5.1).

XNLI-1.0 holds the validation and test sets of all languages in two tables; their text is raw. XNLI-MT-1.0 holds the
machine translations: MultiNLI's training set, one tokenized table per target language, and the test set of each
language translated to English, which is raw. So the training records are tokenized text and the others are not, which
the next step must know.

A record is premise, hypothesis and label name. The order of the rows is the tables': row n of an evaluation set is the
same pair in every language.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from xlm_core import tsv
from xlm_core.errors import CorpusError
from xlm_core.io import remedy
from xlm_core.text.formats.archive import member_with_suffix, open_lines
from xlm_core.tsv import FilterStats, clean_field

SPELLINGS = {"contradictory": "contradiction"}  # of the training tables
NO_LABEL = "-"  # the annotators did not agree
EVALUATION = {"valid": "xnli.dev.tsv", "test": "xnli.test.tsv"}  # split -> archive member
TRANSLATIONS = {"train": "multinli.train.{language}.tsv", "translated": "xnli.test.{language}.en.tsv"}


def extract(archive: Path, split: str, language: str, output: Path, statistics: Path, labels: Sequence[str]) -> None:
    """Write the records of one split and language. Pairs without a gold label are dropped.

    Args:
        archive: XNLI-1.0.zip for the splits "valid" and "test", XNLI-MT-1.0.zip for "train" and "translated": the test
            set of the language in English.
        output: the records.
        statistics: JSON of records read, kept and dropped.
        labels: the allowed labels; other tasks in XNLI's format have others.

    Raises:
        ArchiveError: an archive is broken or lacks a member.
        CorpusError: a column or language is missing, a label is unknown, or a row has another number of fields.
    """
    stats = FilterStats()
    if split in EVALUATION:
        records = _evaluation_set(archive, EVALUATION[split], language, labels, stats)
    else:
        records = _translation(archive, TRANSLATIONS[split].format(language=language), labels, stats)
    tsv.write(records, [output])
    stats.write(statistics)


def _translation(archive: Path, suffix: str, labels: Sequence[str], stats: FilterStats) -> Iterator[list[str]]:
    """Yield the records of one machine-translated table."""
    with open_lines(archive, member_with_suffix(archive, suffix)) as (table, lines):
        for location, row in tsv.read_table(table, lines, ("premise", "hypo", "label")):
            yield from _record(location, row, labels, stats)
    if not stats.kept:
        raise CorpusError(f"{archive}, {suffix}: no labelled pair; {remedy(archive)}")


def _evaluation_set(
    archive: Path, suffix: str, language: str, labels: Sequence[str], stats: FilterStats
) -> Iterator[list[str]]:
    """Yield the records of a language of an evaluation set, which has as many in every language."""
    n_records = Counter({language: 0})
    columns = ("language", "sentence1", "sentence2", "gold_label")
    with open_lines(archive, member_with_suffix(archive, suffix)) as (table, lines):
        for location, (other, *row) in tsv.read_table(table, lines, columns):
            n_records[other] += row[-1] != NO_LABEL
            if other == language:
                yield from _record(location, row, labels, stats)
    n = n_records[language]
    if n != max(n_records.values()) or not n:
        raise CorpusError(
            f"{archive}, {suffix}: {n} labelled pairs in {language}, expected the same number, above 0, in every "
            f"language ({dict(n_records)}); check the language's code, or {remedy(archive)}"
        )


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
            f"or {remedy(location)}"
        )
    stats.kept += 1
    return [[clean_field(premise), clean_field(hypothesis), label]]
