"""Turn a pretrained vocabulary into ours."""

from pathlib import Path

from xlm_core.interop import pretrained
from xlm_core.workflow.step import workflow_step

wanted = snakemake.params.pretrained
files = {Path(path).name: Path(path) for path in snakemake.input}

with workflow_step(snakemake.log[0]):
    pretrained.import_vocabulary(
        {files[name]: sum_ for name, sum_ in wanted["sha256"].items()},
        format=wanted["format"],
        codes=files.get(wanted["codes"]),
        vocab=files.get(wanted["vocab"]),
        languages=snakemake.params.languages,
        size=snakemake.params.size,
        output=Path(snakemake.output.vocabulary),
        origin=Path(snakemake.output.origin),
    )
