"""Stories: short documents about one subject, whose later sentences follow from the earlier ones.

A story is a list of facts that hold together. Its sentences tell a fact, tell it again with less detail or in more
general words, or deny what it excludes; so what is hidden in one sentence can be read off another.
"""

from collections.abc import Iterator

import numpy as np

from microworld import edits, lexicon
from microworld.drawing import (
    THINGS,
    action,
    attribute,
    chance,
    counted,
    described,
    name,
    pick,
    somewhere,
    thing,
)
from microworld.frames import BE, Frame, Noun

SHORTEST, LONGEST = 3, 8  # sentences
TRIES = 20  # for a sentence that the story does not have yet


def stories(rng: np.random.Generator, n_sentences: int) -> Iterator[list[Frame]]:
    """Stories of ``n_sentences`` sentences together, none shorter than ``SHORTEST`` if there is room for one."""
    left = n_sentences
    while left:
        length = min(left, SHORTEST + int(rng.random() * (LONGEST - SHORTEST + 1)))
        if 0 < left - length < SHORTEST:
            length = left if left <= LONGEST else left - SHORTEST
        found = story(rng, length)
        yield found
        left -= len(found)


def story(rng: np.random.Generator, length: int) -> list[Frame]:
    """One story of ``length`` sentences."""
    facts = _facts(rng)
    told = facts[:2] if facts[0].verb == BE and facts[1].object else facts[:1]  # the thing it is about comes early
    while len(told) < length:
        told.append(_next(rng, facts, told))
    return told


def _next(rng: np.random.Generator, facts: list[Frame], told: list[Frame]) -> Frame:
    """A sentence that is not told yet, if one is found."""
    found = facts[0]
    for _ in range(TRIES):
        fact = pick(rng, facts)
        way = rng.random()
        if way < 0.2:
            found = fact
        elif way < 0.7:
            found = _less(rng, fact)
        else:
            denied = edits.exclude(rng, fact)
            found = _less(rng, denied, subject_only=True)._replace(negated=True) if denied else fact
        if found not in told:
            break
    return found


def _less(rng: np.random.Generator, fact: Frame, subject_only: bool = False) -> Frame:
    """A fact told with less detail; of a denial only the subject may be told with less."""
    found = fact
    for _ in range(1 + int(rng.random() * 3)):
        changed = edits.weaken(rng, found)
        if changed is None or (subject_only and changed._replace(subject=found.subject) != found):
            continue
        if not _idle(changed):
            found = changed
    return found


def _idle(frame: Frame) -> bool:
    """Whether it says of a kind that it is that kind ("the mammal is a mammal"), or of "the person" a profession.

    The latter has no right form where "person" is feminine and the profession is a man's.
    """
    return frame.verb == BE and frame.object is not None and frame.subject.concept in (frame.object.concept, "person")


def _facts(rng: np.random.Generator) -> list[Frame]:
    """What holds in one story; the first fact opens it."""
    kind = rng.random()
    if kind < 0.55:
        return _about_a_person(rng)
    return _about(rng, ("animal",)) if kind < 0.85 else _about(rng, THINGS)


def _about_a_person(rng: np.random.Generator) -> list[Frame]:
    """Somebody with a profession, in one place, and what that person does with one thing."""
    somebody = name(rng)
    place = somewhere(rng)
    facts = [action(rng, somebody, place), Frame(somebody, BE, place=place)]
    if chance(rng, 0.5):
        sex = lexicon.names()[somebody.concept]
        met = facts[0].object and facts[0].object.concept  # of another profession, so that "the doctor" is one person
        options = [noun for noun in lexicon.leaves("person") if noun not in ("man", "woman", met)]
        profession = Noun(pick(rng, options), sex=sex)
        facts += [Frame(somebody, BE, profession._replace(definite=False)), Frame(profession, BE, place=place)]
        if chance(rng, 0.5):
            facts = [facts[2], facts[0]._replace(subject=profession), facts[1], facts[3]]
    if chance(rng, 0.3):
        facts.append(attribute(rng, somebody))
    return facts + _about_the_object(facts[0] if facts[0].verb != BE else facts[1])


def _about_the_object(fact: Frame) -> list[Frame]:
    """What a fact tells of its object, which is known from then on."""
    found = fact.object
    if found is None or found.adjective is None:
        return []
    known = found._replace(definite=True, adjective=None)
    return [Frame(known, BE, adjective=found.adjective)]


def _about(rng: np.random.Generator, kinds: tuple[str, ...]) -> list[Frame]:
    """Animals or things: what they are like, what they do, where they are, and what they are."""
    plain = counted(rng, thing(rng, kinds)._replace(sex="m"), 0.25)
    called = described(rng, plain, 1.0)
    place = somewhere(rng)
    moving = action(rng, called, place) if kinds == ("animal",) else Frame(called, BE, place=place)
    facts = [moving, Frame(plain, BE, place=place), Frame(plain, BE, adjective=called.adjective)]
    facts += _about_the_object(moving)
    if chance(rng, 0.5):
        facts.append(attribute(rng, called)._replace(subject=plain))
    above = lexicon.parent(plain.concept)
    if above and not plain.plural:
        facts.append(Frame(plain, BE, Noun(above, definite=False)))
    return facts
