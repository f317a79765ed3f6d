"""Parameters of tables."""

from xlm_core.workflow import experiments

TRANSLATORS = PATHS.translators


def ablation_systems():
    """label -> system, the full one first."""
    table = CONFIG.ablation
    return {"full system": table.full, **table.systems} if table else {}


def ablation_full():
    """What the full system is called in its results."""
    return CONFIG.ablation and configuration.system(CONFIG.ablation.full.setup, CONFIG.ablation.full.run)


def ablation_labels():
    """system -> its name in the table."""
    return {configuration.system(one.setup, one.run): label for label, one in ablation_systems().items()}


def embedding_labels():
    """Row -> what it is called in the table."""
    labels = {**configuration.BASELINES, **{name: run.label for name, run in CONFIG.runs.items()}}
    return {row: labels[row] for row in CONFIG.embeddings.systems}


def pretrained_on(wildcards):
    """The language of a setup, or how many it has."""
    languages = CONFIG.setup(wildcards.setup).languages
    return languages[0] if len(languages) == 1 else f"{len(languages)} languages"


def glue_table_params(wildcards):
    """What the table of GLUE shows."""
    columns = {
        task: [[column, metric] for column in CONFIG.glue.valid(task) for metric in GLUE_TASKS[task].metrics]
        for task in CONFIG.glue.trained
    }
    return {
        "labels": {row.name: row.label or CONFIG.runs[row.run].label for row in CONFIG.glue.systems},
        "rows": [[row.name, pretrained_on(row)] for row in CONFIG.glue.systems],
        "columns": columns,
        "missing": CONFIG.glue.missing,
        "fewer_seeds": {
            row.name: CONFIG.runs[row.run].seeds for row in CONFIG.glue.systems if CONFIG.runs[row.run].seeds
        },
        "caption": f"GLUE (configuration '{CONFIG.name}')",
    }


def perplexity_labels():
    """setup -> its name in the table."""
    table = CONFIG.perplexity
    return {name: table.label(CONFIG.setup(name).languages) for name in table.setups} if table else {}


def perplexity_settings():
    """What the run of the table is called."""
    return [CONFIG.runs[CONFIG.perplexity.run].label] if CONFIG.perplexity else []


def fewer_seeds(runs):
    """run -> its pretraining seeds, for those of a table that have fewer than the others."""
    return {run: CONFIG.runs[run].seeds for run in runs if CONFIG.runs[run].seeds}


def trained_labels():
    """run -> its name in the tables, for the runs that train at all."""
    return {run: label for run, label in xnli_labels().items() if CONFIG.runs[run].objectives}


def plans_of(table):
    """translator -> plan, for those of a table."""
    return {name: plan for name, plan in TRANSLATORS.items() if plan.table == table}


def labels_of_rows(wildcards):
    """Run of an encoder, or row of the supervised table -> its label."""
    if wildcards.table == "supervised":
        return experiments.row_labels(CONFIG)
    return {plan.encoder: CONFIG.runs[plan.encoder].label for plan in plans_of("unsupervised").values()}


def rows_of(wildcards):
    """The rows of a table, row and setting, each once."""
    rows = dict.fromkeys((plan.system, plan.setting) for plan in plans_of(wildcards.table).values())
    return [list(row) for row in rows]


def columns_of(wildcards):
    """The columns of a table, each once."""
    cells = (plan.cell(direction) for plan in plans_of(wildcards.table).values() for direction in plan.directions)
    return list(dict.fromkeys(column for _, _, column in cells))


def xnli_labels():
    """run -> its name in the tables."""
    return {run: CONFIG.runs[run].label for run in CONFIG.xnli.runs}


def retrieval_caption():
    """What the table of sentence retrieval shows."""
    layer, last = CONFIG.retrieval.layer, CONFIG.model.n_layers
    return (
        f"Sentence retrieval (configuration '{CONFIG.name}'): how often the nearest neighbor of a sentence, by cosine of "
        f"mean-pooled states of the pretrained encoder after layer {last if layer is None else layer} of {last}, is its "
        f"translation; centered: less the mean vector of its language."
    )
