"""The shapes of the tables: which rows and columns each has, what is compared with what."""

from collections.abc import Mapping, Sequence
from itertools import combinations, pairwise
from typing import Literal

from xlm_core.config import SETTINGS, WORD_SETTINGS
from xlm_core.report import ablation
from xlm_core.report.summary import Row, Shape

ZERO_SHOT = SETTINGS["zero_shot"]
# The published rows are those of the protocol that is closest: the paper selects per language in all of its settings.
XNLI_COMPARED = {
    ZERO_SHOT: "zero-shot",
    SETTINGS["selected_per_language"]: "zero-shot",
    SETTINGS["translate_test"]: "translate-test",
    SETTINGS["translate_train"]: "translate-train",
}
RETRIEVAL_SETTINGS = ("raw", "centered")


def xnli(
    labels: Mapping[str, str],
    rows: Sequence[Sequence[str]],
    columns: Sequence[str],
    train: str,
    fewer_seeds: Mapping[str, Sequence[int]],
) -> Shape:
    """The table of cross-lingual classification (paper, Table 1).

    Beside the languages it has ``transfer``, the mean over those without labels to train on (where there are any, and
    it is not the mean over all), and ``avg``, the mean over all.

    Args:
        labels: run -> label; the published rows are found by their labels.
        rows: run and setting of each row, in the order shown.
        columns: languages, in the order shown.
        train: the language with labels.
        fewer_seeds: run -> its pretraining seeds, for runs that have fewer than the others.
    """
    languages = tuple(columns)
    others = tuple(language for language in languages if language != train)
    means = {"avg": languages}
    if 0 < len(others) < len(languages):
        means = {"transfer": others, **means}
    lines = tuple(Row(run, setting) for run, setting in rows)
    return Shape(
        name="xnli",
        labels=labels,
        rows=lines,
        measured=languages,
        means=means,
        shown=(*languages, *means),
        compared=XNLI_COMPARED,
        by_column=(SETTINGS["translate_train"],),
        contrasts=_xnli_contrasts(lines),
        fewer_seeds=fewer_seeds,
    )


def retrieval(
    labels: Mapping[str, str], columns: Sequence[str], pivot: str, fewer_seeds: Mapping[str, Sequence[int]]
) -> Shape:
    """The table of sentence retrieval, raw and centered: how often the nearest neighbor is the translation.

    A column is the mean of both directions between its language and ``pivot``; the directions themselves stand in
    the tidy table. ``pivot`` has no column, even where ``columns`` names it. ``fewer_seeds`` as in ``xnli``.
    """
    languages = tuple(language for language in columns if language != pivot)
    directions = {language: (f"{pivot}-{language}", f"{language}-{pivot}") for language in languages}
    measured = tuple(direction for both in directions.values() for direction in both)
    rows = tuple(Row(run, setting) for run in labels for setting in RETRIEVAL_SETTINGS)
    means, shown = {**directions, "avg": measured}, (*languages, "avg")
    return Shape("retrieval", labels, rows, measured, means, shown, fewer_seeds=fewer_seeds)


def retrieval_by_layer(labels: Mapping[str, str], n_layers: int, fewer_seeds: Mapping[str, Sequence[int]]) -> Shape:
    """Sentence retrieval after the embeddings, which are column 0, and after each layer: means over all directions.

    ``fewer_seeds`` as in ``xnli``.
    """
    layers = tuple(str(layer) for layer in range(n_layers + 1))
    rows = tuple(Row(run, setting) for run in labels for setting in RETRIEVAL_SETTINGS)
    return Shape("retrieval_by_layer", labels, rows, layers, {}, layers, fewer_seeds=fewer_seeds)


METRICS = {"BLEU": "", "tokenized BLEU": ", tokenized", "chrF": ", chrF"}
BLEU_UNIT = "BLEU (sacreBLEU, detokenized); tokenized: BLEU of tokenized text, as the paper has it"


TRANSLATION_LABELS = {"unsupervised": ("encoder", "decoder"), "supervised": ("learned", "tested")}


def translation(
    table: Literal["unsupervised", "supervised"],
    labels: Mapping[str, str],
    rows: Sequence[Sequence[str]],
    columns: Sequence[str],
) -> Shape:
    """A table of translation (paper, Tables 2 and 3): BLEU by what encoder and decoder begin with.

    It shows sacreBLEU's and the paper's kind of BLEU; chrF stands in the tidy table. Every row is compared with the
    first one if unsupervised, with the one above if supervised.

    Args:
        table: which of them.
        labels: run of the encoder, or what was learned -> its label; the published rows are found by their labels.
        rows: run of the encoder and label of that of the decoder, or what was learned and the direction that is tested;
            in the order shown.
        columns: directions such as "en-fr", or labels of the runs that both halves begin with; in the order shown.
    """
    lines = tuple(Row(row, setting) for row, setting in rows)
    settings = tuple(dict.fromkeys(row.setting for row in lines))
    compared = [(row, lines[0]) for row in lines[1:]] if table == "unsupervised" else pairwise(lines[::-1])
    shown = tuple(column + METRICS[metric] for metric in ("BLEU", "tokenized BLEU") for column in columns)
    return Shape(
        name=f"{table}_mt",
        labels=labels,
        rows=lines,
        measured=(*shown, *(column + METRICS["chrF"] for column in columns)),
        means={},
        shown=shown,
        compared={setting: setting for setting in settings},
        by_column=settings,
        contrasts=tuple(sorted(compared, key=lambda pair: lines.index(pair[0]))),
        metrics=METRICS,
        unit=BLEU_UNIT,
        label_header=TRANSLATION_LABELS[table],
        is_by_setting=False,
    )


PERPLEXITY_METRICS = {
    "perplexity per word": ", per word",
    "perplexity per piece": ", per piece",
    "bits per byte": ", bits per byte",
}


def perplexity(labels: Mapping[str, str], settings: Sequence[str], language: str) -> Shape:
    """The table of perplexity (paper, Table 4): text of which languages helps a model of one; less is better.

    Args:
        labels: setup -> languages, such as "ne + hi"; the published rows are found by them.
        settings: what the run is called.
        language: the one whose text is tested.
    """
    rows = tuple(Row(setup, setting) for setup in labels for setting in settings)
    shown = tuple(language + adds for adds in PERPLEXITY_METRICS.values())
    return Shape(
        name="perplexity",
        labels=labels,
        rows=rows,
        measured=shown,
        means={},
        shown=shown,
        compared=dict.fromkeys(settings, "CLM"),
        contrasts=tuple((row, rows[0]) for row in rows[1:]),
        metrics=PERPLEXITY_METRICS,
        unit="Perplexity, and bits per byte; less is better",
        label_header=("text", "objective"),
        decimals={"bits per byte": 2},
        falling=tuple(PERPLEXITY_METRICS),
    )


def ablated(labels: Mapping[str, str], train: str) -> Shape:
    """The table of the ablation, see ``ablation.compared``; ``labels``: system -> what is different in it."""
    shown = (train, ablation.TRANSFER, ablation.FULL, ablation.DIFFERENCE)
    rows = tuple(Row(system, ablation.SETTING) for system in labels)
    return Shape(
        name=ablation.TABLE,
        labels=labels,
        rows=rows,
        measured=shown,
        means={},
        shown=shown,
        unit="Accuracy in percent, and points",
        uneven=shown[1:],
        signed=(ablation.DIFFERENCE,),
        beside=(ablation.FULL, ablation.DIFFERENCE),
    )


GLUE_METRICS = {
    "accuracy": "",
    "Matthews": ", Matthews",
    "F1": ", F1",
    "Pearson": ", Pearson",
    "Spearman": ", Spearman",
    "score": " score",
}
GLUE_UNIT = "In percent: accuracy, or what stands above the column"


def glue(
    labels: Mapping[str, str],
    rows: Sequence[Sequence[str]],
    columns: Mapping[str, Sequence[Sequence[str]]],
    fewer_seeds: Mapping[str, Sequence[int]],
) -> Shape:
    """The table of GLUE: each task by its metrics, and their score.

    The score is the mean over the tasks; of a task with several numbers their mean counts, as on the leaderboard.
    Every row is compared with the first one, and rows of one run in setups of other languages with each other.

    Args:
        labels: row, which is ``setup.run``, -> label; the published rows are found by their labels.
        rows: row and the languages of its setup, in the order shown.
        columns: task -> its columns and the metric of each, in the order shown.
        fewer_seeds: row -> its pretraining seeds, for rows that have fewer than the others.
    """
    of_task = {
        task: tuple(name + GLUE_METRICS[metric] for name, metric in several) for task, several in columns.items()
    }
    measured = tuple(column for several in of_task.values() for column in several)
    means = {f"{task} score": several for task, several in of_task.items() if len(several) > 1}
    means["GLUE score"] = tuple(f"{task} score" if len(of_task[task]) > 1 else of_task[task][0] for task in of_task)
    lines = tuple(Row(row, setting) for row, setting in rows)
    settings = tuple(dict.fromkeys(row.setting for row in lines))
    run = {row: row.run.rpartition(".")[2] for row in lines}
    of_one_run = [(row, above) for above, row in combinations(lines[1:], 2) if run[row] == run[above]]
    alike = [(row, above) for row, above in of_one_run if row.setting != above.setting]
    return Shape(
        name="glue",
        labels=labels,
        rows=lines,
        measured=measured,
        means=means,
        shown=(*measured, "GLUE score"),
        compared={setting: setting for setting in settings},
        by_column=settings,
        contrasts=(*((row, lines[0]) for row in lines[1:]), *alike),
        fewer_seeds=fewer_seeds,
        metrics=GLUE_METRICS,
        unit=GLUE_UNIT,
        label_header=("system", "pretrained on"),
        is_by_setting=False,
    )


DECIMALS = {"cosine": 2, "L2": 2, "relative L2": 2, "Spearman": 2, "Pearson": 2, "harmonic": 2}
EMBEDDING_UNIT = "Cosine, distance (L2) and correlation as they are; P@1, P@5 and coverage in percent"


def embeddings(
    labels: Mapping[str, str], directions: Sequence[str], rated: Sequence[str], fewer_seeds: Mapping[str, Sequence[int]]
) -> Shape:
    """The table of cross-lingual word embeddings (paper, Table 5): a column per measure, the mean over the directions.

    The directions themselves stand in the tidy table, and so do Pearson's correlation and its harmonic mean with
    Spearman's.

    Args:
        labels: row -> label; the published rows are found by their labels.
        directions: of the dictionaries.
        rated: directions in which the similarity of words was rated.
        fewer_seeds: as in ``xnli``.
    """
    lookup = [f"P@{depth}{by}" for by in ("", " CSLS") for depth in (1, 5)]
    of = dict.fromkeys(["cosine", "L2", "relative L2"], directions)
    of |= dict.fromkeys(["Spearman"] if rated else [], rated) | dict.fromkeys([*lookup, "coverage"], directions)
    shown = tuple(of)
    of |= dict.fromkeys(["Pearson", "harmonic"] if rated else [], rated)
    means = {metric: tuple(f"{direction} {metric}" for direction in some) for metric, some in of.items()}
    return Shape(
        name="embeddings",
        labels=labels,
        rows=tuple(Row(row, setting) for setting in WORD_SETTINGS for row in labels),
        measured=tuple(column for columns in means.values() for column in columns),
        means=means,
        shown=shown,
        compared={WORD_SETTINGS[0]: WORD_SETTINGS[0]},
        fewer_seeds=fewer_seeds,
        metrics={metric: f" {metric}" for metric in of},
        unit=EMBEDDING_UNIT,
        decimals=DECIMALS,
        falling=("L2", "relative L2"),
        own_items=True,
    )


def _xnli_contrasts(rows: Sequence[Row]) -> tuple[tuple[Row, Row], ...]:
    """Each zero-shot row less the one above it, and less the first; every other row less its run's zero-shot row."""
    zero_shot = [row for row in rows if row.setting == ZERO_SHOT]
    contrasts = [(row, above) for above, row in pairwise(zero_shot)]
    contrasts += [(row, zero_shot[0]) for row in zero_shot[2:]]
    base = {row.run: row for row in zero_shot}
    contrasts += [(row, base[row.run]) for row in rows if row.setting != ZERO_SHOT and row.run in base]
    return tuple(contrasts)
