"""Ablation: the rows of the table."""

from xlm_core import config as configuration


def ablation_systems():
    """label -> system, the full one first."""
    table = CONFIG.ablation
    return {"full system": table.full, **table.systems} if table else {}


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
