"""Extract records from files in their publisher's format: a corpus, a task of GLUE, or pairs of words."""

from pathlib import Path

from xlm_core import config
from xlm_core.text import extract
from xlm_core.text.formats import dictionary, glue
from xlm_core.workflow.step import workflow_step

params, wildcards, output = snakemake.params, snakemake.wildcards, snakemake.output
inputs = [Path(path) for path in snakemake.input]


def extract_corpus() -> None:
    """Extract one language or pair of a dump, an archive, plain files or a test set."""
    shards, statistics = [Path(path) for path in output.shards], Path(output.statistics)
    settings = extract.ExtractionSettings(**params.settings)
    extract.extract(params.format, inputs, shards, wildcards.key, statistics, settings)


def extract_glue() -> None:
    """Extract the parts of a task of GLUE into a folder."""
    folder = Path(output.folder)
    folder.mkdir(parents=True, exist_ok=True)
    for part in params.parts:
        glue.extract(wildcards.task, part, inputs, folder / f"{part}.tsv", folder / f"{part}.statistics.json")


def extract_word_pairs() -> None:
    """Extract a dictionary, or rated pairs of words."""
    text = config.read(config.Text, params.text, path="text")
    files = (Path(output.words), Path(output.statistics))
    dictionary.extract(wildcards.list, inputs[0], wildcards.direction, text, *files)


FORMATS = {"corpus": extract_corpus, "glue": extract_glue, "word_pairs": extract_word_pairs}

with workflow_step(snakemake):
    FORMATS[params.source]()
