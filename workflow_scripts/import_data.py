"""Import a pretrained vocabulary, or the token stores of one shard of a corpus."""

from pathlib import Path

from xlm_core import config
from xlm_core.config.pretrained import PretrainedVocabulary
from xlm_core.interop import pretrained
from xlm_core.languages import sides
from xlm_core.workflow.step import workflow_step

params, inputs, output = snakemake.params, snakemake.input, snakemake.output


def import_vocabulary() -> None:
    """Import the vocabulary that the section ``pretrained`` describes."""
    pretrained.import_vocabulary(
        config.read(PretrainedVocabulary, params.pretrained, path="vocabulary.pretrained"),
        [Path(path) for path in inputs],
        languages=params.languages,
        size=params.size,
        text=config.read(config.Text, params.text, path="text"),
        output=Path(output.vocabulary),
        origin=Path(output.origin),
    )


def import_store() -> None:
    """Copy token stores to where ``build_store`` would write them."""
    pretrained.import_store(
        {Path(inputs[split]): digest for split, digest in params.sha256.items()},
        [Path(output[split]) for split in params.sha256],
        languages=sides(snakemake.wildcards.key),
        vocabulary=Path(inputs.vocabulary),
        statistics=Path(output.statistics),
    )


with workflow_step(snakemake):
    {"vocabulary": import_vocabulary, "store": import_store}[params.artefact]()
