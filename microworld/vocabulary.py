"""Words out of context: a dictionary of two languages in the form of MUSE, and pairs rated for their similarity.

All of it follows from the lexicon. Like the dictionaries of MUSE these are lower-cased, hold single words only, and
give a word each of its translations. Like the ratings of SemEval-2017 task 2 ours go from 0, nothing in common, to 4,
the same meaning.
"""

from collections.abc import Iterator
from functools import cache
from itertools import product

import numpy as np

from microworld import lexicon
from microworld.drawing import pick
from xlm_core.errors import ConfigError

SAME = 4.0  # the rating of two words with one meaning
MARKS = ("pre ", "estar ")  # of adjectives, which say how they are used

Words = dict[tuple[str, str], tuple[str, ...]]


def translations(source: str, target: str) -> Iterator[tuple[str, str]]:
    """Every word of ``source`` with each of its translations into ``target``, each pair once."""
    first, second = words(source), words(target)
    found = (pair for key in first if key in second for pair in product(first[key], second[key]))
    yield from dict.fromkeys(found)


def ratings(rng: np.random.Generator, source: str, target: str, n_pairs: int) -> Iterator[tuple[str, str, float]]:
    """Different pairs of nouns, each with its rating; all ratings that there are come about equally often.

    Raises:
        ConfigError: there are not so many pairs.
    """
    first, second = (_nouns(language) for language in (source, target))
    by_rating: dict[float, list[tuple[str, str]]] = {}
    for (one, word), (other, translation) in product(first.items(), second.items()):
        by_rating.setdefault(rating(one, other), []).append((word, translation))
    available = sum(map(len, by_rating.values()))
    if n_pairs > available:
        raise ConfigError(
            f"microworld.similarity.{source}-{target}: {n_pairs} pairs, but its nouns make {available}; ask for fewer"
        )
    for _ in range(n_pairs):
        grade = pick(rng, sorted(by_rating))
        pairs = by_rating[grade]
        yield *pairs.pop(int(rng.random() * len(pairs))), grade
        if not pairs:
            del by_rating[grade]


@cache
def rating(one: str, other: str) -> float:
    """How near two concepts are in the taxonomy: Wu and Palmer's measure (1994) times ``SAME``.

    The measure is twice the depth of the most special concept above both, by the sum of their depths.
    """
    above, beside = lexicon.ancestors(one), lexicon.ancestors(other)
    shared = sum(concept in beside for concept in above)
    return round(SAME * 2 * shared / (len(above) + len(beside)), 2)


@cache
def words(language: str) -> Words:
    """Concept and form, such as ``("dog", "plural")`` -> the lower-cased words for it, none where it takes several."""
    found: dict[tuple[str, str], list[str]] = {}
    data = lexicon.data()
    for concept in data["nouns"]:
        for forms in (lexicon.noun(concept, language, sex) for sex in "mf"):
            found.setdefault((concept, "singular"), []).append(forms.singular)
            found.setdefault((concept, "plural"), []).append(forms.plural)
    for concept in data["sites"]:
        found[concept, "site"] = [lexicon.site(concept, language)[1].singular]
    for concept, forms in lexicon.adjectives().items():
        found[concept, "adjective"] = _adjective(forms[language], language)
    for concept in data["verbs"] if language != "hi" else ():  # of Hindi the lexicon has stems
        forms = lexicon.verb(concept, language)
        found[concept, "verb, singular"], found[concept, "verb, plural"] = [forms.singular], [forms.plural]
    found |= {(name, "name"): [name] for name in (*lexicon.names(), *data["cities"])}
    single = {key: tuple(dict.fromkeys(w.lower() for w in some if " " not in w)) for key, some in found.items()}
    return {key: some for key, some in single.items() if some}


def _adjective(written: str, language: str) -> list[str]:
    """The forms of an adjective; of German the one without an ending."""
    for mark in MARKS:
        written = written.removeprefix(mark)
    forms = written.split("/")
    return forms[:1] if language == "de" else forms


def _nouns(language: str) -> dict[str, str]:
    """Concept of the taxonomy -> its first word."""
    kinds = {"singular", "site", "name"}
    return {concept: some[0] for (concept, kind), some in words(language).items() if kind in kinds}
