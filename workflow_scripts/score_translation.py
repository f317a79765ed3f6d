"""Translate a test set in one direction, and score what was said."""

from pathlib import Path

from xlm_core import config
from xlm_core.jobs import recorded
from xlm_core.steps import step
from xlm_core.tasks import translation_scores

params = snakemake.params

with step(snakemake.log[0]), recorded(snakemake):
    translation_scores.score(
        model=Path(snakemake.input.model),
        vocabulary=Path(snakemake.input.vocabulary),
        test=Path(snakemake.input.test),
        direction=snakemake.wildcards.direction.split("-"),
        search=config.read(config.Search, params.search, path="translation.search"),
        tokens_per_batch=params.tokens_per_batch,
        place={**params.place, "seeds": snakemake.wildcards.seed, "code": params.code},
        n_threads=snakemake.threads,
        output=Path(snakemake.output.results),
        kept={part: Path(snakemake.output[part]) for part in translation_scores.PARTS},
        kept_items=Path(snakemake.output.kept),
    )
