"""The tests of the claims: which systems they compare, and the files of statistics that they read."""

from dataclasses import dataclass
from typing import Any, Literal

from xlm_core.config import BASE, WORD_SETTINGS, ComparisonConfig, Config, SystemConfig, word_pair_column
from xlm_core.workflow import experiments
from xlm_core.workflow.paths import Paths


@dataclass(frozen=True)
class ClaimTest:
    """One test of a claim: that system a of a table is better than system b.

    claim, statement  number and text of the claim
    seeds             pretraining seeds that both systems have
    columns           those that count, as a and as b call them; None: all
    """

    claim: int
    statement: str
    compared: ComparisonConfig
    seeds: tuple[int, ...]
    columns: list[list[str]] | None

    def to_dict(self) -> dict[str, Any]:
        """The test as plain data, for a rule's ``params``."""
        a, b = self.compared.names
        names = {"claim": self.claim, "statement": self.statement, "table": self.compared.table}
        names |= {"a_system": a, "b_system": b}
        return {**names, "margin": self.compared.margin, "columns": self.columns, "seeds": list(self.seeds)}


def claim_tests(config: Config) -> list[ClaimTest]:
    """The tests of all claims, in the order of the configuration."""
    return [
        ClaimTest(number, claim.claim, test, tuple(_claim_seeds(config, test)), _claim_columns(config, test))
        for number, claim in enumerate(config.claims, 1)
        for test in claim.tests
    ]


def _claim_seeds(config: Config, compared: ComparisonConfig) -> list[int]:
    """The pretraining seeds that both systems of a comparison have."""
    kinds: dict[str, Literal["unsupervised", "supervised"]]
    kinds = {"unsupervised_mt": "unsupervised", "supervised_mt": "supervised"}
    if compared.table in kinds:
        plans = experiments.translators(config).values()
        return experiments.seeds(config, [plan for plan in plans if plan.table == kinds[compared.table]])
    runs = [claim_run(config, compared.table, name) for name in compared.names]
    return [
        seed
        for seed in config.seeds.pretraining
        if all(seed in config.pretraining_seeds(run) for run in runs if run in config.runs)
    ]


def claim_run(config: Config, table: str, name: str) -> str:
    """The run of a system of a table; of a baseline that is no run its name."""
    if table == "perplexity" and config.perplexity:
        return config.perplexity.run
    if table == "embeddings":
        return name
    return claim_system(config, table, name).run


def claim_system(config: Config, table: str, name: str) -> SystemConfig:
    """The system with this name of the table of XNLI, of the ablation or of GLUE."""
    if table == "glue" and config.glue:
        return next(SystemConfig(setup=row.setup, run=row.run) for row in config.glue.systems if row.name == name)
    if table == "ablation" and config.ablation:
        return config.ablation.full if name == "full" else config.ablation.systems[name]
    return SystemConfig(setup=BASE, run=name)


def _claim_columns(config: Config, compared: ComparisonConfig) -> list[list[str]] | None:
    """The columns that count: of XNLI the languages without labels; None: all."""
    if compared.table in ("xnli", "ablation"):
        return [[language, language] for language in config.xnli.others]
    if compared.table == "embeddings" and config.embeddings:
        cells = [(key, kind) for key in config.embeddings.dictionary.keys for kind in WORD_SETTINGS]
        return [[word_pair_column(name, key, kind) for name in compared.names] for key, kind in cells]
    return None


def claim_statistics(paths: Paths) -> dict[str, list[str]]:
    """``<a or b>_<number of the test>_<seed>`` -> the statistics of the examples of a system with this seed."""
    return {
        f"{side}_{number}_{seed}": _statistics(paths, test, name, seed)
        for number, test in enumerate(claim_tests(paths.config))
        for side, name in zip("ab", test.compared.names, strict=True)
        for seed in test.seeds
    }


def _statistics(paths: Paths, test: ClaimTest, name: str, seed: int) -> list[str]:
    """The statistics of the examples of one system of a table."""
    table, folder = test.compared.table, f"{paths.results}/results"
    if table == "perplexity":
        run = claim_run(paths.config, table, name)
        return [f"{folder}/perplexity/{name}.{run}.{seed}.items.json"]
    if table == "embeddings":
        return [f"{folder}/embeddings/{seed}.items.json"]
    if table == "unsupervised_mt" or table == "supervised_mt":
        plans = paths.translators_of("supervised" if table == "supervised_mt" else "unsupervised")
        own = [key for key, plan in plans.items() if (plan.encoder, plan.decoder) == (name, name)]
        return [path for key in own for path in paths.translation_scores(key, seed, "items.json")]
    system = claim_system(paths.config, table, name)
    if table == "glue":
        return paths.glue_scores(system.setup, system.run, seed, "items.json")
    return paths.xnli_scores(system, paths.protocols["zero_shot"], "items.json", [seed])
