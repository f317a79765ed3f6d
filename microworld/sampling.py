"""Sampling of random frames that make sense."""

from collections.abc import Sequence
from functools import cache
from typing import TypeVar

import numpy as np

from microworld import lexicon
from microworld.lexicon import BE, Frame, Noun

T = TypeVar("T")
THINGS = ("vehicle", "instrument", "fruit", "device", "garment", "text")
COUNTS = (2, 3, 4, 5, 6, 7, 8, 9)
DESCRIBED = ("animal", "person", "vehicle", "instrument", "device", "garment", "text", "fruit")


def choice(rng: np.random.Generator, options: Sequence[T]) -> T:
    """Return one of ``options``, each with the same probability."""
    return options[int(rng.random() * len(options))]


def bernoulli(rng: np.random.Generator, probability: float) -> bool:
    """Return True with a probability."""
    return rng.random() < probability


@cache
def can_be(concept: str, kinds: tuple[str, ...]) -> bool:
    """Return whether a concept is of one of the kinds, or more general than one of them."""
    return any(kind in lexicon.ancestors(concept) or concept in lexicon.ancestors(kind) for kind in kinds)


@cache
def verbs_of(subject: str) -> tuple[str, ...]:
    """Return what a person or an animal can do."""
    return tuple(verb for verb, entry in lexicon.VERBS.items() if can_be(subject, tuple(entry["by"])))


@cache
def object_kinds(verb: str) -> tuple[str, ...]:
    """Return the kinds of objects of a verb; none for a verb without object."""
    return tuple(lexicon.VERBS.get(verb, {}).get("to", ()))


def is_motion(verb: str) -> bool:
    """Return whether the object of the verb is a location."""
    return lexicon.SITE in object_kinds(verb)


def is_awkward(frame: Frame) -> bool:
    """Return whether nobody would say so: an exact number under a negation, or an object that is also the subject."""
    if frame.object is None:
        return False
    return (frame.negated and frame.object.number is not None) or frame.object.concept == frame.subject.concept


def sample_name(rng: np.random.Generator) -> Noun:
    """Sample somebody with a name."""
    return Noun(choice(rng, tuple(lexicon.NAMES)))


def sample_noun(rng: np.random.Generator, kinds: tuple[str, ...]) -> Noun:
    """Sample a special noun of one of the kinds."""
    return Noun(choice(rng, lexicon.leaves(choice(rng, kinds))), sex=choice(rng, "mf"))


def sample_location(rng: np.random.Generator) -> str:
    """Sample a city or a site."""
    return choice(rng, tuple(lexicon.CITIES if bernoulli(rng, 0.5) else lexicon.SITES))


def add_adjective(rng: np.random.Generator, noun: Noun, probability: float) -> Noun:
    """Add an adjective with a probability, if the noun can have one."""
    options = () if noun.concept in lexicon.NAMES else lexicon.adjectives_of(noun.concept)
    return noun._replace(adjective=choice(rng, options)) if options and bernoulli(rng, probability) else noun


def add_number(rng: np.random.Generator, noun: Noun, probability: float) -> Noun:
    """Put a noun into the plural with a probability, mostly with a number."""
    if not bernoulli(rng, probability):
        return noun
    return noun._replace(plural=True, number=choice(rng, COUNTS) if bernoulli(rng, 0.7) else None)


def sample_object(rng: np.random.Generator, verb: str, subject: Noun) -> Noun | None:
    """Sample an object for a verb: a site, or a person or a thing not mentioned before."""
    kinds = object_kinds(verb)
    if not kinds:
        return None
    kind = choice(rng, kinds)
    if kind == "person" and bernoulli(rng, 0.5):
        person = sample_name(rng)
        return person if person.concept != subject.concept else sample_object(rng, verb, subject)
    noun = sample_noun(rng, (kind,))
    if kind == lexicon.SITE:
        return noun
    if kind not in ("person", "text"):
        noun = add_number(rng, noun, 0.25)
    return add_adjective(rng, noun._replace(definite=False), 0.5)


def sample_action(rng: np.random.Generator, subject: Noun, location: str | None) -> Frame:
    """Sample something that the subject does."""
    verb = choice(rng, verbs_of(subject.concept))
    noun = sample_object(rng, verb, subject)
    return Frame(subject, verb, noun, location=None if is_motion(verb) else location)


def sample_attribute(rng: np.random.Generator, subject: Noun) -> Frame:
    """Sample what the subject is like; not an adjective of the set of the one that it has."""
    present = lexicon.ADJECTIVE_SETS[subject.adjective] if subject.adjective else None
    options = [word for word in lexicon.adjectives_of(subject.concept) if lexicon.ADJECTIVE_SETS[word] != present]
    return Frame(subject, BE, adjective=choice(rng, options))


def sample_frame(rng: np.random.Generator) -> Frame:
    """Sample what somebody does, what something is like, or where it is."""
    if bernoulli(rng, 0.25):
        return sample_attribute(rng, _sample_subject(rng, DESCRIBED))
    subject = sample_name(rng) if bernoulli(rng, 0.4) else _sample_subject(rng, ("animal", "person"))
    location = sample_location(rng) if bernoulli(rng, 0.7) else None
    if location and bernoulli(rng, 0.2):
        return Frame(subject, BE, location=location)
    return sample_action(rng, subject, location)


def _sample_subject(rng: np.random.Generator, kinds: tuple[str, ...]) -> Noun:
    """Sample a definite noun, sometimes with an adjective or a number."""
    noun = sample_noun(rng, (choice(rng, kinds),))
    noun = noun if lexicon.is_person(noun.concept) else add_number(rng, noun, 0.25)
    return add_adjective(rng, noun, 0.35)
