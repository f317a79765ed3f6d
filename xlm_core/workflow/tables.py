"""What each table shows, from the configuration: as plain data, the form in which a rule passes it to its job.

``xlm_core.report.tables.make`` says what the data mean.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from xlm_core.config import BASELINES, SETTINGS, WORD_SETTINGS, Config, GlueRow, system
from xlm_core.config.glue import METRICS
from xlm_core.workflow import experiments

Plain = dict[str, Any]
# The published rows are those of the protocol that is closest: the paper selects per language in all of its settings.
PUBLISHED_SETTINGS = {
    "zero-shot": "zero-shot",
    SETTINGS["selected_per_language"]: "zero-shot",
    "translate-test": "translate-test",
    "translate-train": "translate-train",
}


def describe(name: str, config: Config) -> Plain:
    """What the table of this name shows; empty where the configuration has no section for it."""
    caption, contents = DESCRIPTIONS[name](config)
    return {"name": name, "caption": caption, **contents} if contents else {}


def retrieval_rows(config: Config) -> list[Plain]:
    """The rows of sentence retrieval, of the table and of the figure by layer."""
    return [_row(config, run, setting) for run in config.xnli.runs for setting in ("raw", "centered")]


def _row(config: Config, run: str, setting: str, published_setting: str | None = None) -> Plain:
    """The row of a run in a setting, with the published one that it is compared with."""
    settings = config.runs[run]
    key = settings.published if published_setting else None
    published = [key, published_setting] if key else None
    return {
        "system": run, "setting": setting, "label": settings.label, "published": published, "seeds": settings.seeds,
    }  # fmt: skip


def _xnli(config: Config) -> tuple[str, Plain]:
    table = config.xnli
    rows = [_row(config, run, setting, PUBLISHED_SETTINGS.get(setting)) for run, setting in table.rows]
    contents = {"rows": rows, "languages": table.languages, "train": table.train_language}
    return f"XNLI accuracy (configuration '{config.name}')", {"contents": contents, "settings": table.settings}


def _retrieval(config: Config) -> tuple[str, Plain]:
    layer, last = config.retrieval.layer, config.model.n_layers
    caption = (
        f"Sentence retrieval (configuration '{config.name}'): how often the nearest neighbor of a sentence, by cosine "
        f"of mean-pooled states of the pretrained encoder after layer {last if layer is None else layer} of {last}, is "
        "its translation; centered: less the mean vector of its language."
    )
    contents = {"rows": retrieval_rows(config), "languages": config.xnli.languages, "pivot": config.xnli.pivot}
    return caption, {"contents": contents}


def _unsupervised_mt(config: Config) -> tuple[str, Plain]:
    plans = [plan for plan in experiments.translators(config).values() if plan.table == "unsupervised"]
    rows = {}
    for plan in plans:
        encoder, decoder = config.runs[plan.encoder], config.runs[plan.decoder]
        both = [encoder.published, decoder.published]
        rows[plan.system, plan.setting] = {
            "system": plan.system,
            "setting": plan.setting,
            "label": encoder.label,
            "setting_label": decoder.label,
            "published": both if None not in both else None,
        }
    contents = {"rows": list(rows.values()), "directions": _columns(plans)}
    return _translation_caption("unsupervised", config), {"contents": contents} if rows else {}


def _supervised_mt(config: Config) -> tuple[str, Plain]:
    plans = [plan for plan in experiments.translators(config).values() if plan.table == "supervised"]
    labels = experiments.row_labels(config)
    rows = {
        (plan.system, plan.setting): {
            "system": plan.system,
            "setting": plan.setting,
            "label": labels[plan.system],
            "published": [plan.system, plan.setting],
        }
        for plan in plans
    }
    columns = [
        {"system": run, "label": config.runs[run].label, "published": config.runs[run].published}
        for run in _columns(plans)
    ]
    contents = {"rows": list(rows.values()), "columns": columns}
    return _translation_caption("supervised", config), {"contents": contents} if rows else {}


def _columns(plans: list[experiments.TranslationExperiment]) -> list[str]:
    """The columns that translators fill, each once."""
    cells = (plan.cell(direction) for plan in plans for direction in plan.directions)
    return list(dict.fromkeys(column for _, _, column in cells))


def _translation_caption(table: Literal["unsupervised", "supervised"], config: Config) -> str:
    return f"{table.capitalize()} translation (configuration '{config.name}')"


def _perplexity(config: Config) -> tuple[str, Plain]:
    table = config.perplexity
    caption = f"Perplexity of causal language models (configuration '{config.name}')"
    if table is None:
        return caption, {}
    rows = [
        {
            "system": setup,
            "setting": table.run,
            "label": table.label(config.setup(setup).languages),
            "setting_label": config.runs[table.run].label,
            "published": [table.published[setup], "CLM"] if setup in table.published else None,
        }
        for setup in table.setups
    ]
    return caption, {"contents": {"rows": rows, "language": table.language}}


def _ablation(config: Config) -> tuple[str, Plain]:
    caption = f"Ablation: zero-shot XNLI accuracy (configuration '{config.name}')"
    if config.ablation is None:
        return caption, {}
    systems = {"full system": config.ablation.full, **config.ablation.systems}
    rows = [
        {**_row(config, one.run, "zero-shot"), "system": system(one.setup, one.run), "label": label}
        for label, one in systems.items()
    ]
    contents = {"rows": rows, "train": config.xnli.train_language}
    return caption, {"contents": contents, "full": rows[0]["system"]}


def _glue(config: Config) -> tuple[str, Plain]:
    caption = f"GLUE (configuration '{config.name}')"
    table = config.glue
    if table is None:
        return caption, {}
    tasks = {
        task: [[column, metric] for column in table.valid(task) for metric in METRICS[task]] for task in table.trained
    }
    missing = [f"Tasks that are missing here, and in the score: {', '.join(table.missing)}."] if table.missing else []
    contents = {
        "rows": [_glue_row(config, row) for row in table.systems],
        "runs": [row.run for row in table.systems],
        "tasks": tasks,
    }
    return caption, {"contents": contents, "remarks": missing}


def _glue_row(config: Config, row: GlueRow) -> Plain:
    run, setting = config.runs[row.run], config.setup(row.setup).language_summary
    published = row.published or run.published
    return {
        "system": row.name,
        "setting": setting,
        "label": row.label or run.label,
        "published": [published, setting] if published else None,
        "seeds": run.seeds,
    }


def _embeddings(config: Config) -> tuple[str, Plain]:
    caption = f"Word embeddings across languages (configuration '{config.name}')"
    table = config.embeddings
    if table is None:
        return caption, {}
    rows = [
        _baseline(name, setting) if name in BASELINES else _row(config, name, setting, setting)
        for setting in WORD_SETTINGS
        for name in table.systems
    ]
    rated = table.similarity.keys if table.similarity else []
    contents = {"rows": rows, "directions": table.dictionary.keys, "rated": rated}
    settings = {"spelled differently": "without the pairs whose words are spelled alike"}
    return caption, {"contents": contents, "settings": settings}


def _baseline(name: str, setting: str) -> Plain:
    """The row of a baseline, whose published row has the same key."""
    return {"system": name, "setting": setting, "label": BASELINES[name], "published": [name, setting]}


DESCRIPTIONS: Mapping[str, Callable[[Config], tuple[str, Plain]]] = {
    "xnli": _xnli,
    "retrieval": _retrieval,
    "unsupervised_mt": _unsupervised_mt,
    "supervised_mt": _supervised_mt,
    "perplexity": _perplexity,
    "ablation": _ablation,
    "glue": _glue,
    "embeddings": _embeddings,
}
