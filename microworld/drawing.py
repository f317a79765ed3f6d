"""Drawing: random frames that make sense."""

from collections.abc import Sequence
from functools import cache
from typing import TypeVar

import numpy as np

from microworld import lexicon
from microworld.frames import BE, Frame, Noun

T = TypeVar("T")
SUBJECTS = ("person", "animal")
THINGS = ("vehicle", "instrument", "fruit", "device", "garment", "text")
COUNTS = (2, 3, 4, 5, 6, 7, 8, 9)


def pick(rng: np.random.Generator, options: Sequence[T]) -> T:
    """One of ``options``, each as likely."""
    return options[int(rng.random() * len(options))]


def chance(rng: np.random.Generator, probability: float) -> bool:
    """True with a probability."""
    return rng.random() < probability


@cache
def fits(concept: str, kinds: tuple[str, ...]) -> bool:
    """Whether a concept is of one of the kinds, or may be, being more general."""
    return any(kind in lexicon.ancestors(concept) or concept in lexicon.ancestors(kind) for kind in kinds)


@cache
def verbs_of(concept: str) -> tuple[str, ...]:
    """What a person or an animal can do."""
    return tuple(verb for verb, entry in lexicon.data()["verbs"].items() if fits(concept, tuple(entry["by"])))


@cache
def kinds_of_objects(verb: str) -> tuple[str, ...]:
    """What a verb is done to; empty for a verb without object."""
    return tuple(lexicon.data()["verbs"].get(verb, {}).get("to", ()))


def name(rng: np.random.Generator) -> Noun:
    """Somebody."""
    return Noun(pick(rng, tuple(lexicon.names())))


def described(rng: np.random.Generator, noun: Noun, probability: float) -> Noun:
    """A noun, with an adjective at some probability if there is one for it."""
    options = () if noun.concept in lexicon.names() else lexicon.describing(noun.concept)
    return noun._replace(adjective=pick(rng, options)) if options and chance(rng, probability) else noun


def counted(rng: np.random.Generator, noun: Noun, probability: float) -> Noun:
    """A noun, with a probability in the plural, then mostly with a number."""
    if not chance(rng, probability):
        return noun
    return noun._replace(plural=True, count=pick(rng, COUNTS) if chance(rng, 0.7) else None)


def thing(rng: np.random.Generator, kinds: tuple[str, ...]) -> Noun:
    """A special noun of one of the kinds."""
    return Noun(pick(rng, lexicon.leaves(pick(rng, kinds))), sex=pick(rng, "mf"))


def target(rng: np.random.Generator, verb: str, subject: Noun) -> Noun | None:
    """An object for a verb: a site, a person or a thing not yet spoken of."""
    kinds = kinds_of_objects(verb)
    if not kinds:
        return None
    kind = pick(rng, kinds)
    if kind == "person" and chance(rng, 0.5):
        found = name(rng)
        return found if found.concept != subject.concept else target(rng, verb, subject)
    noun = thing(rng, (kind,))
    if kind == lexicon.SITE:
        return noun
    if kind not in ("person", "text"):
        noun = counted(rng, noun, 0.25)
    return described(rng, noun._replace(definite=False), 0.5)


def somewhere(rng: np.random.Generator) -> str:
    """A city or a site."""
    return pick(rng, tuple(lexicon.data()["cities" if chance(rng, 0.5) else "sites"]))


def action(rng: np.random.Generator, subject: Noun, place: str | None) -> Frame:
    """Something that the subject does."""
    verb = pick(rng, verbs_of(subject.concept))
    found = target(rng, verb, subject)
    return Frame(subject, verb, found, place=None if is_trip(verb) else place)


def is_trip(verb: str) -> bool:
    """Whether the object of the verb is itself a place."""
    return lexicon.SITE in kinds_of_objects(verb)


def attribute(rng: np.random.Generator, subject: Noun) -> Frame:
    """What the subject is like, in another respect than it is already called."""
    called = subject.adjective and lexicon.adjective_set(subject.adjective)
    options = tuple(word for word in lexicon.describing(subject.concept) if lexicon.adjective_set(word) != called)
    return Frame(subject, BE, adjective=pick(rng, options))
