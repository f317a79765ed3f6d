"""Word lists: a dictionary of two languages in the format of MUSE, and pairs of words rated for their similarity.

Both follow from the lexicon. Like the dictionaries of MUSE these are lower-cased, hold single words only, and give a
word each of its translations. Like the ratings of SemEval-2017 task 2 these are from 0, unrelated, to 4, synonyms.
"""

from collections.abc import Iterator
from functools import cache
from itertools import product

import numpy as np

from microworld import lexicon
from microworld.lexicon import Noun
from microworld.sampling import choice
from xlm_core.errors import ConfigError
from xlm_core.languages import sides

SYNONYMS = 4.0  # the highest rating
Words = dict[tuple[str, str], tuple[str, ...]]


def translations(direction: str) -> Iterator[tuple[str, str]]:
    """Yield every word of the source language with each of its translations into the target language, each once."""
    first, second = map(words, sides(direction))
    pairs = (pair for key in first if key in second for pair in product(first[key], second[key]))
    yield from dict.fromkeys(pairs)


def ratings(rng: np.random.Generator, direction: str, n_pairs: int) -> Iterator[tuple[str, str, float]]:
    """Yield different pairs of nouns, each with its rating; all ratings are about equally frequent.

    Raises:
        ConfigError: there are not so many pairs.
    """
    first, second = map(_nouns, sides(direction))
    by_rating: dict[float, list[tuple[str, str]]] = {}
    for (concept, word), (other, translation) in product(first.items(), second.items()):
        by_rating.setdefault(rating(concept, other), []).append((word, translation))
    available = sum(map(len, by_rating.values()))
    if n_pairs > available:
        raise ConfigError(
            f"microworld.similarity.{direction}: {n_pairs} pairs, but its nouns make {available}; ask for fewer"
        )
    for _ in range(n_pairs):
        grade = choice(rng, sorted(by_rating))
        pairs = by_rating[grade]
        yield *pairs.pop(int(rng.random() * len(pairs))), grade
        if not pairs:
            del by_rating[grade]


@cache
def rating(first: str, second: str) -> float:
    """Return the similarity of two concepts of the taxonomy: Wu and Palmer's measure (1994) times ``SYNONYMS``.

    The measure is twice the depth of the most special concept above both, divided by the sum of their depths.
    """
    above_first, above_second = lexicon.ancestors(first), lexicon.ancestors(second)
    shared = len(set(above_first) & set(above_second))
    return round(SYNONYMS * 2 * shared / (len(above_first) + len(above_second)), 2)


@cache
def words(language: str) -> Words:
    """Return concept and form, such as ``("dog", "plural")`` -> its lower-cased words, single ones only."""
    forms: dict[tuple[str, str], list[str]] = {}
    for concept in lexicon.NOUNS:
        nouns = [lexicon.noun_forms(Noun(concept, sex=sex), language) for sex in "mf"]
        forms[concept, "singular"] = [noun.singular for noun in nouns]
        forms[concept, "plural"] = [noun.plural for noun in nouns]
    for concept in lexicon.SITES:
        forms[concept, "site"] = [lexicon.site_forms(concept, language)[1].singular]
    for concept in lexicon.ADJECTIVES:
        adjective = lexicon.adjective_forms(concept, language)
        forms[concept, "adjective"] = adjective[:1] if language == "de" else adjective  # of German without an ending
    for concept in lexicon.VERBS if language != "hi" else ():  # the lexicon has stems of Hindi
        verb = lexicon.verb_forms(concept, language)
        forms[concept, "verb, singular"], forms[concept, "verb, plural"] = [verb.singular], [verb.plural]
    forms |= {(name, "name"): [name] for name in (*lexicon.NAMES, *lexicon.CITIES)}
    single = {key: dict.fromkeys(word.lower() for word in entry if " " not in word) for key, entry in forms.items()}
    return {key: tuple(entry) for key, entry in single.items() if entry}


def _nouns(language: str) -> dict[str, str]:
    """Return concept of the taxonomy -> its first word."""
    kinds = {"singular", "site", "name"}
    return {concept: entry[0] for (concept, kind), entry in words(language).items() if kind in kinds}
