"""Perplexity: what is measured, and the rows of the table."""


def perplexity_text(wildcards):
    """The test stores of the language whose perplexity is measured."""
    path = "<results>/store/{vocabulary}/{{corpus}}/{{key}}/{{shard}}/test.store"
    path = path.format(vocabulary=CONFIG.vocabulary_of(wildcards.setup))
    return monolingual_files(wildcards.setup, CONFIG.perplexity.language, path)


def perplexity_results():
    """The results of every setup and seed of the table."""
    table = CONFIG.perplexity
    path = "<results>/results/perplexity/{setup}.{run}.{seed}.jsonl"
    return expand(path, setup=table.setups, run=table.run, seed=CONFIG.pretraining_seeds(table.run)) if table else []


def perplexity_labels():
    """setup -> its name in the table."""
    table = CONFIG.perplexity
    return {name: table.label(CONFIG.setup(name).languages) for name in table.setups} if table else {}


def perplexity_settings():
    """What the run of the table is called."""
    return [CONFIG.runs[CONFIG.perplexity.run].label] if CONFIG.perplexity else []
