"""The translators of both tables: which models they begin with, what they learn, and which cells they fill."""

from typing import TYPE_CHECKING, Literal, NamedTuple

from xlm_core.languages import pair, sides

if TYPE_CHECKING:
    from xlm_core.config import Config

ROWS = {
    "one_way": "{source} → {target}",
    "both_ways": "{source} ↔ {target}",
    "back_translation": "{source} ↔ {target} + BT",
}  # row of the supervised table -> what it is called


class TranslatorPlan(NamedTuple):
    """One translator, for each seed.

    table    "unsupervised" or "supervised"
    pair     its languages
    setup    of the models it begins with, and its own vocabulary and shape
    encoder, decoder  the runs it begins with
    steps    what it learns, as ``lessons.Step`` writes them
    corpora  parallel ones, where it learns from translations
    tested   directions, source and target, as "en-fr"
    row      of the table
    """

    table: Literal["unsupervised", "supervised"]
    pair: str
    setup: str
    encoder: str
    decoder: str
    steps: tuple[str, ...]
    corpora: tuple[str, ...]
    tested: tuple[str, ...]
    row: str


def translators(config: "Config") -> dict[str, TranslatorPlan]:
    """All translators that the tables need, by their names."""
    if config.translation is None:
        return {}
    return {**_unsupervised(config), **_supervised(config)}


def _unsupervised(config: "Config") -> dict[str, TranslatorPlan]:
    """Of each pair one translator per row, which learns both directions from the text of either language."""
    translation = config.translation
    assert translation is not None
    found = {}
    for key in translation.unsupervised.pairs if translation.unsupervised else ():
        first, second = sides(key)
        for encoder, decoder in translation.unsupervised.rows:
            found[f"unsupervised.{key}.{encoder}.{decoder}"] = TranslatorPlan(
                table="unsupervised",
                pair=key,
                setup=translation.pairs[key].setup,
                encoder=encoder,
                decoder=decoder,
                steps=(f"ae.{first}-{first}", f"ae.{second}-{second}", f"bt.{first}-{second}", f"bt.{second}-{first}"),
                corpora=(),
                tested=(f"{first}-{second}", f"{second}-{first}"),
                row=f"{encoder}.{decoder}",
            )
    return found


def _supervised(config: "Config") -> dict[str, TranslatorPlan]:
    """One translator per row and column."""
    translation = config.translation
    assert translation is not None
    table = translation.supervised
    if table is None:
        return {}
    there, back = f"{table.source}-{table.target}", f"{table.target}-{table.source}"
    key = pair(table.source, table.target)
    steps = {
        "one_way": (f"mt.{there}",),
        "both_ways": (f"mt.{there}", f"mt.{back}"),
        "back_translation": (f"mt.{there}", f"mt.{back}", f"bt.{there}", f"bt.{back}"),
    }
    return {
        f"supervised.{row}.{run}": TranslatorPlan(
            table="supervised",
            pair=key,
            setup=translation.pairs[key].setup,
            encoder=run,
            decoder=run,
            steps=steps[row],
            corpora=tuple(table.corpora),
            tested=(there,),
            row=row,
        )
        for row in table.rows
        for run in table.columns
    }
