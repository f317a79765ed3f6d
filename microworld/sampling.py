"""Sampling of random frames that make sense, and of perturbations of them.

A perturbation is a small random change that makes a frame more general, more specific, incompatible or merely
different: it returns a new frame, or None where it does not apply.
"""

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
    return Frame(subject, BE, adjective=choice(rng, _adjectives_beside(subject.concept, subject.adjective)))


def _adjectives_beside(concept: str, *present: str | None) -> list[str]:
    """Return the adjectives of a concept that are of no set of the ``present`` ones."""
    sets = {lexicon.ADJECTIVE_SETS[word] for word in present if word}
    return [word for word in lexicon.adjectives_of(concept) if lexicon.ADJECTIVE_SETS[word] not in sets]


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


def generalize(rng: np.random.Generator, frame: Frame) -> Frame | None:
    """Return what follows: a more general noun or location, or without adjective, number, location, action."""
    part = choice(rng, ("subject", "object", "location", "location", "verb"))
    if part == "subject":
        subject = _general_noun(rng, frame.subject, definite=True)
        return subject and frame._replace(subject=subject)
    if part == "object" and frame.object and frame.verb != BE:
        definite = frame.object.definite and frame.object.concept not in lexicon.NAMES
        noun = _general_noun(rng, frame.object, definite)
        return noun and frame._replace(object=noun)
    if part == "location" and frame.location:
        if frame.location in lexicon.CITIES:
            return frame._replace(location=lexicon.CITIES[frame.location])
        return None if frame.verb == BE else frame._replace(location=None)
    if part == "verb" and frame.location and frame.verb != BE:
        return Frame(frame.subject, BE, location=frame.location)
    return None


def specialize(rng: np.random.Generator, frame: Frame) -> Frame | None:
    """Return what implies the frame: a more specific noun or location, or with adjective, number, location, action."""
    part = choice(rng, ("subject", "object", "location", "verb"))
    if part == "subject":
        subject = _specific_noun(rng, frame.subject, frame.adjective)
        can_do_so = subject and frame.verb in (BE, *verbs_of(subject.concept))
        return frame._replace(subject=subject) if subject and can_do_so else None
    if part == "object" and frame.object and frame.verb != BE and not is_motion(frame.verb):
        noun = _specific_noun(rng, frame.object, None)
        return noun and frame._replace(object=noun)
    if part == "location" and frame.adjective is None and not is_motion(frame.verb):
        if frame.location is None:
            return frame._replace(location=sample_location(rng))
        if frame.location in lexicon.COUNTRIES:
            return frame._replace(location=choice(rng, lexicon.children(frame.location)))
    if part == "verb" and frame.verb == BE and frame.location:
        options = [verb for verb in verbs_of(frame.subject.concept) if not object_kinds(verb)]
        return frame._replace(verb=choice(rng, options)) if options else None
    return None


def contradict(rng: np.random.Generator, frame: Frame) -> Frame | None:
    """Return what cannot hold as well: another location, adjective, number, object, or action of the same set."""
    part = choice(rng, ("location", "location", "verb", "adjective", "object"))
    if part == "location" and frame.location:
        return frame._replace(location=_other_location(rng, frame.location))
    if part == "verb" and frame.verb != BE:
        verb = _other_verb(rng, frame)
        return frame._replace(verb=verb) if verb else None
    if part == "adjective" and frame.adjective:
        return frame._replace(adjective=_other_adjective(rng, frame.adjective))
    if part == "object" and frame.object and (frame.verb != BE or not lexicon.is_person(frame.object.concept)):
        noun = _other_object(rng, frame.object)
        return noun and frame._replace(object=noun)
    return None


def vary(rng: np.random.Generator, frame: Frame) -> Frame | None:
    """Return what may hold as well: an adjective of another set, a site for a city or a city for a site."""
    part = choice(rng, ("subject", "object", "location"))
    if part == "location" and frame.location:
        options = lexicon.CITIES if frame.location in lexicon.SITES else lexicon.SITES
        return frame._replace(location=choice(rng, tuple(options)))
    noun = frame.subject if part == "subject" else frame.object
    if part == "location" or noun is None or noun.adjective is None:
        return None
    adjectives = _adjectives_beside(noun.concept, noun.adjective, frame.adjective)
    if not adjectives:
        return None
    noun = noun._replace(adjective=choice(rng, adjectives))
    return frame._replace(subject=noun) if part == "subject" else frame._replace(object=noun)


def _general_noun(rng: np.random.Generator, noun: Noun, definite: bool) -> Noun | None:
    """Return a noun without its number, else without its adjective, else the next more general noun."""
    if noun.number is not None and bernoulli(rng, 0.3):
        return noun._replace(number=None)
    if noun.adjective:
        return noun._replace(adjective=None)
    parent = lexicon.PARENTS.get(noun.concept)
    if parent is None or parent == lexicon.SITE:
        return None
    return Noun(parent, noun.plural, noun.number, definite=definite)


def _specific_noun(rng: np.random.Generator, noun: Noun, attribute: str | None) -> Noun | None:
    """Return a noun with an adjective, a number, or a more specific one; no adjective of the set of ``attribute``."""
    if noun.concept in lexicon.NAMES:
        return None
    if noun.plural and noun.number is None and bernoulli(rng, 0.4):
        return noun._replace(number=choice(rng, COUNTS))
    if noun.adjective is None and bernoulli(rng, 0.6):
        options = _adjectives_beside(noun.concept, attribute)
        return noun._replace(adjective=choice(rng, options)) if options else None
    children = lexicon.children(noun.concept)
    if not children:
        return None
    child = choice(rng, children)
    if child in lexicon.NAMES:
        return None if noun.plural or noun.adjective else Noun(child)
    return noun._replace(concept=child, sex=choice(rng, "mf") if noun.concept == "person" else "m")


def _other_location(rng: np.random.Generator, location: str) -> str:
    """Return another location of the same kind."""
    kind = next(kind for kind in (lexicon.CITIES, lexicon.COUNTRIES, lexicon.SITES) if location in kind)
    return choice(rng, [other for other in kind if other != location])


def _other_verb(rng: np.random.Generator, frame: Frame) -> str | None:
    """Return an action of the same set, for the same subject and object."""
    group = lexicon.VERBS[frame.verb].get("set")
    options = [
        verb
        for verb in verbs_of(frame.subject.concept)
        if group and lexicon.VERBS[verb].get("set") == group and verb != frame.verb
        if frame.object is None or can_be(frame.object.concept, object_kinds(verb))
    ]
    return choice(rng, options) if options else None


def _other_adjective(rng: np.random.Generator, adjective: str) -> str:
    """Return another adjective of the same set."""
    group = lexicon.ADJECTIVE_SETS[adjective]
    return choice(rng, [word for word, name in lexicon.ADJECTIVE_SETS.items() if name == group and word != adjective])


def _other_object(rng: np.random.Generator, noun: Noun) -> Noun | None:
    """Return the same noun with another adjective or number, or another noun of its kind."""
    if noun.number is not None:
        return noun._replace(number=choice(rng, [count for count in COUNTS if count != noun.number]))
    if noun.adjective and bernoulli(rng, 0.5):
        return noun._replace(adjective=_other_adjective(rng, noun.adjective))
    parent = lexicon.PARENTS.get(noun.concept)
    if parent is None or noun.concept in lexicon.NAMES:
        return None
    options = [other for other in lexicon.children(parent) if other not in (noun.concept, "man", "woman")]
    return noun._replace(concept=choice(rng, options)) if options else None
