"""Plan the experiments of the tables: the protocols of XNLI, and the translators."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from xlm_core.config import Config, TranslationObjective, TranslationTraining, Xnli
from xlm_core.config.classification import RowConfig
from xlm_core.config.translation import SupervisedMt, TranslationConfig
from xlm_core.languages import direction_key, pair, sides

ROWS = {
    "one_way": "{source} → {target}",
    "both_ways": "{source} ↔ {target}",
    "back_translation": "{source} ↔ {target} + BT",
}  # row of the supervised table -> its label

MtTable = Literal["unsupervised", "supervised"]


class TranslationExperiment(NamedTuple):
    """A translator, which is trained with each seed.

    pair     its languages
    setup    of the models it begins with, and its own vocabulary and shape
    encoder, decoder  the runs it begins with
    objectives  what it learns
    directions  source and target, for each direction that is tested
    training  batches and optimization
    label    of its curve
    corpora  parallel ones, where it learns from translations
    row      of the supervised table: what is learned
    """

    table: MtTable
    pair: str
    setup: str
    encoder: str
    decoder: str
    objectives: tuple[TranslationObjective, ...]
    directions: tuple[tuple[str, str], ...]
    training: TranslationTraining
    label: str
    corpora: tuple[str, ...] = ()
    row: str | None = None

    def cell(self, direction: tuple[str, str]) -> dict[str, str]:
        """Return table, system, setting and column of its scores in a direction.

        Unsupervised these are the runs of encoder and decoder and the direction, supervised the row, the direction and
        the run of both.
        """
        key = direction_key(*direction)
        system, setting, column = (self.row, key, self.encoder) if self.row else (self.encoder, self.decoder, key)
        return {"table": f"{self.table}_mt", "system": system, "setting": setting, "column": column}


def translators(config: Config) -> dict[str, TranslationExperiment]:
    """Return all translators that the tables need, by their names."""
    translation = config.translation
    return {**_unsupervised(config, translation), **_supervised(config, translation)} if translation else {}


def _unsupervised(config: Config, translation: TranslationConfig) -> dict[str, TranslationExperiment]:
    """Return one translator per pair and row, which learns both directions from the text of either language."""
    table, experiments = translation.unsupervised, {}
    if table is None:
        return {}
    for key in table.pairs:
        first, second = sides(key)
        there, back = (first, second), (second, first)
        for encoder, decoder in table.systems:
            experiments[f"unsupervised.{key}.{encoder}.{decoder}"] = TranslationExperiment(
                table="unsupervised",
                pair=key,
                setup=translation.pairs[key].setup,
                encoder=encoder,
                decoder=decoder,
                objectives=(*objectives("ae", (first, first), (second, second)), *objectives("bt", there, back)),
                directions=(there, back),
                training=table.training,
                label=f"{key}, {config.runs[encoder].label} / {config.runs[decoder].label}",
            )
    return experiments


def _supervised(config: Config, translation: TranslationConfig) -> dict[str, TranslationExperiment]:
    """Return one translator per row and column."""
    table = translation.supervised
    if table is None:
        return {}
    there, back = (table.source, table.target), (table.target, table.source)
    learned = {
        "one_way": objectives("mt", there),
        "both_ways": objectives("mt", there, back),
        "back_translation": (*objectives("mt", there, back), *objectives("bt", there, back)),
    }
    return {
        f"supervised.{row}.{run}": TranslationExperiment(
            table="supervised",
            pair=pair(*there),
            setup=translation.pairs[pair(*there)].setup,
            encoder=run,
            decoder=run,
            objectives=learned[row],
            corpora=tuple(table.corpora),
            directions=(there,),
            training=table.training_of(len(learned[row])),
            row=row,
            label=f"{row_label(table, row)}, {config.runs[run].label}",
        )
        for row in table.systems
        for run in table.columns
    }


def objectives(kind: Literal["ae", "bt", "mt"], *directions: tuple[str, str]) -> tuple[TranslationObjective, ...]:
    """Return one objective of this kind for each of ``directions``, source and target."""
    return tuple(TranslationObjective(kind=kind, source=source, target=target) for source, target in directions)


def row_label(table: SupervisedMt, row: str) -> str:
    """Return the label of a row of the supervised table."""
    return ROWS[row].format(source=table.source, target=table.target)


class XnliProtocol(NamedTuple):
    """One way to fine-tune a run on XNLI and to test it.

    kind            key of ``SETTINGS``; translate-train has a protocol for each language
    n_train         language of a training set -> training pairs; None: all
    test_languages  of the validation and the test sets
    """

    kind: str
    n_train: Mapping[str, int | None]
    test_languages: list[str]


def xnli_protocols(xnli: Xnli) -> dict[str, XnliProtocol]:
    """Return name in file names -> protocol, of all protocols that the languages of the table allow.

    Languages are sorted, so that nothing but the table depends on the order of its columns.
    """
    alone, languages, others = {xnli.train_language: xnli.n_train}, sorted(xnli.languages), sorted(xnli.others)
    n_train = {
        "zero_shot": alone,
        "selected_on_training_language": alone,
        "few_shot": alone | dict.fromkeys(others, xnli.few_shot.examples),
        "translate_test": alone,
        "translate_train_all": alone | dict.fromkeys(others, xnli.n_train),
    }
    protocols = {kind: XnliProtocol(kind, sizes, languages) for kind, sizes in n_train.items()}
    return protocols | {
        f"translate_train_{language}": XnliProtocol("translate_train", {language: xnli.n_train}, [language])
        for language in languages
    }


def xnli_trained(xnli: Xnli, protocol: str) -> str:
    """Return the protocol whose fine-tuned model is tested: two protocols test models of others."""
    alone = f"translate_train_{xnli.train_language}"
    return {"translate_test": "zero_shot", "selected_on_training_language": alone}.get(protocol, protocol)


def xnli_experiments(xnli: Xnli) -> list[tuple[RowConfig, str]]:
    """Return row and name of the protocol, of all models that the table of XNLI shows."""
    protocols = xnli_protocols(xnli).items()
    return [(row, name) for row in xnli.runs for name, plan in protocols if row.name in xnli.protocol_runs[plan.kind]]
