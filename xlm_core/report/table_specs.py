"""Specifications of the tables: rows, columns, and which rows are compared.

The functions take plain data, as a rule of the workflow passes it on: of every row the arguments of a ``RowSpec``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from typing import Any, Literal

from xlm_core.config import SETTINGS
from xlm_core.published import ColumnKey, RowKey

PlainRow = Mapping[str, Any]


@dataclass(frozen=True)
class RowSpec:
    """A row of a table: a system in a setting.

    label, setting_label  display names; a setting without a label shows its name
    published      key and setting of the published row that it is compared with
    seeds          its pretraining seeds, where it has fewer than the others
    has_model_per_column  whether each column is measured with another model
    """

    system: str
    setting: str
    label: str
    setting_label: str = ""
    published: Sequence[str] | None = None
    seeds: Sequence[int] | None = None
    has_model_per_column: bool = False

    @property
    def key(self) -> RowKey:
        """The fields of a result that put it into this row."""
        return self.system, self.setting

    @property
    def labels(self) -> tuple[str, str]:
        """The display names of system and setting."""
        return self.label, self.setting_label or self.setting

    @property
    def title(self) -> str:
        """The display name of the row in a sentence."""
        return ", ".join(self.labels)


@dataclass(frozen=True)
class ColumnSpec:
    """A column of a table: a metric of a language, a direction or a task; measured, or the mean of other columns.

    label          its header
    title          its display name in the notes and in the tidy table; by default its name
    mean_of        columns, measured or means before it, whose mean it is, seed by seed
    difference_of  two measured columns, the second of which is subtracted from the first
    published      name of the column in the published table; None where it has none
    decimals       printed digits after the point
    is_shown       whether it is printed; the tidy table holds every column
    is_ranked      whether its rows are ranked
    lower_is_better  as of a perplexity
    has_published_unit  whether the published number is known to be in this unit, so that ours minus it is shown
    same_size      rows that must be measured on equally many items: all, all of a setting, or none
    """

    name: str
    metric: str
    label: str
    mean_of: tuple["ColumnSpec", ...] = ()
    difference_of: tuple["ColumnSpec", ...] = ()
    title: str = ""
    published: str | None = None
    decimals: int = 1
    is_shown: bool = True
    is_ranked: bool = True
    lower_is_better: bool = False
    has_published_unit: bool = True
    same_size: Literal["table", "setting", "nothing"] = "table"

    @property
    def key(self) -> ColumnKey:
        """The fields of a result that put it into this column."""
        return self.name, self.metric

    @property
    def shown_title(self) -> str:
        """Its display name in the notes and in the tidy table."""
        return self.title or self.name


@dataclass(frozen=True)
class TableSpec:
    """The contents of a table.

    name           the ``table`` of its results
    rows, columns  in the order in which they are shown
    differences    rows of which the second is subtracted from the first
    label_header   headers of the labels of a row
    ranks_by_setting  whether a row is compared with the rows of its setting, or with all
    """

    name: str
    rows: tuple[RowSpec, ...]
    columns: tuple[ColumnSpec, ...]
    differences: tuple[tuple[RowSpec, RowSpec], ...] = ()
    label_header: tuple[str, str] = ("system", "setting")
    ranks_by_setting: bool = True

    @property
    def shown(self) -> list[ColumnSpec]:
        """The columns of the printed table."""
        return [column for column in self.columns if column.is_shown]

    @property
    def measured(self) -> list[ColumnSpec]:
        """The columns that results fill."""
        return [column for column in self.columns if not (column.mean_of or column.difference_of)]

    @property
    def tidy(self) -> list[ColumnSpec]:
        """The columns of the tidy table: those that are printed, then all other measured ones."""
        return [*self.shown, *(column for column in self.measured if not column.is_shown)]


def xnli(rows: Sequence[PlainRow], languages: Sequence[str], train: str) -> TableSpec:
    """Return the specification of cross-lingual classification (paper, Table 1).

    Beside the ``languages`` it has ``transfer``, the mean over those other than ``train`` (where there are any, and it
    is not the mean over all), and ``avg``, the mean over all. Each zero-shot row is compared with the one above it, and
    with the first; every other row with the zero-shot row of its system.
    """
    measured = [ColumnSpec(language, "accuracy", language, published=language) for language in languages]
    others = tuple(column for column in measured if column.name != train)
    average = ColumnSpec("avg", "accuracy", "avg", tuple(measured))
    has_transfer = 0 < len(others) < len(measured)
    means = [ColumnSpec("transfer", "accuracy", "transfer", others), average] if has_transfer else [average]
    specs = tuple(replace(row, has_model_per_column=row.setting == SETTINGS["translate_train"]) for row in _rows(rows))
    zero_shot = [row for row in specs if row.setting == SETTINGS["zero_shot"]]
    base = {row.system: row for row in zero_shot}
    differences = [(row, above) for above, row in pairwise(zero_shot)]
    differences += [(row, zero_shot[0]) for row in zero_shot[2:]]
    differences += [(row, base[row.system]) for row in specs if row not in zero_shot and row.system in base]
    return TableSpec("xnli", specs, (*measured, *means), tuple(differences))


def retrieval(rows: Sequence[PlainRow], languages: Sequence[str], pivot: str) -> TableSpec:
    """Return the specification of sentence retrieval: the share of sentences whose nearest neighbor translates them.

    A column is the mean of both directions between its language and ``pivot``, which has none; the directions
    themselves are in the tidy table.
    """
    means, directions = [], []
    others = [language for language in languages if language != pivot]
    for language in others:
        names = (f"{pivot}-{language}", f"{language}-{pivot}")
        both = [ColumnSpec(name, "accuracy", name, is_shown=False) for name in names]
        means.append(ColumnSpec(language, "accuracy", language, tuple(both)))
        directions += both
    average = ColumnSpec("avg", "accuracy", "avg", tuple(directions))
    return TableSpec("retrieval", _rows(rows), (*means, average, *directions))


def unsupervised_mt(rows: Sequence[PlainRow], directions: Sequence[str]) -> TableSpec:
    """Return the specification of unsupervised translation (paper, Table 2): BLEU by initialization.

    The system of a row initializes the encoder, its setting the decoder. All rows are compared with the first one.
    """
    specs = _rows(rows, has_model_per_column=True)
    columns = _translation_columns({direction: (direction, direction) for direction in directions})
    return TableSpec(
        "unsupervised_mt", specs, columns, _minus_first(specs), ("encoder", "decoder"), ranks_by_setting=False
    )


def supervised_mt(rows: Sequence[PlainRow], columns: Sequence[Mapping[str, Any]]) -> TableSpec:
    """Return the specification of supervised translation (paper, Table 3): BLEU by objectives and initialization.

    Args:
        rows: the objectives, and the direction that is tested; each is compared with the one above.
        columns: of each run that initializes encoder and decoder its name as "system", its "label", and the key of the
            published column as "published" or None.
    """
    specs = _rows(rows, has_model_per_column=True)
    labels = {column["system"]: (column["label"], column["published"]) for column in columns}
    differences = tuple((row, above) for above, row in pairwise(specs))
    header = ("learned", "tested")
    return TableSpec("supervised_mt", specs, _translation_columns(labels), differences, header, ranks_by_setting=False)


def perplexity(rows: Sequence[PlainRow], language: str) -> TableSpec:
    """Return the specification of perplexity (paper, Table 4): models of one ``language`` by their training text.

    Lower is better. Every row is compared with the first one.
    """
    specs = _rows(rows)
    fields: dict[str, Any] = {"published": language, "lower_is_better": True, "has_published_unit": False}
    columns = (
        ColumnSpec(language, "perplexity per word", f"{language}, per word", **fields),
        ColumnSpec(language, "perplexity per piece", f"{language}, per piece", **fields),
        ColumnSpec(language, "bits per byte", f"{language}, bits per byte", decimals=2, **fields),
    )
    return TableSpec("perplexity", specs, columns, _minus_first(specs), ("text", "objective"))


def ablation(rows: Sequence[PlainRow], train: str) -> TableSpec:
    """Return the specification of the ablation, see ``summary.ablation_results``; ``train`` is the labeled language."""
    beside = ColumnSpec("full system", "accuracy", "full system", same_size="nothing", is_ranked=False)
    transfer = replace(beside, name="transfer", label="transfer", is_ranked=True)
    difference = replace(beside, name="difference", label="difference", difference_of=(transfer, beside))
    columns = (ColumnSpec(train, "accuracy", train), transfer, beside, difference)
    return TableSpec("ablation", _rows(rows), columns)


def glue(rows: Sequence[PlainRow], runs: Sequence[str], tasks: Mapping[str, Sequence[Sequence[str]]]) -> TableSpec:
    """Return the specification of GLUE: each task by its metrics, and their score.

    The score is the mean over the tasks; a task with several numbers counts with their mean, as on the leaderboard.
    Every row is compared with the first one, and rows of one run in setups of other languages with each other.

    Args:
        rows: systems, and the languages of their setups.
        runs: of each row the run that it is in its setup.
        tasks: task -> its columns and the metric of each, in the order in which they are shown.
    """
    columns: list[ColumnSpec] = []
    scores: list[ColumnSpec] = []
    for task, measures in tasks.items():
        measured = [
            ColumnSpec(name, metric, name if metric == "accuracy" else f"{name}, {metric}", published=name)
            for name, metric in measures
        ]
        columns += measured
        scores.append(ColumnSpec(task, "score", f"{task} score", tuple(measured), is_shown=False))
    mean = ColumnSpec("GLUE", "score", "GLUE score", tuple(scores))
    specs = _rows(rows, has_model_per_column=True)
    same_run = [
        (row, above)
        for (above, above_run), (row, run) in combinations(list(zip(specs, runs, strict=True))[1:], 2)
        if run == above_run and row.setting != above.setting
    ]
    differences = (*_minus_first(specs), *same_run)
    header = ("system", "pretrained on")
    return TableSpec("glue", specs, (*columns, *scores, mean), differences, header, ranks_by_setting=False)


WORD_METRICS: Mapping[str, Mapping[str, Any]] = {  # of embeddings: metric -> fields of its columns
    "cosine": {"decimals": 2},
    "L2": {"decimals": 2, "lower_is_better": True},
    "relative L2": {"decimals": 2, "lower_is_better": True},
    "Pearson": {"decimals": 2},
    **{metric: {} for metric in ("P@1", "P@5", "P@1 CSLS", "P@5 CSLS", "coverage", "Spearman", "harmonic")},
}
CORRELATIONS = ("Pearson", "Spearman", "harmonic")


def embeddings(rows: Sequence[PlainRow], directions: Sequence[str], rated: Sequence[str]) -> TableSpec:
    """Return the specification of cross-lingual word embeddings (paper, Table 5): means over the directions.

    The directions themselves are in the tidy table, and so are Spearman's correlation and its harmonic mean with
    Pearson's.

    Args:
        rows: every system in every one of ``WORD_SETTINGS``.
        directions: of the dictionaries.
        rated: directions in which the similarity of words was rated.
    """
    means, measured = [], []
    for metric, fields in WORD_METRICS.items():
        parts = [
            ColumnSpec(name, metric, f"{name} {metric}", is_shown=False, same_size="setting", **fields)
            for name in (rated if metric in CORRELATIONS else directions)
        ]
        measured += parts
        if parts and metric not in CORRELATIONS[1:]:
            mean = replace(parts[0], name="avg", label=metric, mean_of=tuple(parts), published="avg", is_shown=True)
            means.append(mean)
    return TableSpec("embeddings", _rows(rows), (*means, *measured))


def _rows(rows: Sequence[PlainRow], **fields: Any) -> tuple[RowSpec, ...]:
    return tuple(RowSpec(**row, **fields) for row in rows)


def _minus_first(rows: Sequence[RowSpec]) -> tuple[tuple[RowSpec, RowSpec], ...]:
    return tuple((row, rows[0]) for row in rows[1:])


def _translation_columns(labels: Mapping[str, tuple[str, str | None]]) -> tuple[ColumnSpec, ...]:
    """Return columns of sacreBLEU's and the paper's BLEU, which are shown, and chrF.

    ``labels`` maps each column to its label and the published column.
    """
    suffixes = {"BLEU": "", "tokenized BLEU": ", tokenized", "chrF": ", chrF"}
    return tuple(
        ColumnSpec(column, metric, label + suffix, title=label, published=published, is_shown=metric != "chrF")
        for metric, suffix in suffixes.items()
        for column, (label, published) in labels.items()
    )


SPECS: Mapping[str, Callable[..., TableSpec]] = {
    function.__name__: function
    for function in (xnli, retrieval, unsupervised_mt, supervised_mt, perplexity, ablation, glue, embeddings)
}


def spec(table: Mapping[str, Any]) -> TableSpec:
    """Return the specification of a table that is described as plain data, see ``xlm_core.report.tables.make``."""
    return SPECS[table["name"]](**table["contents"])
