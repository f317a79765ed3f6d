"""Import a pretrained model."""

from pathlib import Path

from xlm_core import config
from xlm_core.interop import convert
from xlm_core.workflow.step import workflow_step

params, inputs = snakemake.params, snakemake.input

with workflow_step(snakemake):
    convert.import_model(
        {Path(path): params.pretrained["sha256"][Path(path).name] for path in inputs.files},
        format=params.pretrained["format"],
        vocabulary=Path(inputs.vocabulary),
        languages=params.languages,
        model=config.read(config.ModelConfig, params.model, path="model"),
        output=Path(snakemake.output.model),
    )
