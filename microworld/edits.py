"""Edits: small random changes of a frame that make it say less, say more, or exclude it.

Each edit returns a new frame, or None where it does not apply.
"""

import numpy as np

from microworld import lexicon
from microworld.drawing import COUNTS, chance, fits, is_trip, kinds_of_objects, pick, somewhere, verbs_of
from microworld.frames import BE, Frame, Noun


def weaken(rng: np.random.Generator, frame: Frame) -> Frame | None:
    """Say less: a more general noun or place, or without an adjective, a number, a place, an action."""
    part = pick(rng, ("subject", "object", "place", "place", "verb"))
    if part == "subject":
        found = _weaker(rng, frame.subject, definite=True)
        return found and frame._replace(subject=found)
    if part == "object" and frame.object and frame.verb != BE:
        found = _weaker(
            rng, frame.object, definite=frame.object.definite and frame.object.concept not in lexicon.names()
        )
        return found and frame._replace(object=found)
    if part == "place" and frame.place:
        above = lexicon.parent(frame.place)
        if above in lexicon.data()["countries"]:
            return frame._replace(place=above)
        return None if frame.verb == BE else frame._replace(place=None)
    if part == "verb" and frame.place and frame.verb != BE:
        return Frame(frame.subject, BE, place=frame.place)
    return None


def strengthen(rng: np.random.Generator, frame: Frame) -> Frame | None:
    """Say more: a more special noun or place, or with an adjective, a number, a place, an action."""
    part = pick(rng, ("subject", "object", "place", "verb"))
    if part == "subject":
        taken = frame.adjective and lexicon.adjective_set(frame.adjective)
        found = _stronger(rng, frame.subject, taken)
        return frame._replace(subject=found) if found and _can_do(found.concept, frame.verb) else None
    if part == "object" and frame.object and frame.verb != BE and not is_trip(frame.verb):
        found = _stronger(rng, frame.object, None)
        return found and frame._replace(object=found)
    if part == "place" and frame.adjective is None and not is_trip(frame.verb):
        if frame.place is None:
            return frame._replace(place=somewhere(rng))
        if frame.place in lexicon.data()["countries"]:
            return frame._replace(place=pick(rng, lexicon.children(frame.place)))
    if part == "verb" and frame.verb == BE and frame.place:
        options = [verb for verb in verbs_of(frame.subject.concept) if not kinds_of_objects(verb)]
        return frame._replace(verb=pick(rng, options)) if options else None
    return None


def exclude(rng: np.random.Generator, frame: Frame) -> Frame | None:
    """Say what cannot be so too: another place, adjective, number, object, or action of the same set."""
    part = pick(rng, ("place", "place", "verb", "adjective", "object"))
    if part == "place" and frame.place:
        return frame._replace(place=_other_place(rng, frame.place))
    if part == "verb" and frame.verb != BE:
        found = _other_verb(rng, frame)
        return found and frame._replace(verb=found)
    if part == "adjective" and frame.adjective:
        return frame._replace(adjective=_other_adjective(rng, frame.adjective))
    if (
        part == "object"
        and frame.object
        and (frame.verb != BE or "person" not in lexicon.ancestors(frame.object.concept))
    ):
        found = _other_object(rng, frame.object)
        return found and frame._replace(object=found)
    return None


def turn(rng: np.random.Generator, frame: Frame) -> Frame | None:
    """Say something else that may be so too: an adjective of another set, a site for a city or a city for a site."""
    part = pick(rng, ("subject", "object", "place"))
    if part == "place" and frame.place:
        listed = lexicon.data()
        return frame._replace(place=pick(rng, tuple(listed["cities" if frame.place in listed["sites"] else "sites"])))
    noun = frame.subject if part == "subject" else frame.object
    if part == "place" or noun is None or noun.adjective is None:
        return None
    taken = (lexicon.adjective_set(noun.adjective), frame.adjective and lexicon.adjective_set(frame.adjective))
    options = [word for word in lexicon.describing(noun.concept) if lexicon.adjective_set(word) not in taken]
    return frame._replace(**{part: noun._replace(adjective=pick(rng, options))}) if options else None


def _weaker(rng: np.random.Generator, noun: Noun, definite: bool) -> Noun | None:
    """A noun without its number, else without its adjective, else the next more general one."""
    if noun.count is not None and chance(rng, 0.3):
        return noun._replace(count=None)
    if noun.adjective:
        return noun._replace(adjective=None)
    above = lexicon.parent(noun.concept)
    if above is None or above == lexicon.SITE:
        return None
    return Noun(above, noun.plural, noun.count, definite=definite)


def _stronger(rng: np.random.Generator, noun: Noun, taken: str | None) -> Noun | None:
    """A noun with an adjective, a number, or a more special one; ``taken`` is a set of adjectives not to use."""
    if noun.concept in lexicon.names():
        return None
    if noun.plural and noun.count is None and chance(rng, 0.4):
        return noun._replace(count=pick(rng, COUNTS))
    if noun.adjective is None and chance(rng, 0.6):
        fitting = lexicon.describing(noun.concept)
        options = [word for word in fitting if lexicon.adjective_set(word) != taken]
        return noun._replace(adjective=pick(rng, options)) if options else None
    below = lexicon.children(noun.concept)
    if not below:
        return None
    child = pick(rng, below)
    if child in lexicon.names():
        return None if noun.plural or noun.adjective else Noun(child)
    return noun._replace(concept=child, sex=pick(rng, "mf") if noun.concept == "person" else "m")


def _can_do(concept: str, verb: str) -> bool:
    """Whether the action is one for that subject."""
    return verb == BE or fits(concept, tuple(lexicon.data()["verbs"][verb]["by"]))


def _other_place(rng: np.random.Generator, place: str) -> str:
    """Another place of the same kind."""
    kind = next(kind for kind in ("cities", "countries", "sites") if place in lexicon.data()[kind])
    return pick(rng, [other for other in lexicon.data()[kind] if other != place])


def _other_verb(rng: np.random.Generator, frame: Frame) -> str | None:
    """An action of the same set, for the same subject and object."""
    verbs = lexicon.data()["verbs"]
    group = verbs[frame.verb].get("set")
    options = [
        verb
        for verb in verbs_of(frame.subject.concept)
        if group and verbs[verb].get("set") == group and verb != frame.verb
        if frame.object is None or fits(frame.object.concept, kinds_of_objects(verb))
    ]
    return pick(rng, options) if options else None


def _other_adjective(rng: np.random.Generator, adjective: str) -> str:
    """Another adjective of the same set."""
    words = lexicon.data()["adjectives"][lexicon.adjective_set(adjective)]["words"]
    return pick(rng, [word for word in words if word != adjective])


def _other_object(rng: np.random.Generator, noun: Noun) -> Noun | None:
    """The same noun with another adjective or number, or another noun of its kind."""
    if noun.count is not None:
        return noun._replace(count=pick(rng, [count for count in COUNTS if count != noun.count]))
    if noun.adjective and chance(rng, 0.5):
        return noun._replace(adjective=_other_adjective(rng, noun.adjective))
    above = lexicon.parent(noun.concept)
    if above is None or noun.concept in lexicon.names():
        return None
    siblings = lexicon.leaves(above) if above == lexicon.SITE else lexicon.children(above)
    options = [other for other in siblings if other != noun.concept and other not in ("man", "woman")]
    return noun._replace(concept=pick(rng, options)) if options else None
