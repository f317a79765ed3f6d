"""Normalize and tokenize one file of records, or, of a task of GLUE, a file for each of its parts."""

from pathlib import Path

from xlm_core import config
from xlm_core.text import tokenize
from xlm_core.workflow.step import workflow_step

params, inputs, output = snakemake.params, snakemake.input, snakemake.output


def tokenize_file(records: Path, tokens: Path, statistics: Path) -> None:
    """Tokenize the first fields of each record, one per language; a third field is a label."""
    tokenize.tokenize(
        records,
        tokens,
        languages=params.languages,
        n_fields=params.n_fields,
        text=config.read(config.Text, params.text, path="text"),
        already_tokenized=params.already_tokenized,
        keep_all=params.keep_all,
        statistics=statistics,
        repeated=Path(inputs.repeated[0]) if inputs.get("repeated") else None,
    )


with workflow_step(snakemake):
    records, tokens = Path(inputs.records), Path(output.tokens)
    if output.get("statistics"):
        tokenize_file(records, tokens, Path(output.statistics))
    else:
        tokens.mkdir(parents=True, exist_ok=True)
        for part in params.parts:
            tokenize_file(records / f"{part}.tsv", tokens / f"{part}.tsv", tokens / f"{part}.statistics.json")
