"""Paths of the workflow: which files belong to which model, task and table of a configuration."""

from typing import Any

from xlm_core.config import BASE, GLUE_LANGUAGE, SETTINGS, Config, SystemConfig
from xlm_core.languages import direction_key
from xlm_core.workflow import experiments
from xlm_core.workflow.corpus_paths import CorpusPaths
from xlm_core.workflow.experiments import MtTable, TranslationExperiment


class ExperimentPaths(CorpusPaths):
    """The files of a configuration, and the experiments that they belong to."""

    def __init__(self, config: Config) -> None:
        """Plan the experiments of a configuration."""
        super().__init__(config)
        self.translators = experiments.translators(config)
        self.test_sets = config.translation.pairs if config.translation else {}
        self.glue_systems = config.glue.systems if config.glue else []
        self.protocols = experiments.xnli_protocols(config.xnli)

    # Models

    def model(self, setup: str, run: str, seed: int | str) -> str:
        """Return a pretrained model."""
        return f"{self.results}/runs/{setup}/{run}/{seed}/model.safetensors"

    def initial_model(self, setup: str, run: str, seed: str) -> list[str]:
        """Return the model that a pretraining begins with, and its vocabulary; none: with random weights."""
        initial = self.config.initial_system(setup, run)
        if initial is None:
            return []
        initial_seed = self.config.initial_seed(initial.run, int(seed))
        return [self.model(initial.setup, initial.run, initial_seed), self.vocabulary(initial.setup)]

    def pairs_of_run(self, setup: str, run: str) -> list[str]:
        """Return the pairs that a run reads: all of its setup, or none where it does not train on translations."""
        return list(self.config.setup(setup).parallel) if "tlm" in self.config.runs[run].objectives else []

    def stores_of_objectives_figure(self) -> dict[str, list[str]]:
        """Return the stores of the first language and pair, from which the figure of the objectives takes examples."""
        stores = {"monolingual": self.monolingual_stores(BASE, self.config.xnli.train_language)}
        for pair, corpora in list(self.config.parallel.items())[:1]:
            stores["parallel"] = self.parallel_stores(BASE, pair, corpora)
        return stores

    def histories(self) -> dict[str, list[str]]:
        """Return system -> the logs of its pretrainings, one per seed, of the trained rows of the table of XNLI."""
        rows, folder = self.config.xnli.runs, f"{self.results}/runs"
        return {
            row.name: [
                f"{folder}/{row.setup}/{row.run}/{seed}/history.jsonl"
                for seed in self.config.pretraining_seeds(row.run)
            ]
            for row in rows
            if self.config.runs[row.run].objectives
        }

    def all_stores(self) -> list[str]:
        """Return the stores that any training reads, each once."""
        by_setup = [self.setup_stores(name, list(section.parallel)) for name, section in self.config.all_setups.items()]
        stores = [path for by_key in by_setup for paths in by_key.values() for path in paths]
        plans = self.translators.values()
        stores += [path for plan in plans for path in self.parallel_stores(plan.setup, plan.pair, plan.corpora)]
        return list(dict.fromkeys(stores))

    # XNLI and retrieval

    def xnli_store(self, setup: str, split: str, language: str) -> str:
        """Return the examples of one split of XNLI in one language, as a setup reads them."""
        return f"{self.store_folder(setup)}/xnli/{split}.{language}.store"

    def xnli_tested(self, setup: str, protocol: str) -> list[str]:
        """Return the languages of a protocol that a setup has."""
        languages = self.config.setup(setup).languages
        return [language for language in self.protocols[protocol].test_languages if language in languages]

    def xnli_finetuning(self, setup: str, run: str, protocol: str) -> dict[str, dict[str, str]]:
        """Return split -> language -> store of a fine-tuning.

        "test" has the languages whose best evaluation is selected one by one, beside the one model for all.
        """
        name = SystemConfig(setup=setup, run=run).name
        selects = name in self.config.xnli.selected_per_language and protocol == "zero_shot"
        languages = {
            "train": list(self.protocols[protocol].n_train),
            "valid": self.xnli_tested(setup, protocol),
            "test": sorted(self.config.xnli.languages) if selects else [],
        }
        return {split: {key: self.xnli_store(setup, split, key) for key in keys} for split, keys in languages.items()}

    def xnli_scored(self, setup: str, run: str, seed: int | str) -> list[str]:
        """Return the protocols that a pretrained model is scored by: zero-shot, and the protocols of its rows."""
        experiments_of_table = experiments.xnli_experiments(self.config.xnli)
        shown = [name for row, name in experiments_of_table if (row.setup, row.run) == (setup, run)]
        own = [name for name in shown if int(seed) in self.config.pretraining_seeds(run, name)]
        return list(dict.fromkeys(["zero_shot", *own]))

    def xnli_tests(self, setup: str, run: str, seed: str, finetuning_seed: str) -> list[dict[str, Any]]:
        """Return what a pretrained model is scored on with one fine-tuning seed, zero-shot first.

        Of each protocol: its "setting", the fine-tuned "model", the best evaluations per language as "selected" (of
        zero-shot) or None, and as "test" language -> store.
        """
        tests = []
        for protocol in self.xnli_scored(setup, run, seed):
            trained = experiments.xnli_trained(self.config.xnli, protocol)
            folder = f"{self.results}/runs/{setup}/{run}/{seed}/xnli/{trained}/{finetuning_seed}"
            splits = dict.fromkeys(self.config.xnli.others, "translated") if protocol == "translate_test" else {}
            tests.append(
                {
                    "setting": SETTINGS[self.protocols[protocol].kind],
                    "model": f"{folder}/model.safetensors",
                    "selected": f"{folder}/selected.json" if protocol == "zero_shot" else None,
                    "test": {
                        language: self.xnli_store(setup, splits.get(language, "test"), language)
                        for language in self.xnli_tested(setup, protocol)
                    },
                }
            )
        return tests

    def xnli_scores(self, system: SystemConfig, kind: str = "jsonl", seeds: list[int] | None = None) -> list[str]:
        """Return the scores of a system, of all seeds: results, or zero-shot "confusion.json" or "statistics.json"."""
        folder, name = f"{self.results}/results/xnli", f"{system.setup}.{system.run}"
        return [
            f"{folder}/{name}.{seed}.{finetuning_seed}.{kind}"
            for seed in (self.config.pretraining_seeds(system.run) if seeds is None else seeds)
            for finetuning_seed in self.config.seeds.finetuning
        ]

    def xnli_results(self) -> list[str]:
        """Return the results of the table of XNLI."""
        return [path for row in self.config.xnli.runs for path in self.xnli_scores(row)]

    def ablation_results(self) -> list[str]:
        """Return the zero-shot results of all systems of the ablation."""
        systems = self.config.ablation.all_systems if self.config.ablation else []
        return [path for system in systems for path in self.xnli_scores(system)]

    def confusions(self) -> dict[str, list[str]]:
        """Return system -> the confusions of its zero-shot models, one file per pretraining and fine-tuning seed."""
        return {row.name: self.xnli_scores(row, "confusion.json") for row in self.config.xnli.runs}

    def retrieved(self, seed: int | str) -> dict[str, dict[str, Any]]:
        """Return the systems that have a pretraining seed, whose sentence retrieval is scored together.

        Of each: its pretrained "model", and as "test" language -> store.
        """
        languages = sorted(self.config.xnli.languages)
        return {
            row.name: {
                "model": self.model(row.setup, row.run, seed),
                "test": {language: self.xnli_store(row.setup, "test", language) for language in languages},
            }
            for row in self.config.xnli.runs
            if int(seed) in self.config.pretraining_seeds(row.run)
        }

    def retrieval_results(self) -> list[str]:
        """Return the results of sentence retrieval of every pretraining seed."""
        seeds = [seed for seed in self.config.seeds.pretraining if self.retrieved(seed)]
        return [f"{self.results}/results/retrieval/{seed}.jsonl" for seed in seeds]

    # GLUE

    def glue_finetuning(self, setup: str, task: str) -> dict[str, dict[str, str]]:
        """Return split -> language, or column of the table -> store of a fine-tuning on a task."""
        assert self.config.glue is not None, "a task is fine-tuned on where there is the section 'glue'"
        folder, valid = self.glue_store(setup, task), self.config.glue.valid(task)
        return {
            "train": {GLUE_LANGUAGE: f"{folder}/train.store"},
            "valid": {column: f"{folder}/{part}.store" for column, part in valid.items()},
            "test": {},
        }

    def glue_results(self) -> list[str]:
        """Return the results of the table of GLUE."""
        systems = [(row, seed) for row in self.glue_systems for seed in self.config.pretraining_seeds(row.run)]
        return [path for row, seed in systems for path in self.glue_scores(row, seed, "jsonl")]

    def glue_scores(self, system: SystemConfig, seed: int, kind: str) -> list[str]:
        """Return the scores of one pretrained model on all tasks, of all fine-tuning seeds."""
        tasks, folder = self.config.glue.trained if self.config.glue else [], f"{self.results}/results/glue"
        return [
            f"{folder}/{system.setup}.{system.run}.{seed}.{task}.{finetuning_seed}.{kind}"
            for task in tasks
            for finetuning_seed in self.config.seeds.finetuning
        ]

    def glue_submissions(self) -> list[str]:
        """Return the files for the leaderboard, one per row and seeds."""
        folder = f"{self.results}/submissions/glue"
        return [
            f"{folder}/{row.setup}.{row.run}.{seed}.{finetuning_seed}.zip"
            for row in self.glue_systems
            for seed in self.config.pretraining_seeds(row.run)
            for finetuning_seed in self.config.seeds.finetuning
        ]

    # Translation

    def translators_of(self, table: MtTable) -> dict[str, TranslationExperiment]:
        """Return name -> translator, of one table."""
        return {name: plan for name, plan in self.translators.items() if plan.table == table}

    def translation_seeds(self, table: MtTable) -> list[int]:
        """Return the seeds that all runs of a table have, so that every row is a mean over the same ones."""
        seeds = self.config.seeds.pretraining
        runs = {run for plan in self.translators_of(table).values() for run in (plan.encoder, plan.decoder)}
        return [seed for seed in seeds if all(seed in self.config.pretraining_seeds(run) for run in runs)]

    def translator_inputs(self, translator: str, seed: str) -> dict[str, str | list[str]]:
        """Return what a translator is trained and validated on and begins with; random weights have no file."""
        plan = self.translators[translator]
        inputs: dict[str, str | list[str]] = {
            f"train_{language}": self.monolingual_stores(plan.setup, language)
            for language in self.translator_languages(translator)
        }
        inputs["pairs"] = self.parallel_stores(plan.setup, plan.pair, plan.corpora)
        inputs |= {"valid": self.valid_set(plan.pair), "vocabulary": self.vocabulary(plan.setup)}
        for part, run in (("encoder", plan.encoder), ("decoder", plan.decoder)):
            if self.config.runs[run].has_learned:
                inputs[part] = self.model(plan.setup, run, seed)
        return inputs

    def translator_languages(self, translator: str) -> list[str]:
        """Return the languages whose monolingual text a translator reads."""
        objectives = self.translators[translator].objectives
        return sorted({objective.target for objective in objectives if objective.kind != "mt"})

    def valid_set(self, pair: str) -> str:
        """Return the tokens of the validation set of a pair."""
        sets = self.test_sets[pair]
        return self.tokens(sets.setup, sets.valid, pair, 0)

    def test_set(self, pair: str) -> str:
        """Return the raw test set of a pair."""
        return f"{self.results}/text/{self.test_sets[pair].test}/{pair}/0.tsv"

    def all_test_sets(self) -> list[str]:
        """Return the validation and test sets of all pairs that are translated."""
        return [path for pair in self.test_sets for path in (self.valid_set(pair), self.test_set(pair))]

    def translation_scores(self, translator: str, seed: int, kind: str = "jsonl") -> list[str]:
        """Return the scores of a translator in all of its directions: results, or "statistics.json"."""
        directions = self.translators[translator].directions
        return [self.translation_score(translator, seed, direction, kind) for direction in directions]

    def translation_score(self, translator: str, seed: int, direction: tuple[str, str], kind: str) -> str:
        """Return the scores of a translator in one direction."""
        return f"{self.results}/results/translation/{translator}/{seed}/{direction_key(*direction)}.{kind}"

    def translation_results(self, table: MtTable) -> list[str]:
        """Return the results of a table of translation."""
        seeds = self.translation_seeds(table)
        names = self.translators_of(table)
        return [path for name in names for seed in seeds for path in self.translation_scores(name, seed)]

    def translation_file(self, translator: str, seed: int, direction: tuple[str, str], part: str) -> str:
        """Return lines of a test set: "sources", "references", or a translator's "hypotheses"."""
        return f"{self.results}/translations/{translator}/{seed}/{direction_key(*direction)}/{part}.txt"

    def compared_translations(self, table: MtTable) -> list[tuple[str, tuple[str, str], str, int]]:
        """Return translator, direction, the translator that it is compared with in that column, and the seed.

        An unsupervised translator is compared with the first row, a supervised one with the row above.
        """
        last: dict[str, str] = {}  # column -> the translator to compare with
        comparisons = []
        for name, plan in self.translators_of(table).items():
            for direction in plan.directions:
                column = plan.cell(direction)["column"]
                if column in last:
                    comparisons += [(name, direction, last[column], seed) for seed in self.translation_seeds(table)]
                if column not in last or table == "supervised":
                    last[column] = name
        return comparisons

    def bootstrap_inputs(self, table: MtTable) -> dict[str, list[str]]:
        """Return the statistics of BLEU of "systems" and of their "baselines", of all comparisons of a table."""
        compared = self.compared_translations(table)
        return {
            "systems": [self.translation_score(name, seed, to, "statistics.json") for name, to, _, seed in compared],
            "baselines": [self.translation_score(name, seed, to, "statistics.json") for _, to, name, seed in compared],
        }

    def compared_cells(self, table: MtTable) -> list[dict[str, str]]:
        """Return the cell, the seed and the row to compare with, of each of ``compared_translations``."""
        cells: list[dict[str, str]] = []
        for name, direction, other, seed in self.compared_translations(table):
            cell, other_cell = (self.translators[key].cell(direction) for key in (name, other))
            minus = {f"minus_{part}": other_cell[part] for part in ("system", "setting")}
            cells.append({**cell, "seed": str(seed), **minus})
        return cells

    def translator_histories(self, table: MtTable) -> dict[str, list[str]]:
        """Return translator -> the logs of its training, one per seed."""
        folder, seeds = f"{self.results}/translators", self.translation_seeds(table)
        return {
            name: [f"{folder}/{name}/{seed}/history.jsonl" for seed in seeds] for name in self.translators_of(table)
        }

    def shown_translations(self, table: MtTable) -> dict[str, dict[str, str]]:
        """Return direction -> label -> lines of a test set, with the first seed.

        These are source, reference, and what the first and the last translator say of those tested in the direction.
        """
        plans, seed = self.translators_of(table), self.translation_seeds(table)[0]
        shown = {}
        for direction in dict.fromkeys(direction for plan in plans.values() for direction in plan.directions):
            tested = [name for name, plan in plans.items() if direction in plan.directions]
            files = {
                "source": self.translation_file(tested[0], seed, direction, "sources"),
                "reference": self.translation_file(tested[0], seed, direction, "references"),
            }
            for name in (tested[0], tested[-1]):
                files[plans[name].label] = self.translation_file(name, seed, direction, "hypotheses")
            shown[direction_key(*direction)] = files
        return shown

    # Perplexity and word embeddings

    def perplexity_results(self) -> list[str]:
        """Return the results of every setup and seed of the table of perplexity."""
        table, folder = self.config.perplexity, f"{self.results}/results/perplexity"
        if table is None:
            return []
        seeds = self.config.pretraining_seeds(table.run)
        return [f"{folder}/{setup}.{table.run}.{seed}.jsonl" for setup in table.setups for seed in seeds]

    def word_lists(self) -> dict[str, list[str]]:
        """Return list -> its files, in the order of its directions."""
        lists = self.config.embeddings.lists if self.config.embeddings else {}
        return {name: [f"{self.results}/words/{name}/{key}.tsv" for key in pairs.keys] for name, pairs in lists.items()}

    def word_vector_languages(self, langset: str) -> list[str]:
        """Return the languages whose text vectors are trained on: one, or all."""
        assert self.config.embeddings is not None, "vectors are trained for the section 'embeddings'"
        return self.config.embeddings.languages if langset == "all" else [langset]

    def word_vectors(self, langset: str, seed: int | str) -> str:
        """Return vectors of the words of one language, or of the text of "all" together."""
        return f"{self.results}/vectors/{langset}/{seed}.bin"
