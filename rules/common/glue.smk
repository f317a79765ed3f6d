"""GLUE: its files, its parts, and the rows of its table."""

from xlm_core import config as configuration
from xlm_core.text.formats import glue


def glue_files(wildcards):
    """The official files of a task."""
    corpus = f"glue/{wildcards.task}"
    return [path for file in configuration.GLUE_FILES[wildcards.task] for path in raw_files(corpus, file)]


def glue_parts(wildcards):
    """The training, validation and test sets of a task."""
    return CONFIG.glue.parts(wildcards.task)


def glue_tokens(wildcards):
    return f"<results>/tokens/{CONFIG.text_of(wildcards.vocabulary)}/glue/{wildcards.task}"


def glue_classes(wildcards):
    """Part of a task -> its labels, which is none in test sets; None where they are scores."""
    classes = glue.GLUE_TASKS[wildcards.task].classes
    return {
        part: [glue.NO_LABEL] if part.startswith("test") else classes and list(classes)
        for part in CONFIG.glue.parts(wildcards.task)
    }


def n_glue_sentences(wildcards):
    return len(glue.GLUE_TASKS[wildcards.task].sentences)


def glue_stores(setup, task):
    """The folder of the parts of a task, as the models of a setup read them."""
    return f"<results>/store/{CONFIG.vocabulary_of(setup)}/glue/{task}"


def glue_examples(wildcards):
    return glue_stores(wildcards.setup, wildcards.task)


def glue_diagnostics(wildcards):
    """Sentences that the models of a task label beside their own."""
    further = configuration.DIAGNOSTICS
    return [glue_stores(wildcards.setup, further)] if further in CONFIG.glue.test(wildcards.task) else []


def glue_valid(wildcards):
    """Column of the table -> part of a task that it is measured on."""
    return CONFIG.glue.valid(wildcards.task)


def glue_test(wildcards):
    """Set of the leaderboard -> part of a task."""
    return CONFIG.glue.test(wildcards.task)


def glue_finetuning(wildcards):
    return plain(CONFIG.glue.finetuning)


def pretrained_on(wildcards):
    """The language of a setup, or how many it has."""
    languages = CONFIG.setup(wildcards.setup).languages
    return languages[0] if len(languages) == 1 else f"{len(languages)} languages"


def glue_rows(path, **names):
    """What ``path`` is called for every row and seed of the table of GLUE."""
    return [
        file
        for row in CONFIG.glue.systems
        for file in expand(
            path,
            setup=row.setup,
            run=row.run,
            seed=CONFIG.pretraining_seeds(row.run),
            finetuning_seed=CONFIG.seeds.finetuning,
            **names,
        )
    ]


def glue_results(wildcards):
    path = "<results>/results/glue/{setup}.{run}.{seed}.{task}.{finetuning_seed}.jsonl"
    return glue_rows(path, task=CONFIG.glue.trained)


def glue_predictions(wildcards):
    """What the models of all tasks say, with one seed of one row."""
    path = "<results>/results/glue/{setup}.{run}.{seed}.{task}.{finetuning_seed}.predictions.tsv"
    return expand(path, **wildcards, task=CONFIG.glue.trained)


def glue_table_params(wildcards):
    """What the table of GLUE shows."""
    columns = {
        task: [[column, metric] for column in CONFIG.glue.valid(task) for metric in glue.GLUE_TASKS[task].metrics]
        for task in CONFIG.glue.trained
    }
    return {
        "labels": {row.name: row.label or CONFIG.runs[row.run].label for row in CONFIG.glue.systems},
        "rows": [[row.name, pretrained_on(row)] for row in CONFIG.glue.systems],
        "columns": columns,
        "missing": CONFIG.glue.missing,
        "fewer_seeds": {row.name: CONFIG.runs[row.run].seeds for row in CONFIG.glue.systems if CONFIG.runs[row.run].seeds},
        "caption": f"GLUE (configuration '{CONFIG.name}')",
    }


def shown_of_glue():
    """All that is shown of GLUE, and what its leaderboard takes."""
    zips = "<results>/submissions/glue/{setup}.{run}.{seed}.{finetuning_seed}.zip"
    return [*table_files("glue"), *glue_rows(zips)] if CONFIG.glue else []
