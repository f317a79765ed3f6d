"""Perturbations: small random changes that make a frame more general, more specific, incompatible or merely different.

Each returns a new frame, or None where it does not apply.
"""

import numpy as np

from microworld import lexicon
from microworld.lexicon import BE, Frame, Noun
from microworld.sampling import (
    COUNTS,
    bernoulli,
    can_be,
    choice,
    is_motion,
    object_kinds,
    sample_location,
    verbs_of,
)


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
        excluded = lexicon.ADJECTIVE_SETS[frame.adjective] if frame.adjective else None
        subject = _specific_noun(rng, frame.subject, excluded)
        return frame._replace(subject=subject) if subject and _can_do(subject.concept, frame.verb) else None
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
    excluded = {lexicon.ADJECTIVE_SETS[word] for word in (noun.adjective, frame.adjective) if word}
    adjectives = [word for word in lexicon.adjectives_of(noun.concept) if lexicon.ADJECTIVE_SETS[word] not in excluded]
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


def _specific_noun(rng: np.random.Generator, noun: Noun, excluded: str | None) -> Noun | None:
    """Return a noun with an adjective, a number, or a more specific one; no adjective of the set ``excluded``."""
    if noun.concept in lexicon.NAMES:
        return None
    if noun.plural and noun.number is None and bernoulli(rng, 0.4):
        return noun._replace(number=choice(rng, COUNTS))
    if noun.adjective is None and bernoulli(rng, 0.6):
        options = [word for word in lexicon.adjectives_of(noun.concept) if lexicon.ADJECTIVE_SETS[word] != excluded]
        return noun._replace(adjective=choice(rng, options)) if options else None
    children = lexicon.children(noun.concept)
    if not children:
        return None
    child = choice(rng, children)
    if child in lexicon.NAMES:
        return None if noun.plural or noun.adjective else Noun(child)
    return noun._replace(concept=child, sex=choice(rng, "mf") if noun.concept == "person" else "m")


def _can_do(concept: str, verb: str) -> bool:
    """Return whether the subject can do so."""
    return verb == BE or can_be(concept, tuple(lexicon.VERBS[verb]["by"]))


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
