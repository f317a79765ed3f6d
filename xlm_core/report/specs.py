"""Specifications of the tables: which rows and columns each has, and which rows are compared.

The functions take plain data, as a rule of the workflow passes it on: of every row the arguments of a ``RowSpec``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations, pairwise
from typing import Any

from xlm_core.config import SETTINGS
from xlm_core.report.table_spec import ColumnKey, ColumnSpec, RowSpec, TableSpec

PlainRow = Mapping[str, Any]


def xnli(rows: Sequence[PlainRow], languages: Sequence[str], train: str) -> TableSpec:
    """Cross-lingual classification (paper, Table 1).

    Beside the ``languages`` it has ``transfer``, the mean over those other than ``train`` (where there are any, and it
    is not the mean over all), and ``avg``, the mean over all.
    """
    measured = [ColumnSpec(language, "accuracy", language, published=language) for language in languages]
    others = [column.key for column in measured if column.name != train]
    means = [ColumnSpec("avg", "accuracy", "avg", tuple(column.key for column in measured))]
    about = "Columns: avg: mean over all languages, seed by seed."
    if 0 < len(others) < len(measured):
        means.insert(0, ColumnSpec("transfer", "accuracy", "transfer", tuple(others)))
        about = (
            f"Columns: transfer: mean over the languages other than '{train}', seed by seed; "
            "avg: mean over all languages, likewise."
        )
    specs = tuple(replace(row, has_model_per_column=row.setting == SETTINGS["translate_train"]) for row in _rows(rows))
    return TableSpec("xnli", specs, (*measured, *means), _xnli_differences(specs), about_columns=about)


def retrieval(rows: Sequence[PlainRow], languages: Sequence[str], pivot: str) -> TableSpec:
    """Sentence retrieval: how often the nearest neighbor of a sentence is its translation.

    A column is the mean of both directions between its language and ``pivot``, which has none; the directions
    themselves are in the tidy table.
    """
    others = [language for language in languages if language != pivot]
    pairs = {language: (f"{pivot}-{language}", f"{language}-{pivot}") for language in others}
    directions = [ColumnSpec(d, "accuracy", d, is_shown=False) for both in pairs.values() for d in both]
    means = [
        ColumnSpec(language, "accuracy", language, tuple((direction, "accuracy") for direction in both))
        for language, both in pairs.items()
    ]
    average = ColumnSpec("avg", "accuracy", "avg", tuple(column.key for column in directions))
    about = f"Columns: mean of both directions, from and to {pivot}; avg: their mean."
    return TableSpec("retrieval", _rows(rows), (*means, average, *directions), (), about_columns=about)


def retrieval_by_layer(rows: Sequence[PlainRow], n_layers: int) -> TableSpec:
    """Sentence retrieval after the embeddings, which are column 0, and after each layer: means over all directions."""
    columns = tuple(ColumnSpec(str(layer), "accuracy", str(layer)) for layer in range(n_layers + 1))
    return TableSpec("retrieval_by_layer", _rows(rows), columns, ())


def unsupervised_mt(rows: Sequence[PlainRow], directions: Sequence[str]) -> TableSpec:
    """Unsupervised translation (paper, Table 2): BLEU by what encoder and decoder begin with.

    A row is the system of the encoder, its setting that of the decoder. All rows are compared with the first one.
    """
    specs = _rows(rows, has_model_per_column=True)
    return TableSpec(
        name="unsupervised_mt",
        rows=specs,
        columns=_translation_columns({direction: (direction, direction) for direction in directions}),
        differences=tuple((row, specs[0]) for row in specs[1:]),
        label_header=("encoder", "decoder"),
        unit=BLEU_UNIT,
        about_columns="Columns: directions.",
        ranks_by_setting=False,
    )


def supervised_mt(rows: Sequence[PlainRow], columns: Sequence[Mapping[str, str | None]]) -> TableSpec:
    """Supervised translation (paper, Table 3): BLEU by the objectives, and by what encoder and decoder begin with.

    Args:
        rows: the objectives, and the direction that is tested; each is compared with the one above.
        columns: of each run that both halves begin with its name as "system", its "label", and the key of the
            published column as "published" or None.
    """
    specs = _rows(rows, has_model_per_column=True)
    labels = {str(column["system"]): (str(column["label"]), column["published"]) for column in columns}
    return TableSpec(
        name="supervised_mt",
        rows=specs,
        columns=_translation_columns(labels),
        differences=tuple((row, above) for above, row in pairwise(specs)),
        label_header=("learned", "tested"),
        unit=BLEU_UNIT,
        about_columns="Columns: what encoder and decoder begin with.",
        ranks_by_setting=False,
    )


BLEU_UNIT = "BLEU (sacreBLEU, detokenized); tokenized: BLEU of tokenized text, as the paper has it"


def _translation_columns(labels: Mapping[str, tuple[str, str | None]]) -> tuple[ColumnSpec, ...]:
    """SacreBLEU's and the paper's BLEU, which are shown, and chrF; ``labels``: column -> label, published column."""
    suffixes = {"BLEU": "", "tokenized BLEU": ", tokenized", "chrF": ", chrF"}
    return tuple(
        ColumnSpec(name, metric, label + suffix, title=label, published=published, is_shown=metric != "chrF")
        for metric, suffix in suffixes.items()
        for name, (label, published) in labels.items()
    )


def perplexity(rows: Sequence[PlainRow], language: str) -> TableSpec:
    """Perplexity (paper, Table 4): which text helps a model of one ``language``; lower is better.

    Every row is compared with the first one.
    """
    specs = _rows(rows)
    column = ColumnSpec(language, "", "", published=language, lower_is_better=True)
    return TableSpec(
        name="perplexity",
        rows=specs,
        columns=(
            replace(column, metric="perplexity per word", label=f"{language}, per word"),
            replace(column, metric="perplexity per piece", label=f"{language}, per piece"),
            replace(column, metric="bits per byte", label=f"{language}, bits per byte", decimals=2),
        ),
        differences=tuple((row, specs[0]) for row in specs[1:]),
        label_header=("text", "objective"),
        unit="Perplexity, and bits per byte; less is better",
        about_columns=(
            "Columns: the same loss per word and per piece of the row's vocabulary, ends of sentences counted, and per "
            "byte; pieces of different vocabularies do not compare. Items: words and ends of sentences."
        ),
    )


def ablation(rows: Sequence[PlainRow], train: str) -> TableSpec:
    """The ablation, whose numbers ``summary.ablation_results`` computes; ``train`` is the language with labels."""
    column = ColumnSpec("", "accuracy", "", same_size="nothing")
    beside = replace(column, is_ranked=False)
    return TableSpec(
        name="ablation",
        rows=_rows(rows),
        columns=(
            ColumnSpec(train, "accuracy", train),
            replace(column, name="transfer", label="transfer"),
            replace(beside, name="full system", label="full system"),
            replace(beside, name="difference", label="difference", is_signed=True),
        ),
        differences=(),
        unit="Accuracy in percent, and points",
        about_columns=(
            f"Columns: {train}: with labels; transfer: mean over the other languages of the row; full system: that of "
            "the full system on the same languages; difference: transfer less that, seed by seed."
        ),
    )


GLUE_SUFFIXES = {
    "accuracy": "", "Matthews": ", Matthews", "F1": ", F1", "Pearson": ", Pearson", "Spearman": ", Spearman",
}  # fmt: skip


def glue(rows: Sequence[PlainRow], runs: Sequence[str], tasks: Mapping[str, Sequence[Sequence[str]]]) -> TableSpec:
    """GLUE: each task by its metrics, and their score.

    The score is the mean over the tasks; of a task with several numbers their mean counts, as on the leaderboard.
    Every row is compared with the first one, and rows of one run in setups of other languages with each other.

    Args:
        rows: systems, and the languages of their setups.
        runs: of each row the run that it is in its setup.
        tasks: task -> its columns and the metric of each, in the order in which they are shown.
    """
    columns: list[ColumnSpec] = []
    scores: list[ColumnKey] = []
    means: list[ColumnSpec] = []
    for task, several in tasks.items():
        found = [ColumnSpec(name, metric, name + GLUE_SUFFIXES[metric], published=name) for name, metric in several]
        columns += found
        if len(found) > 1:
            parts = tuple(column.key for column in found)
            means.append(ColumnSpec(task, "score", f"{task} score", parts, is_shown=False))
        scores.append((means[-1] if len(found) > 1 else found[0]).key)
    score = ColumnSpec("GLUE", "score", "GLUE score", tuple(scores))
    specs = _rows(rows, has_model_per_column=True)
    same_run = [
        (row, above)
        for (above, above_run), (row, run) in combinations(list(zip(specs, runs, strict=True))[1:], 2)
        if run == above_run and row.setting != above.setting
    ]
    return TableSpec(
        name="glue",
        rows=specs,
        columns=(*columns, *means, score),
        differences=(*((row, specs[0]) for row in specs[1:]), *same_run),
        label_header=("system", "pretrained on"),
        unit="In percent: accuracy, or what stands above the column",
        about_columns=(
            "Columns: the official validation sets, which also select the models. GLUE score: mean over "
            f"{', '.join(tasks)}, of each task the mean of its numbers."
        ),
        ranks_by_setting=False,
    )


def embeddings(rows: Sequence[PlainRow], directions: Sequence[str], rated: Sequence[str]) -> TableSpec:
    """Cross-lingual word embeddings (paper, Table 5): a column per measure, the mean over the directions.

    The directions themselves are in the tidy table, and so are Pearson's correlation and its harmonic mean with
    Spearman's.

    Args:
        rows: every system in every one of ``WORD_SETTINGS``.
        directions: of the dictionaries.
        rated: directions in which the similarity of words was rated.
    """
    two = ColumnSpec("avg", "", "", published="avg", decimals=2, same_size="setting")
    percent = replace(two, decimals=1)
    distance = replace(two, lower_is_better=True)
    lookup = [replace(percent, metric=f"P@{depth}{by}") for by in ("", " CSLS") for depth in (1, 5)]
    shown = [replace(two, metric="cosine"), replace(distance, metric="L2"), replace(distance, metric="relative L2")]
    shown += [replace(two, metric="Spearman")] if rated else []
    shown += [*lookup, replace(percent, metric="coverage")]
    hidden = [replace(two, metric=metric) for metric in ("Pearson", "harmonic")] if rated else []
    means, measured = [], []
    for column in (*shown, *hidden):
        several = rated if column.metric in ("Spearman", "Pearson", "harmonic") else directions
        parts = [
            replace(column, name=name, label=f"{name} {column.metric}", published=None, is_shown=False)
            for name in several
        ]
        measured += parts
        if column not in hidden:
            means.append(replace(column, label=column.metric, mean_of=tuple(part.key for part in parts)))
    return TableSpec(
        name="embeddings",
        rows=_rows(rows),
        columns=(*means, *measured),
        differences=(),
        unit="Cosine, distance (L2) and correlation as they are; P@1, P@5 and coverage in percent",
        about_columns=(
            f"Columns: means over the directions {', '.join(directions)}"
            + (f", of Spearman's correlation with people's ratings over {', '.join(rated)}" if rated else "")
            + "; L2: of raw vectors, relative L2: by the mean distance of all words to all, of both less is better; "
            "P@1 and P@5: one of a word's translations is the nearest or among the five nearest words, by cosine or "
            "CSLS; coverage: pairs of the dictionary that a row alone has vectors for, all else being measured on "
            "those that every row has."
        ),
    )


def _rows(rows: Sequence[PlainRow], **further: bool) -> tuple[RowSpec, ...]:
    return tuple(RowSpec(**{**row, **further}) for row in rows)


def _xnli_differences(rows: Sequence[RowSpec]) -> tuple[tuple[RowSpec, RowSpec], ...]:
    """Each zero-shot row less the one above it, and less the first; every other row less its run's zero-shot row."""
    zero_shot = [row for row in rows if row.setting == SETTINGS["zero_shot"]]
    differences = [(row, above) for above, row in pairwise(zero_shot)]
    differences += [(row, zero_shot[0]) for row in zero_shot[2:]]
    base = {row.system: row for row in zero_shot}
    differences += [(row, base[row.system]) for row in rows if row not in zero_shot and row.system in base]
    return tuple(differences)


SPECS: Mapping[str, Callable[..., TableSpec]] = {
    "xnli": xnli,
    "retrieval": retrieval,
    "unsupervised_mt": unsupervised_mt,
    "supervised_mt": supervised_mt,
    "perplexity": perplexity,
    "ablation": ablation,
    "glue": glue,
    "embeddings": embeddings,
}


def spec(table: Mapping[str, Any]) -> TableSpec:
    """The specification of a table that is described as plain data, see ``xlm_core.report.tables.make``."""
    return SPECS[table["name"]](**table["contents"])
