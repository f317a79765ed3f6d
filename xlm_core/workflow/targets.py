"""Public targets of the workflow: the tables and figures that each of them makes."""

from typing import get_args

from xlm_core.workflow.paths import MtTable, Paths

FORMS = ("md", "html", "tex", "tidy.csv")  # of a table


def table_files(paths: Paths, name: str, *, differences: bool = True) -> list[str]:
    """The forms of a table, of the differences between its rows where it has any, and its manifest."""
    kinds = (*FORMS, *(["differences.csv"] if differences else []), "manifest.json")
    return [f"{paths.results}/tables/{name}.{kind}" for kind in kinds]


def targets(paths: Paths) -> dict[str, list[str]]:
    """Public target -> its tables and figures; none where the configuration lacks its section."""
    config, figures = paths.config, f"{paths.results}/figures"
    drawn = config.embeddings is not None and config.embeddings.alignment_figure is not None
    return {
        "xnli_table": _xnli(paths),
        **{f"{table}_mt_table": _translation(paths, table) for table in get_args(MtTable)},
        "perplexity_table": table_files(paths, "perplexity") if config.perplexity else [],
        "ablation_table": table_files(paths, "ablation", differences=False) if config.ablation else [],
        "claims": _claims(paths) if config.claims else [],
        "glue_table": [*table_files(paths, "glue"), *paths.glue_submissions()] if config.glue else [],
        "embedding_table": table_files(paths, "embeddings", differences=False) if config.embeddings else [],
        "alignment_figure": [f"{figures}/alignment.{kind}" for kind in ("svg", "png")] if drawn else [],
        "objectives_figure": [f"{figures}/objectives.svg"],
    }


def tables(paths: Paths) -> dict[str, str]:
    """Table -> the target that makes it."""
    names = ("xnli", "retrieval", "unsupervised_mt", "supervised_mt", "glue", "perplexity", "ablation", "embeddings")
    made = [(target, set(files)) for target, files in targets(paths).items()]
    return {
        name: target
        for name in (*names, "claims")
        for target, files in made
        if f"{paths.results}/tables/{name}.tidy.csv" in files
    }


def _xnli(paths: Paths) -> list[str]:
    """The table of XNLI, that of retrieval where there are two languages, and the curves of trained runs."""
    retrieved = len(paths.config.xnli.languages) > 1
    figures = ["xnli_heatmap", "confusions"]
    figures += ["retrieval_by_layer"] if retrieved else []
    figures += ["training_curves"] if paths.trained_runs() else []
    retrieval = table_files(paths, "retrieval", differences=False) if retrieved else []
    return [*table_files(paths, "xnli"), *retrieval, *(f"{paths.results}/figures/{name}.svg" for name in figures)]


def _translation(paths: Paths, table: MtTable) -> list[str]:
    """A table of translation, the curves of its trainings, and samples."""
    if not paths.translators_of(table):
        return []
    samples = f"{paths.results}/tables/{table}_samples.html"
    return [*table_files(paths, f"{table}_mt"), f"{paths.results}/figures/{table}_curves.svg", samples]


def _claims(paths: Paths) -> list[str]:
    """The verdicts on the claims as a page, as data and as a figure."""
    forms = [f"{paths.results}/tables/claims.{kind}" for kind in ("md", "tidy.csv", "manifest.json")]
    return [*forms, f"{paths.results}/figures/claims.svg"]
