"""The translators of both tables: which models they begin with, what they learn, and which cells they fill."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple

from xlm_core.config.translation import TranslationObjective
from xlm_core.languages import direction_key, pair, sides

if TYPE_CHECKING:
    from xlm_core.config import Config

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
    system, setting  of the table: unsupervised the run of the encoder and the label of that of the decoder,
             supervised what is learned and the direction
    column   of the supervised table: the label of the run of encoder and decoder; the others are directions
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


def translators(config: "Config") -> dict[str, TranslationExperiment]:
    """All translators that the tables need, by their names."""
    if config.translation is None:
        return {}
    return {**_unsupervised(config), **_supervised(config)}


def _unsupervised(config: "Config") -> dict[str, TranslationExperiment]:
    """Of each pair one translator per row, which learns both directions from the text of either language."""
    translation = config.translation
    assert translation is not None
    found = {}
    for key in translation.unsupervised.pairs if translation.unsupervised else ():
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
                setting=config.runs[decoder].label,
                column=None,
                label=f"{key}, {config.runs[encoder].label} / {config.runs[decoder].label}",
            )
    return found


def _supervised(config: "Config") -> dict[str, TranslationExperiment]:
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
            column=config.runs[run].label,
            label=f"{row_labels(config)[row]}, {config.runs[run].label}",
        )
        for row in table.systems
        for run in table.columns
    }


def objectives(kind: Literal["ae", "bt", "mt"], *directions: tuple[str, str]) -> tuple[TranslationObjective, ...]:
    """One objective of this kind for each of ``directions``, source and target."""
    return tuple(TranslationObjective(kind=kind, source=source, target=target) for source, target in directions)


def row_labels(config: "Config") -> dict[str, str]:
    """Row of the supervised table -> what it is called."""
    table = config.translation and config.translation.supervised
    if not table:
        return {}
    return {row: ROWS[row].format(source=table.source, target=table.target) for row in table.systems}


def seeds(config: "Config", plans: Iterable[TranslationExperiment]) -> list[int]:
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
