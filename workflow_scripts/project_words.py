"""Place words and their translations on a map of each model's input embeddings."""

from pathlib import Path

from xlm_core import config
from xlm_core.tasks.word_embeddings import tsne
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake):
    figure = config.read(config.AlignmentFigure, snakemake.params.figure, path="embeddings.alignment_figure")
    tsne.project(
        figure=figure,
        models=dict(zip(figure.runs, map(Path, snakemake.input.models), strict=True)),
        vocabulary=Path(snakemake.input.vocabulary),
        dictionaries=[Path(path) for path in snakemake.input.dictionaries],
        texts=dict(zip(figure.languages, map(Path, snakemake.input.texts), strict=True)),
        output=Path(snakemake.output[0]),
    )
