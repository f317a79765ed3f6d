"""Paths of the workflow: which files belong to which model, task and table of a configuration."""

from typing import Literal

from xlm_core.config import BASE, GLUE_LANGUAGE, Config, EvaluationSets, SystemConfig, TranslationTraining
from xlm_core.languages import direction_key
from xlm_core.workflow import experiments
from xlm_core.workflow.experiments import TranslationExperiment, XnliProtocol
from xlm_core.workflow.text_paths import TextPaths

MtTable = Literal["unsupervised", "supervised"]


class Paths(TextPaths):
    """The files of a configuration, and the experiments that they belong to."""

    def __init__(self, config: Config) -> None:
        """Plan the experiments of a configuration."""
        super().__init__(config)
        self.translators = experiments.translators(config)
        self.protocols = experiments.xnli_protocols(config.xnli)

    # Models

    def model(self, setup: str, run: str, seed: int | str) -> str:
        """A pretrained model."""
        return f"{self.results}/runs/{setup}/{run}/{seed}/model.safetensors"

    def pairs_of_run(self, setup: str, run: str) -> list[str]:
        """The pairs that a run reads: all of its setup, or none where it does not train on translations."""
        return list(self.config.setup(setup).parallel) if "tlm" in self.config.runs[run].objectives else []

    def pretraining_stores(self, setup: str, run: str) -> dict[str, list[str]]:
        """The stores that a run reads."""
        return self.setup_stores(setup, self.pairs_of_run(setup, run))

    def example_stores(self) -> dict[str, list[str]]:
        """The stores of the first language and pair, from which the figure of the objectives takes its examples."""
        stores = {"monolingual": self.monolingual_stores(BASE, self.config.xnli.train_language)}
        for pair, corpora in list(self.config.parallel.items())[:1]:
            stores["parallel"] = self.parallel_stores(BASE, pair, corpora)
        return stores

    def trained_runs(self) -> list[str]:
        """The runs of the table of XNLI that are trained."""
        return [run for run in self.config.xnli.runs if self.config.runs[run].objectives]

    def histories(self) -> dict[str, list[str]]:
        """Run of the table of XNLI -> the logs of its pretrainings, one per seed."""
        folder = f"{self.results}/runs/{BASE}"
        return {
            run: [f"{folder}/{run}/{seed}/history.jsonl" for seed in self.config.pretraining_seeds(run)]
            for run in self.trained_runs()
        }

    def all_stores(self) -> list[str]:
        """The stores that any training reads, each once."""
        stores = [
            path
            for name, section in self.setups.items()
            for paths in self.setup_stores(name, list(section.parallel)).values()
            for path in paths
        ]
        stores += [path for plan in self.translators.values() for path in self.translator_pairs(plan)]
        return list(dict.fromkeys(stores))

    # XNLI and retrieval

    def xnli_tested(self, setup: str, protocol: str) -> list[str]:
        """The languages of a protocol that a setup has."""
        languages = self.config.setup(setup).languages
        return [language for language in self.protocols[protocol].test_languages if language in languages]

    def xnli_selected(self, setup: str, run: str, protocol: str) -> list[str]:
        """The languages whose best evaluation is selected one by one, beside the one model for all."""
        is_selected = run in self.config.xnli.selected_per_language and (setup, protocol) == (BASE, "zero_shot")
        return self.config.xnli.languages if is_selected else []

    def xnli_finetuning(self, setup: str, run: str, protocol: str) -> dict[str, dict[str, str]]:
        """Split -> language -> store of a fine-tuning; those of "test" are selected on language by language."""
        languages = {
            "train": list(self.protocols[protocol].train_languages),
            "valid": self.xnli_tested(setup, protocol),
            "test": self.xnli_selected(setup, run, protocol),
        }
        return {split: {key: self.xnli_store(setup, split, key) for key in keys} for split, keys in languages.items()}

    def xnli_classifier(self, setup: str, run: str, seed: str, protocol: str, finetuning_seed: str) -> dict[str, str]:
        """The classifier that a protocol tests, and of zero-shot the best evaluations per language."""
        folder = (
            f"{self.results}/runs/{setup}/{run}/{seed}/xnli/{self.protocols[protocol].classifier}/{finetuning_seed}"
        )
        selected = {"selected": f"{folder}/selected.json"} if protocol == "zero_shot" else {}
        return {"model": f"{folder}/model.safetensors", **selected}

    def xnli_tests(self, setup: str, protocol: str) -> list[str]:
        """The test sets of a protocol, in the order of its languages."""
        translated = protocol == "translate_test"
        return [
            self.xnli_store(
                setup, "translated" if translated and language != self.config.xnli.train_language else "test", language
            )
            for language in self.xnli_tested(setup, protocol)
        ]

    def xnli_scores(
        self, system: SystemConfig, protocol: XnliProtocol, kind: str = "jsonl", seeds: list[int] | None = None
    ) -> list[str]:
        """The scores of a system by a protocol, of all seeds: results, or "confusion.json" or "items.json"."""
        folder, name = f"{self.results}/results/xnli", f"{system.setup}.{system.run}"
        return [
            f"{folder}/{name}.{seed}.{protocol.name}.{finetuning_seed}.{kind}"
            for seed in (self.config.pretraining_seeds(system.run, protocol.name) if seeds is None else seeds)
            for finetuning_seed in self.config.seeds.finetuning
        ]

    def xnli_results(self) -> list[str]:
        """The results of the table of XNLI."""
        return [
            path
            for run, protocol in experiments.xnli_experiments(self.config.xnli)
            for path in self.xnli_scores(SystemConfig(run=run), protocol)
        ]

    def ablation_results(self) -> list[str]:
        """The zero-shot results of all systems of the ablation."""
        systems = experiments.ablation_systems(self.config)
        return [path for system in systems for path in self.xnli_scores(system, self.protocols["zero_shot"])]

    def confusions(self) -> dict[str, list[str]]:
        """Run -> the confusions of its zero-shot models, one file per pretraining and fine-tuning seed."""
        zero_shot = self.protocols["zero_shot"]
        return {
            run: self.xnli_scores(SystemConfig(run=run), zero_shot, "confusion.json") for run in self.config.xnli.runs
        }

    def retrieval_results(self) -> list[str]:
        """The results of sentence retrieval of every run and pretraining seed."""
        folder = f"{self.results}/results/retrieval"
        runs = self.config.xnli.runs
        return [f"{folder}/{run}.{seed}.jsonl" for run in runs for seed in self.config.pretraining_seeds(run)]

    # GLUE

    def glue_finetuning(self, setup: str, task: str) -> dict[str, dict[str, str]]:
        """Split -> language, or column of the table -> store of a fine-tuning on a task."""
        assert self.config.glue is not None, "a task is fine-tuned on where there is the section 'glue'"
        folder, valid = self.glue_store(setup, task), self.config.glue.valid(task)
        return {
            "train": {GLUE_LANGUAGE: f"{folder}/train.store"},
            "valid": {column: f"{folder}/{part}.store" for column, part in valid.items()},
            "test": {},
        }

    def glue_results(self) -> list[str]:
        """The results of the table of GLUE."""
        rows = self.config.glue.systems if self.config.glue else []
        return [
            path
            for row in rows
            for seed in self.config.pretraining_seeds(row.run)
            for path in self.glue_scores(row.setup, row.run, seed, "jsonl")
        ]

    def glue_scores(self, setup: str, run: str, seed: int, kind: str) -> list[str]:
        """The scores of one pretrained model on all tasks, of all fine-tuning seeds."""
        tasks, folder = self.config.glue.trained if self.config.glue else [], f"{self.results}/results/glue"
        return [
            f"{folder}/{setup}.{run}.{seed}.{task}.{finetuning_seed}.{kind}"
            for task in tasks
            for finetuning_seed in self.config.seeds.finetuning
        ]

    def glue_submissions(self) -> list[str]:
        """The files for the leaderboard, one per row and seeds."""
        rows, folder = self.config.glue.systems if self.config.glue else [], f"{self.results}/submissions/glue"
        return [
            f"{folder}/{row.setup}.{row.run}.{seed}.{finetuning_seed}.zip"
            for row in rows
            for seed in self.config.pretraining_seeds(row.run)
            for finetuning_seed in self.config.seeds.finetuning
        ]

    # Translation

    def translators_of(self, table: MtTable) -> dict[str, TranslationExperiment]:
        """Name -> translator, of one table."""
        return {name: plan for name, plan in self.translators.items() if plan.table == table}

    def translation_seeds(self, table: MtTable) -> list[int]:
        """The seeds of a table."""
        return experiments.seeds(self.config, self.translators_of(table).values())

    def translator_inputs(self, translator: str, seed: str) -> dict[str, str | list[str]]:
        """What a translator is trained and validated on and begins with; random weights are not read from a file."""
        plan = self.translators[translator]
        inputs: dict[str, str | list[str]] = {
            f"train_{language}": self.monolingual_stores(plan.setup, language)
            for language in self.translator_languages(translator)
        }
        inputs |= {"pairs": self.translator_pairs(plan), "valid": self.valid_set(plan.pair)}
        inputs["vocabulary"] = self.vocabulary(plan.setup)
        for part, run in (("encoder", plan.encoder), ("decoder", plan.decoder)):
            if self.config.runs[run].has_learned:
                inputs[part] = self.model(plan.setup, run, seed)
        return inputs

    def translator_languages(self, translator: str) -> list[str]:
        """The languages whose monolingual text a translator reads."""
        return sorted({one.target for one in self.translators[translator].objectives if one.kind != "mt"})

    def translator_pairs(self, plan: TranslationExperiment) -> list[str]:
        """The translations that a translator is trained on."""
        return self.parallel_stores(plan.setup, plan.pair, list(plan.corpora))

    def valid_set(self, pair: str) -> str:
        """The tokens of the validation set of a pair."""
        sets = self._test_sets(pair)
        return self.tokens(sets.setup, sets.valid, pair, 0)

    def test_set(self, pair: str) -> str:
        """The raw test set of a pair."""
        return f"{self.results}/text/{self._test_sets(pair).test}/{pair}/0.tsv"

    def _test_sets(self, pair: str) -> EvaluationSets:
        assert self.config.translation is not None, "a pair is translated where there is the section 'translation'"
        return self.config.translation.pairs[pair]

    def all_test_sets(self) -> list[str]:
        """The validation and test sets of all pairs that are translated."""
        pairs = self.config.translation.pairs if self.config.translation else ()
        return [path for pair in pairs for path in (self.valid_set(pair), self.test_set(pair))]

    def translator_training(self, translator: str) -> TranslationTraining:
        """The section of the training of a translator."""
        plan, section = self.translators[translator], self.config.translation
        if section and section.unsupervised and plan.table == "unsupervised":
            return section.unsupervised.training
        assert section and section.supervised, f"the translator {translator} is of a table of the section 'translation'"
        return section.supervised.training_of(len(plan.objectives))

    def translation_cell(self, translator: str, direction: tuple[str, str]) -> dict[str, str]:
        """Table, system, setting and column of the scores of a translator in one direction."""
        plan = self.translators[translator]
        system, setting, column = plan.cell(direction)
        return {"table": f"{plan.table}_mt", "system": system, "setting": setting, "column": column}

    def translation_scores(self, translator: str, seed: int, kind: str = "jsonl") -> list[str]:
        """The scores of a translator in all of its directions: results, or "items.json"."""
        folder = f"{self.results}/results/translation/{translator}/{seed}"
        directions = self.translators[translator].directions
        return [f"{folder}/{direction_key(*direction)}.{kind}" for direction in directions]

    def translation_results(self, table: MtTable) -> list[str]:
        """The results of a table of translation."""
        seeds = self.translation_seeds(table)
        names = self.translators_of(table)
        return [path for name in names for seed in seeds for path in self.translation_scores(name, seed)]

    def translation_file(self, translator: str, seed: int, direction: tuple[str, str], part: str) -> str:
        """Lines of a test set: "sources", "references", or a translator's "hypotheses"."""
        return f"{self.results}/translations/{translator}/{seed}/{direction_key(*direction)}/{part}.txt"

    def compared_translations(self, table: MtTable) -> list[tuple[str, tuple[str, str], str, int]]:
        """Translator, direction, the translator that it is compared with, and the seed."""
        compared = experiments.compared(self.translators_of(table))
        return [(*comparison, seed) for comparison in compared for seed in self.translation_seeds(table)]

    def bootstrap_inputs(self, table: MtTable) -> dict[str, list[str]]:
        """The statistics of BLEU of "systems" and of their "baselines", of all comparisons of a table."""
        folder, compared = f"{self.results}/results/translation", self.compared_translations(table)
        return {
            "systems": [f"{folder}/{name}/{seed}/{direction_key(*to)}.items.json" for name, to, _, seed in compared],
            "baselines": [f"{folder}/{name}/{seed}/{direction_key(*to)}.items.json" for _, to, name, seed in compared],
        }

    def compared_cells(self, table: MtTable) -> list[dict[str, str]]:
        """The cell, the seed and the row to compare with, of each of ``compared_translations``."""
        cells: list[dict[str, str]] = []
        for name, direction, other, seed in self.compared_translations(table):
            system, setting, column = self.translators[name].cell(direction)
            minus = {"minus_row": self.translators[other].system, "minus_setting": self.translators[other].setting}
            cells.append({"row": system, "setting": setting, "column": column, "seed": str(seed), **minus})
        return cells

    def translator_histories(self, table: MtTable) -> dict[str, list[str]]:
        """Translator -> the logs of its training, one per seed."""
        folder, seeds = f"{self.results}/translators", self.translation_seeds(table)
        return {
            name: [f"{folder}/{name}/{seed}/history.jsonl" for seed in seeds] for name in self.translators_of(table)
        }

    def shown_translators(self, table: MtTable) -> dict[tuple[str, str], list[str]]:
        """Direction -> the first and the last translator of a table that are tested in it."""
        tested: dict[tuple[str, str], list[str]] = {}
        for name, plan in self.translators_of(table).items():
            for direction in plan.directions:
                tested.setdefault(direction, []).append(name)
        return {direction: list(dict.fromkeys((names[0], names[-1]))) for direction, names in tested.items()}

    def shown_labels(self, table: MtTable) -> dict[str, list[str]]:
        """Direction -> the labels of ``shown_translators``."""
        return {
            direction_key(*direction): [self.translators[name].label for name in names]
            for direction, names in self.shown_translators(table).items()
        }

    def shown_translations(self, table: MtTable) -> list[str]:
        """Sources, references and the hypotheses of ``shown_translators`` of each direction, with the first seed."""
        seed, files = self.translation_seeds(table)[0], []
        for direction, names in self.shown_translators(table).items():
            files += [self.translation_file(names[0], seed, direction, part) for part in ("sources", "references")]
            files += [self.translation_file(name, seed, direction, "hypotheses") for name in names]
        return files

    # Perplexity and word embeddings

    def perplexity_results(self) -> list[str]:
        """The results of every setup and seed of the table of perplexity."""
        table, folder = self.config.perplexity, f"{self.results}/results/perplexity"
        if table is None:
            return []
        seeds = self.config.pretraining_seeds(table.run)
        return [f"{folder}/{setup}.{table.run}.{seed}.jsonl" for setup in table.setups for seed in seeds]

    def word_lists(self) -> dict[str, list[str]]:
        """List -> its files, in the order of its directions."""
        lists = self.config.embeddings.lists if self.config.embeddings else {}
        return {name: [f"{self.results}/words/{name}/{key}.tsv" for key in pairs.keys] for name, pairs in lists.items()}

    def word_vector_languages(self, langset: str) -> list[str]:
        """The languages whose text vectors are trained on: one, or all."""
        assert self.config.embeddings is not None, "vectors are trained for the section 'embeddings'"
        return self.config.embeddings.languages if langset == "all" else [langset]

    def word_vectors(self, langset: str, seed: int | str) -> str:
        """Vectors of the words of one language, or of the text of "all" together."""
        return f"{self.results}/vectors/{langset}/{seed}.bin"
