"""Perplexity and ablation: the rows of their tables."""

from xlm_core import config as configuration


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


def ablation_systems():
    """label -> system, the full one first."""
    table = CONFIG.ablation
    return {"full system": table.full, **table.rows} if table else {}


def ablation_full():
    """What the full system is called in its results."""
    return CONFIG.ablation and configuration.system(CONFIG.ablation.full.setup, CONFIG.ablation.full.run)


def ablation_labels():
    """system -> its name in the table."""
    return {configuration.system(one.setup, one.run): label for label, one in ablation_systems().items()}


def ablation_results():
    """The zero-shot results of all systems; those that another table shows, too, are the same files."""
    path = "<results>/results/xnli/{setup}.{run}.{seed}.zero_shot.{finetuning_seed}.jsonl"
    return [
        file
        for one in ablation_systems().values()
        for file in expand(
            path,
            setup=one.setup,
            run=one.run,
            seed=CONFIG.pretraining_seeds(one.run),
            finetuning_seed=CONFIG.seeds.finetuning,
        )
    ]
