"""Copy given token stores where building would have written them."""

from pathlib import Path

from xlm_core.interop import pretrained
from xlm_core.languages import sides
from xlm_core.workflow.step import workflow_step

stores = {split: Path(snakemake.input[split]) for split in ("train", "valid", "test")}

with workflow_step(snakemake.log[0]):
    pretrained.import_store(
        stores,
        {stores[split]: sum_ for split, sum_ in snakemake.params.sha256.items()},
        outputs={split: Path(snakemake.output[split]) for split in stores},
        languages=sides(snakemake.wildcards.key),
        vocabulary=Path(snakemake.input.vocabulary),
        statistics=Path(snakemake.output.statistics),
    )
