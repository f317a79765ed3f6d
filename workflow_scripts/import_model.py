"""Turn a pretrained model into ours."""

from pathlib import Path

from xlm_core import config
from xlm_core.interop import convert
from xlm_core.workflow.step import workflow_step

wanted = snakemake.params.pretrained

with workflow_step(snakemake.log[0]):
    convert.import_model(
        {Path(path): wanted["sha256"][Path(path).name] for path in snakemake.input.files},
        format=wanted["format"],
        vocabulary=Path(snakemake.input.vocabulary),
        languages=snakemake.params.languages,
        model=config.read(config.ModelConfig, snakemake.params.model, path="model"),
        output=Path(snakemake.output.model),
    )
