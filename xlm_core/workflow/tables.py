"""What each table shows and each claim compares, from the configuration: as plain data, which a rule passes to its job.

``xlm_core.report.tables.make`` explains the data of tables, ``xlm_core.tasks.claims.Hypothesis`` the data of claims.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

from xlm_core.config import BASELINES, METRICS, SETTINGS, TASKS, WORD_SETTINGS, Config, SystemConfig, Xnli
from xlm_core.config.classification import Glue, RowConfig
from xlm_core.config.tables import (
    Ablation,
    ComparisonConfig,
    Embeddings,
    Perplexity,
    Retrieval,
    pretrained_systems,
    word_pair_column,
)
from xlm_core.config.translation import SupervisedMt, UnsupervisedMt
from xlm_core.languages import direction_key, sides
from xlm_core.workflow import experiments
from xlm_core.workflow.experiment_paths import ExperimentPaths
from xlm_core.workflow.experiments import MtTable

Plain = dict[str, Any]
# Published rows of the closest protocol: the paper selects per language in all of its settings.
PUBLISHED_SETTINGS = {
    "zero-shot": "zero-shot",
    SETTINGS["selected_per_language"]: "zero-shot",
    "translate-test": "translate-test",
    "translate-train": "translate-train",
}
MT_TABLES: dict[str, MtTable] = {f"{table}_mt": table for table in get_args(MtTable)}


def describe(name: str, config: Config) -> Plain:
    """Return what the table of this name shows; nothing where the configuration has no section for it."""
    sections = config.translation if name in MT_TABLES else config
    section = getattr(sections, MT_TABLES.get(name, name), None)
    if not section:
        return {}
    return {"name": name, "is_paper_text": config.is_paper_text, **DESCRIPTIONS[name](config, section)}


def retrieval_rows(config: Config) -> list[Plain]:
    """Return the rows of sentence retrieval, of the table and of the figure by layer."""
    return [_run_row(config, row, setting) for row in config.xnli.runs for setting in ("raw", "centered")]


def _row(system: str, setting: str, label: str, published: Sequence[str | None], **further: Any) -> Plain:
    """Return a row; ``published`` is key and setting of the published one that it is compared with, if it has both."""
    compared = list(published) if all(published) else None
    return {"system": system, "setting": setting, "label": label, "published": compared, **further}


def _run_row(config: Config, row: RowConfig, setting: str, published_setting: str | None = None) -> Plain:
    """Return the row of a model in a setting."""
    run = config.runs[row.run]
    published = (row.published or run.published, published_setting)
    return _row(row.name, setting, row.label or run.label, published, seeds=run.seeds)


def xnli(config: Config, table: Xnli) -> Plain:
    """Describe cross-lingual classification: a row for each protocol and run."""
    train = table.train_language
    texts = {
        "zero_shot": f"fine-tuned on '{train}' only, one model for all languages, selected by its mean validation "
        "accuracy",
        "selected_on_training_language": f"fine-tuned on '{train}' only, and selected by its validation accuracy in "
        f"'{train}' alone: no labelled example of another language is seen",
        "selected_per_language": "the same fine-tunings as zero-shot, but each language at its own best validation "
        "accuracy",
        "few_shot": f"'{train}' and {table.few_shot.examples} translated training pairs of each other language",
        "translate_test": f"the zero-shot model on test sets translated to '{train}'",
        "translate_train": "one model per language, fine-tuned and selected on that language, its training set "
        "translated",
        "translate_train_all": "one model, fine-tuned on all of these training sets together",
    }
    runs = {SETTINGS[protocol]: runs for protocol, runs in table.protocol_runs.items()}
    rows = [
        _run_row(config, table.rows[name], setting, PUBLISHED_SETTINGS.get(setting))
        for setting, names in runs.items()
        for name in names
    ]
    return {
        "caption": f"XNLI accuracy (configuration '{config.name}')",
        "contents": {"rows": rows, "languages": table.languages, "train": train},
        "settings": {SETTINGS[name]: text for name, text in texts.items() if runs[SETTINGS[name]]},
    }


def retrieval(config: Config, table: Retrieval) -> Plain:
    """Describe sentence retrieval: raw and centered vectors of every run."""
    depths = sorted({config.setup(row.setup).model.n_layers for row in config.xnli.runs})
    n_layers = " or ".join(map(str, depths))
    layer = f"layer {n_layers if table.layer is None else table.layer} of {n_layers}"
    if table.layer is None and len(depths) > 1:
        layer = f"the last layer ({n_layers})"
    caption = (
        f"Sentence retrieval (configuration '{config.name}'): how often the nearest neighbor of a sentence, by cosine "
        f"of mean-pooled states of the pretrained encoder after {layer}, is its translation; centered: less the mean "
        "vector of its language."
    )
    contents = {"rows": retrieval_rows(config), "languages": config.xnli.languages, "pivot": config.xnli.pivot}
    return {"caption": caption, "contents": contents}


def unsupervised_mt(config: Config, table: UnsupervisedMt) -> Plain:
    """Describe unsupervised translation: a row for each pair of runs."""
    rows = []
    for encoder, decoder in table.systems:
        first, second = config.runs[encoder], config.runs[decoder]
        published = (first.published, second.published)
        rows.append(_row(encoder, decoder, first.label, published, setting_label=second.label))
    directions = [direction_key(*languages) for key in table.pairs for languages in (sides(key), sides(key)[::-1])]
    caption = f"Unsupervised translation (configuration '{config.name}')"
    return {"caption": caption, "contents": {"rows": rows, "directions": directions}}


def supervised_mt(config: Config, table: SupervisedMt) -> Plain:
    """Describe supervised translation: a row for each set of objectives, a column for each run."""
    direction = direction_key(table.source, table.target)
    rows = [_row(name, direction, experiments.row_label(table, name), (name, direction)) for name in table.systems]
    columns = [
        {"system": run, "label": config.runs[run].label, "published": config.runs[run].published}
        for run in table.columns
    ]
    caption = f"Supervised translation (configuration '{config.name}')"
    return {"caption": caption, "contents": {"rows": rows, "columns": columns}}


def perplexity(config: Config, table: Perplexity) -> Plain:
    """Describe perplexity: a row for each setup."""
    rows = []
    for setup in table.setups:
        label = table.label(config.setup(setup).languages)
        published = (table.published.get(setup), "CLM")
        rows.append(_row(setup, table.run, label, published, setting_label=config.runs[table.run].label))
    caption = f"Perplexity of causal language models (configuration '{config.name}')"
    return {"caption": caption, "contents": {"rows": rows, "language": table.language}}


def ablation(config: Config, table: Ablation) -> Plain:
    """Describe the ablation: a row for each system, the full one first."""
    rows = [
        _run_row(config, RowConfig(setup=system.setup, run=system.run, label=label), "zero-shot")
        for label, system in {"full system": table.full, **table.systems}.items()
    ]
    return {
        "caption": f"Ablation: zero-shot XNLI accuracy (configuration '{config.name}')",
        "contents": {"rows": rows, "train": config.xnli.train_language},
        "full": table.full.name,
    }


def glue(config: Config, table: Glue) -> Plain:
    """Describe GLUE: a row for each system."""
    rows = []
    for row in table.systems:
        setting = config.setup(row.setup).language_summary
        rows.append(_run_row(config, row, setting, setting))
    tasks = {
        task: [[column, metric] for column in table.valid(task) for metric in METRICS[task]] for task in table.trained
    }
    missing = ", ".join(task for task in TASKS if task not in table.tasks)
    finetuning = table.finetuning
    n_candidates = len(finetuning.learning_rates) * finetuning.epochs * finetuning.evaluations_per_epoch
    return {
        "caption": f"GLUE (configuration '{config.name}')",
        "contents": {"rows": rows, "runs": [row.run for row in table.systems], "tasks": tasks},
        "remarks": [
            f"Every model is the best of {n_candidates} evaluations ({len(finetuning.learning_rates)} learning rates, "
            f"{finetuning.epochs * finetuning.evaluations_per_epoch} evaluations of each) on the items that it is "
            "scored on, which flatters all rows alike; published numbers are of the test sets.",
            *([f"Tasks that are missing here, and in the score: {missing}."] if missing else []),
        ],
    }


def embeddings(config: Config, table: Embeddings) -> Plain:
    """Describe word embeddings: a row for each setting and system."""
    rows = [
        _row(name, setting, BASELINES[name], (name, setting))
        if name in BASELINES
        else _run_row(config, RowConfig(run=name), setting, setting)
        for setting in WORD_SETTINGS
        for name in table.systems
    ]
    rated = table.similarity.keys if table.similarity else []
    return {
        "caption": f"Word embeddings across languages (configuration '{config.name}')",
        "contents": {"rows": rows, "directions": table.dictionary.keys, "rated": rated},
        "settings": {"spelled differently": "without the pairs whose words are spelled alike"},
    }


DESCRIPTIONS: Mapping[str, Callable[[Config, Any], Plain]] = {
    function.__name__: function
    for function in (xnli, retrieval, unsupervised_mt, supervised_mt, glue, perplexity, ablation, embeddings)
}  # table -> what describes it, from the configuration and the table's own section of it


def claim_tests(paths: ExperimentPaths) -> list[Plain]:
    """Return the tests of all claims, in the order of the configuration: that system a of a table is better than b.

    "claim" and "statement" are number and text of the claim, "columns" the columns that count, as a and as b call them,
    or None if all do, "a_files" and "b_files" the sample statistics of each pretraining seed.
    """
    tests = []
    for number, claim in enumerate(paths.config.claims, 1):
        for test in claim.tests:
            tests.append(
                {
                    "claim": number,
                    "statement": claim.claim,
                    "is_ours": claim.is_ours,
                    "table": test.table,
                    "a_system": _name(test.a),
                    "b_system": _name(test.b),
                    "margin": test.margin,
                    "columns": _claim_columns(paths.config, test),
                    "a_files": _statistics(paths, test.table, test.a),
                    "b_files": _statistics(paths, test.table, test.b),
                }
            )
    return tests


def _name(system: str | SystemConfig) -> str:
    return system if isinstance(system, str) else system.name


def _claim_columns(config: Config, test: ComparisonConfig) -> list[list[str]] | None:
    """Return the columns that count: of XNLI the languages without labels; None: all."""
    if test.table in ("xnli", "ablation"):
        return [[language, language] for language in config.xnli.others]
    if test.table == "embeddings" and config.embeddings:
        cells = [(key, setting) for key in config.embeddings.dictionary.keys for setting in WORD_SETTINGS]
        return [[word_pair_column(_name(system), *cell) for system in (test.a, test.b)] for cell in cells]
    return None


def _statistics(paths: ExperimentPaths, table: str, system: str | SystemConfig) -> list[list[str]]:
    """Return the files of sample statistics of each pretraining seed of one system of a table."""
    config, folder, kind = paths.config, f"{paths.results}/results", "statistics.json"
    if table in MT_TABLES:
        plans, seeds = paths.translators_of(MT_TABLES[table]), paths.translation_seeds(MT_TABLES[table])
        own = [key for key, plan in plans.items() if (plan.encoder, plan.decoder) == (system, system)]
        return [[path for key in own for path in paths.translation_scores(key, seed, kind)] for seed in seeds]
    if table == "perplexity" and config.perplexity:
        run = config.perplexity.run
        return [[f"{folder}/perplexity/{system}.{run}.{seed}.{kind}"] for seed in config.pretraining_seeds(run)]
    if table == "embeddings":
        seeds = config.seeds.pretraining if system in BASELINES else config.pretraining_seeds(_name(system))
        return [[f"{folder}/embeddings/{seed}.{kind}"] for seed in seeds]
    model = SystemConfig(run=system) if isinstance(system, str) else system
    if table == "xnli":
        model = config.xnli.rows[_name(system)]
    if table == "ablation" and config.ablation:
        model = {"full": config.ablation.full, **config.ablation.systems}[_name(system)]
    seeds = config.pretraining_seeds(model.run)
    if table == "glue":
        return [paths.glue_scores(model, seed, kind) for seed in seeds]
    return [paths.xnli_scores(model, kind, [seed]) for seed in seeds]


def filter_statistics(paths: ExperimentPaths, table: str) -> list[str]:
    """Return what was kept and dropped of each shard of the text that the pretrainings of a table read."""
    files: dict[str, None] = {}
    for setup, run in _pretrained_for(paths, table):
        section, n_shards = paths.config.setup(setup), paths.config.text.n_shards
        shards = [shard for language in section.languages for shard in paths.monolingual_shards(setup, language)]
        pairs = [(corpus, pair) for pair in paths.pairs_of_run(setup, run) for corpus in section.parallel[pair]]
        shards += [(corpus, pair, shard) for corpus, pair in pairs for shard in range(n_shards)]
        filtered = (shard for shard in shards if paths.config.corpora[shard[0]].format != "store")
        files |= dict.fromkeys(paths.tokens(setup, *shard, "statistics.json") for shard in filtered)
    return list(files)


def _pretrained_for(paths: ExperimentPaths, table: str) -> list[tuple[str, str]]:
    """Return setup and run of all pretrainings that a table needs, those that others begin with among them."""
    config = paths.config
    systems = pretrained_systems(config)
    needed = list(systems.get(table, systems["xnli"]))
    for system in needed:
        if initial := config.initial_system(system.setup, system.run):
            needed.append(initial)
    pairs = dict.fromkeys((system.setup, system.run) for system in needed)
    return [(setup, run) for setup, run in pairs if config.runs[run].objectives]
