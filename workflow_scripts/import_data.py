"""Import a pretrained vocabulary, or the token stores of one shard of a corpus."""

from pathlib import Path

from xlm_core.interop import pretrained
from xlm_core.languages import sides
from xlm_core.workflow.step import workflow_step

params, inputs, output = snakemake.params, snakemake.input, snakemake.output


def import_vocabulary() -> None:
    """Import the vocabulary that the section ``pretrained`` describes."""
    section, files = params.pretrained, {Path(path).name: Path(path) for path in inputs}
    pretrained.import_vocabulary(
        {files[name]: digest for name, digest in section["sha256"].items()},
        format=section["format"],
        codes=files.get(section["codes"]),
        vocab=files.get(section["vocab"]),
        languages=params.languages,
        size=params.size,
        output=Path(output.vocabulary),
        origin=Path(output.origin),
    )


def import_store() -> None:
    """Copy token stores to where ``build_store`` would write them."""
    stores = {split: Path(inputs[split]) for split in ("train", "valid", "test")}
    pretrained.import_store(
        stores,
        {stores[split]: digest for split, digest in params.sha256.items()},
        outputs={split: Path(output[split]) for split in stores},
        languages=sides(snakemake.wildcards.key),
        vocabulary=Path(inputs.vocabulary),
        statistics=Path(output.statistics),
    )


with workflow_step(snakemake):
    {"vocabulary": import_vocabulary, "store": import_store}[params.artefact]()
