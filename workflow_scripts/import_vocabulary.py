"""Turn a finished vocabulary into ours."""

from pathlib import Path

from xlm_core.text import imported
from xlm_core.workflow.step import workflow_step

wanted = snakemake.params.imported
files = {Path(path).name: Path(path) for path in snakemake.input}

with workflow_step(snakemake.log[0]):
    imported.import_vocabulary(
        {files[name]: sum_ for name, sum_ in wanted["sha256"].items()},
        format=wanted["format"],
        codes=files.get(wanted["codes"]),
        vocab=files.get(wanted["vocab"]),
        languages=snakemake.params.languages,
        size=snakemake.params.size,
        output=Path(snakemake.output.vocabulary),
        origin=Path(snakemake.output.origin),
    )
