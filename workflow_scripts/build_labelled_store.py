"""Tokenize and encode labelled sentences, parts of XNLI or of a task of GLUE; the tokens lie beside each store."""

from pathlib import Path

from xlm_core import config
from xlm_core.data import token_store
from xlm_core.text import tokenize
from xlm_core.text.formats import xnli
from xlm_core.workflow.step import workflow_step

params, output = snakemake.params, Path(snakemake.output[0])


def build_xnli() -> None:
    """Extract parts of XNLI out of an archive, and store them."""
    for name in params.parts:
        files = (output.with_name(f"{name}.records.tsv"), output.with_name(f"{name}.records.json"))
        xnli.extract(Path(snakemake.input.archive), *name.split("."), *files, params.labels)
        store(name, files[0], output.parent)


def build_glue() -> None:
    """Store the parts of a task of GLUE."""
    output.mkdir(parents=True, exist_ok=True)
    for name in params.parts:
        store(name, Path(snakemake.input.records) / f"{name}.tsv", output)


def store(name: str, records: Path, folder: Path) -> None:
    """Tokenize and encode one part."""
    part, tokens, text = params.parts[name], folder / f"{name}.tsv", config.read(config.Text, params.text, path="text")
    tokenize.tokenize(
        records, tokens, languages=[part["language"]] * 2, n_fields=3, text=text, keep_all=True,
        already_tokenized=part["already_tokenized"], statistics=folder / f"{name}.tokens.json",
    )  # fmt: skip
    token_store.build_labelled(
        tokens, folder / f"{name}.store", language=part["language"], vocabulary=Path(snakemake.input.vocabulary),
        classes=part["classes"], statistics=folder / f"{name}.statistics.json", n_sentences=params.n_sentences,
    )  # fmt: skip


with workflow_step(snakemake):
    {"xnli": build_xnli, "glue": build_glue}[params.dataset]()
