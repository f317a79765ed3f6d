"""Import a pretrained model."""

from pathlib import Path

from xlm_core import config
from xlm_core.config.pretrained import PretrainedModel
from xlm_core.interop import convert
from xlm_core.workflow.step import workflow_step

params = snakemake.params

with workflow_step(snakemake):
    convert.import_model(
        config.read(PretrainedModel, params.pretrained, path="pretrained"),
        [Path(path) for path in snakemake.input.files],
        vocabulary=Path(snakemake.input.vocabulary),
        languages=params.languages,
        model=config.read(config.ModelConfig, params.model, path="model"),
        output=Path(snakemake.output.model),
    )
