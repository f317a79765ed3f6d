"""Claims: the files of the two systems that each compares."""

from xlm_core import config as configuration


def compared_systems():
    """Claim, comparison: of every comparison of every claim."""
    return [(claim, one) for claim in CONFIG.claims for one in claim.tests]


def claim_seeds(compared):
    """The seeds that both systems of a comparison have."""
    if compared.table.endswith("_mt"):
        return seeds_of(compared.table.removesuffix("_mt"))
    runs = [run_of(compared.table, name) for name in compared.names]
    return [
        seed for seed in CONFIG.seeds.pretraining if all(seed in CONFIG.pretraining_seeds(run) for run in runs if run)
    ]


def run_of(table, name):
    """The run of a system; None of a baseline that is none."""
    if table == "perplexity":
        return CONFIG.perplexity.run
    if table == "embeddings":
        return name if name in CONFIG.runs else None
    return glue_row(name).run if table == "glue" else zero_shot_system(table, name).run


def glue_row(name):
    """The row of the table of GLUE that has this name."""
    return next(row for row in CONFIG.glue.systems if row.name == name)


def zero_shot_system(table, name):
    """A system of the table of XNLI or of the ablation."""
    if table == "xnli":
        return configuration.SystemConfig(run=name)
    return CONFIG.ablation.full if name == "full" else CONFIG.ablation.systems[name]


def claim_items(table, name, seed):
    """The items of one system with one pretraining seed."""
    if table == "perplexity":
        return [f"<results>/results/perplexity/{name}.{CONFIG.perplexity.run}.{seed}.items.json"]
    if table.endswith("_mt"):
        path = "<results>/results/translation/{}/{}/{}.items.json"
        plans = plans_of(table.removesuffix("_mt")).items()
        mine = [(key, plan) for key, plan in plans if (plan.encoder, plan.decoder) == (name, name)]
        return [path.format(key, seed, direction) for key, plan in mine for direction in direction_keys(plan)]
    if table == "embeddings":
        return [f"<results>/results/embeddings/{seed}.items.json"]
    if table == "glue":
        path = "<results>/results/glue/{row}.{seed}.{task}.{finetuning_seed}.items.json"
        return expand(path, row=name, seed=seed, task=CONFIG.glue.trained, finetuning_seed=CONFIG.seeds.finetuning)
    one = zero_shot_system(table, name)
    path = "<results>/results/xnli/{setup}.{run}.{seed}.zero_shot.{finetuning_seed}.items.json"
    return expand(path, setup=one.setup, run=one.run, seed=seed, finetuning_seed=CONFIG.seeds.finetuning)


def claim_columns(compared):
    """The columns that count, as both systems call them: of XNLI the languages without labels; None: all."""
    if compared.table in ("xnli", "ablation"):
        return [[language, language] for language in CONFIG.xnli.others]
    if compared.table == "embeddings":
        rest = [(key, kind) for key in CONFIG.embeddings.dictionary.keys for kind in configuration.WORD_SETTINGS]
        return [[f"{name}, {key}, {kind}" for name in compared.names] for key, kind in rest]
    return None


def all_claim_items():
    """Of each hypothesis, of each of its systems, the items of each seed."""
    return {
        f"{side}_{number}_{seed}": claim_items(one.table, name, seed)
        for number, (_, one) in enumerate(compared_systems())
        for side, name in zip("ab", one.names)
        for seed in claim_seeds(one)
    }


def described_hypotheses():
    """Of each hypothesis the claim's statement, its systems, margin and columns, and the seeds."""
    return [
        {
            "statement": claim.claim,
            "table": one.table,
            "a": one.names[0],
            "b": one.names[1],
            "margin": one.margin,
            "columns": claim_columns(one),
            "seeds": claim_seeds(one),
        }
        for claim, one in compared_systems()
    ]


CLAIM_FILES = [
    *(f"<results>/tables/claims.{kind}" for kind in ("md", "tidy.csv", "manifest.json")),
    "<results>/figures/claims.svg",
]
