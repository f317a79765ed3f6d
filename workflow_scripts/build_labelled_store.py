"""Encode labelled sentences: one file, or, of a task of GLUE, a file for each of its parts."""

from pathlib import Path

from xlm_core.data import token_store
from xlm_core.workflow.step import workflow_step

params, inputs, output = snakemake.params, snakemake.input, snakemake.output


def build(tokens: Path, store: Path, statistics: Path, classes: list[str] | None) -> None:
    """Encode one file; ``classes`` are its labels, None for scores."""
    token_store.build_labelled(
        tokens,
        store,
        language=params.language,
        vocabulary=Path(inputs.vocabulary),
        classes=classes,
        statistics=statistics,
        n_sentences=params.n_sentences,
    )


with workflow_step(snakemake):
    tokens, store = Path(inputs.tokens), Path(output.store)
    if output.get("statistics"):
        build(tokens, store, Path(output.statistics), params.classes)
    else:
        store.mkdir(parents=True, exist_ok=True)
        for part, classes in params.parts.items():
            build(tokens / f"{part}.tsv", store / f"{part}.store", store / f"{part}.statistics.json", classes)
