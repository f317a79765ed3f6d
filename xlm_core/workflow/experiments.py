"""Plan the experiments of the tables: protocols of XNLI, translators, and the systems of the ablation."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from xlm_core.config import SETTINGS, Config, SystemConfig, Xnli
from xlm_core.config.translation import TranslationObjective
from xlm_core.languages import direction_key, pair, sides

ROWS = {
    "one_way": "{source} → {target}",
    "both_ways": "{source} ↔ {target}",
    "back_translation": "{source} ↔ {target} + BT",
}  # row of the supervised table -> what it is called


class TranslationExperiment(NamedTuple):
    """One translator, for each seed.

    table    "unsupervised" or "supervised"
    pair     its languages
    setup    of the models it begins with, and its own vocabulary and shape
    encoder, decoder  the runs it begins with
    objectives  what it learns
    corpora  parallel ones, where it learns from translations
    directions  source and target, for each direction that is tested
    system, setting  of the table: unsupervised the runs of encoder and decoder, supervised what is learned and the
             direction
    column   of the supervised table: the run of encoder and decoder; the others are directions
    label    what its curve is called
    """

    table: Literal["unsupervised", "supervised"]
    pair: str
    setup: str
    encoder: str
    decoder: str
    objectives: tuple[TranslationObjective, ...]
    corpora: tuple[str, ...]
    directions: tuple[tuple[str, str], ...]
    system: str
    setting: str
    column: str | None
    label: str

    def cell(self, direction: tuple[str, str]) -> tuple[str, str, str]:
        """System, setting and column of its scores in a direction."""
        return self.system, self.setting, self.column or direction_key(*direction)


def translators(config: Config) -> dict[str, TranslationExperiment]:
    """All translators that the tables need, by their names."""
    if config.translation is None:
        return {}
    return {**_unsupervised(config), **_supervised(config)}


def _unsupervised(config: Config) -> dict[str, TranslationExperiment]:
    """Of each pair one translator per row, which learns both directions from the text of either language."""
    translation = config.translation
    assert translation is not None
    if translation.unsupervised is None:
        return {}
    found = {}
    for key in translation.unsupervised.pairs:
        first, second = sides(key)
        there, back = (first, second), (second, first)
        for encoder, decoder in translation.unsupervised.systems:
            found[f"unsupervised.{key}.{encoder}.{decoder}"] = TranslationExperiment(
                table="unsupervised",
                pair=key,
                setup=translation.pairs[key].setup,
                encoder=encoder,
                decoder=decoder,
                objectives=(*objectives("ae", (first, first), (second, second)), *objectives("bt", there, back)),
                corpora=(),
                directions=(there, back),
                system=encoder,
                setting=decoder,
                column=None,
                label=f"{key}, {config.runs[encoder].label} / {config.runs[decoder].label}",
            )
    return found


def _supervised(config: Config) -> dict[str, TranslationExperiment]:
    """One translator per row and column."""
    translation = config.translation
    assert translation is not None
    table = translation.supervised
    if table is None:
        return {}
    there, back = (table.source, table.target), (table.target, table.source)
    key = pair(*there)
    learned = {
        "one_way": objectives("mt", there),
        "both_ways": objectives("mt", there, back),
        "back_translation": (*objectives("mt", there, back), *objectives("bt", there, back)),
    }
    return {
        f"supervised.{row}.{run}": TranslationExperiment(
            table="supervised",
            pair=key,
            setup=translation.pairs[key].setup,
            encoder=run,
            decoder=run,
            objectives=learned[row],
            corpora=tuple(table.corpora),
            directions=(there,),
            system=row,
            setting=direction_key(*there),
            column=run,
            label=f"{row_labels(config)[row]}, {config.runs[run].label}",
        )
        for row in table.systems
        for run in table.columns
    }


def objectives(kind: Literal["ae", "bt", "mt"], *directions: tuple[str, str]) -> tuple[TranslationObjective, ...]:
    """One objective of this kind for each of ``directions``, source and target."""
    return tuple(TranslationObjective(kind=kind, source=source, target=target) for source, target in directions)


def row_labels(config: Config) -> dict[str, str]:
    """Row of the supervised table -> what it is called."""
    table = config.translation and config.translation.supervised
    if not table:
        return {}
    return {row: ROWS[row].format(source=table.source, target=table.target) for row in table.systems}


def seeds(config: Config, plans: Iterable[TranslationExperiment]) -> list[int]:
    """The seeds of a table: those that all of its runs have, so that every row is a mean over the same ones."""
    runs = {run for plan in plans for run in (plan.encoder, plan.decoder)}
    return [seed for seed in config.seeds.pretraining if all(seed in config.pretraining_seeds(run) for run in runs)]


def compared(plans: Mapping[str, TranslationExperiment]) -> list[tuple[str, tuple[str, str], str]]:
    """Each translator of a table, a direction, and the one that it is compared with in that column.

    Unsupervised that is the one of the first row, supervised that of the row above.
    """
    last: dict[str, str] = {}  # column -> the translator to compare with
    found = []
    for name, plan in plans.items():
        for direction in plan.directions:
            column = plan.cell(direction)[2]
            if column in last:
                found.append((name, direction, last[column]))
            if column not in last or plan.table == "supervised":
                last[column] = name
    return found


@dataclass(frozen=True)
class XnliProtocol:
    """One way to fine-tune a run on XNLI and to test it.

    name             in names of files; translate-train has a protocol for each language
    setting          in tables and results
    train_languages  of the training sets
    test_languages   of the validation and the test sets
    n_train          training language -> training pairs; None: all
    classifier       the protocol whose classifiers are tested
    """

    name: str
    setting: str
    train_languages: tuple[str, ...]
    test_languages: tuple[str, ...]
    n_train: Mapping[str, int | None]
    classifier: str


def xnli_protocols(xnli: Xnli) -> dict[str, XnliProtocol]:
    """Name -> protocol, of all protocols that the languages of the table allow."""
    alone, everything = (xnli.train_language,), (xnli.train_language, *xnli.others)
    few: dict[str, int | None] = dict.fromkeys(xnli.others, xnli.few_shot.examples)
    full: dict[str, int | None] = dict.fromkeys((*everything, *xnli.languages), xnli.n_train)

    def protocol(
        kind: str, train: tuple[str, ...], *, name: str = "", test: tuple[str, ...] = (), classifier: str = ""
    ) -> XnliProtocol:
        n_train = {language: full[language] for language in train} | (few if kind == "few_shot" else {})
        name, test = name or kind, test or tuple(xnli.languages)
        return XnliProtocol(name, SETTINGS[kind], train, test, n_train, classifier or name)

    protocols = [
        protocol("zero_shot", alone),
        protocol("few_shot", everything),
        protocol("translate_test", alone, classifier="zero_shot"),
        protocol("translate_train_all", everything),
        *(
            protocol("translate_train", (language,), name=f"translate_train_{language}", test=(language,))
            for language in xnli.languages
        ),
    ]
    return {one.name: one for one in protocols}


def xnli_experiments(xnli: Xnli) -> list[tuple[str, XnliProtocol]]:
    """Run and protocol, of all models that the table of XNLI shows."""
    runs = {
        SETTINGS["zero_shot"]: xnli.runs,
        SETTINGS["few_shot"]: xnli.few_shot.runs,
        SETTINGS["translate_test"]: xnli.translate_test,
        SETTINGS["translate_train_all"]: xnli.translate_train_all,
        SETTINGS["translate_train"]: xnli.translate_train,
    }
    protocols = xnli_protocols(xnli).values()
    return [(run, protocol) for run in xnli.runs for protocol in protocols if run in runs[protocol.setting]]


def ablation_systems(config: Config) -> list[SystemConfig]:
    """The systems of the ablation, the full one first."""
    return [config.ablation.full, *config.ablation.systems.values()] if config.ablation else []
