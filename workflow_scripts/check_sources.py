"""Ask for the headers of every address of the configuration, print a table, and fail if a file has no address left."""

from pathlib import Path

from xlm_core import config
from xlm_core.text import source_check
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake):
    sources = [(config.Download(**source), Path(record)) for record, source in snakemake.params.sources.items()]
    table = source_check.check(sources, config.parse(snakemake.config).contact)
    print(source_check.as_text(table))
    source_check.require_reachable(table, [source for source, _ in sources])
