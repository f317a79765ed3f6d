"""Measure how well the vectors of words are aligned across languages."""

from pathlib import Path

from xlm_core import config, digests
from xlm_core.tasks.word_embeddings import evaluate
from xlm_core.tasks.word_embeddings.vectors import InputEmbeddings, WordEmbeddings
from xlm_core.workflow.step import result_context, workflow_step

with workflow_step(snakemake):
    given, params = snakemake.input, snakemake.params
    models = dict(zip(params.runs, map(Path, given.models), strict=True))
    concat = {"concat": WordEmbeddings.read(Path(given.vectors_all))} if "concat" in params.rows else {}
    evaluate.score(
        systems=[row for row in params.rows if row in params.runs or row in config.BASELINES],
        monolingual={
            language: WordEmbeddings.read(Path(given[f"vectors_{language}"])) for language in params.languages
        },
        shared={run: InputEmbeddings(path, Path(given.vocabulary)) for run, path in models.items()} | concat,
        word_lists={
            name: {key: Path(path) for key, path in zip(keys, given[name], strict=True)}
            for name, keys in params.lists.items()
        },
        refinement=config.read(config.Refinement, params.refinement, path="embeddings.refinement"),
        n_candidates=params.candidates,
        baseline_digest=digests.of_value([params.vectors, params.refinement]),
        context=result_context(snakemake),
        output=Path(snakemake.output.results),
        statistics=Path(snakemake.output.statistics),
    )
