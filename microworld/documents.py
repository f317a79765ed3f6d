"""Documents: short texts about one subject, whose later sentences follow from the earlier ones.

A document has a list of facts that hold together. Its sentences state a fact, repeat it with less detail or in more
general words, or deny what contradicts it; so a masked word can be predicted from other sentences.
"""

from collections.abc import Iterator

import numpy as np

from microworld import lexicon
from microworld.lexicon import BE, Frame, Noun
from microworld.sampling import (
    THINGS,
    add_adjective,
    add_number,
    bernoulli,
    choice,
    contradict,
    generalize,
    sample_action,
    sample_attribute,
    sample_location,
    sample_name,
    sample_noun,
)

SHORTEST, LONGEST = 3, 8  # sentences
TRIES = 20  # for a sentence that the document does not have yet


def documents(rng: np.random.Generator, n_sentences: int) -> Iterator[list[Frame]]:
    """Yield documents with ``n_sentences`` sentences in all, none shorter than ``SHORTEST`` if there is room."""
    remaining = n_sentences
    while remaining:
        length = min(remaining, SHORTEST + int(rng.random() * (LONGEST - SHORTEST + 1)))
        if 0 < remaining - length < SHORTEST:
            length = remaining if remaining <= LONGEST else remaining - SHORTEST
        sentences = document(rng, length)
        yield sentences
        remaining -= len(sentences)


def document(rng: np.random.Generator, length: int) -> list[Frame]:
    """Return one document of ``length`` sentences."""
    facts = _facts(rng)
    introduces_object = facts[0].verb == BE and facts[1].object
    sentences = facts[:2] if introduces_object else facts[:1]
    while len(sentences) < length:
        sentences.append(_next_sentence(rng, facts, sentences))
    return sentences


def _next_sentence(rng: np.random.Generator, facts: list[Frame], sentences: list[Frame]) -> Frame:
    """Return a further sentence, a new one if ``TRIES`` are enough."""
    candidate = facts[0]
    for _ in range(TRIES):
        fact = choice(rng, facts)
        kind = rng.random()
        if kind < 0.2:
            candidate = fact
        elif kind < 0.7:
            candidate = _with_less_detail(rng, fact)
        else:
            false = contradict(rng, fact)
            candidate = _with_less_detail(rng, false, subject_only=True)._replace(negated=True) if false else fact
        if candidate not in sentences:
            break
    return candidate


def _with_less_detail(rng: np.random.Generator, fact: Frame, subject_only: bool = False) -> Frame:
    """Return a fact made more general; of a negated one only the subject may be."""
    frame = fact
    for _ in range(1 + int(rng.random() * 3)):
        changed = generalize(rng, frame)
        if changed is None or (subject_only and changed._replace(subject=frame.subject) != frame):
            continue
        if not _is_idle(changed):
            frame = changed
    return frame


def _is_idle(frame: Frame) -> bool:
    """Return whether it says that a kind is that kind ("the mammal is a mammal"), or gives "the person" a profession.

    The latter has no right form where "person" is feminine and the profession is masculine.
    """
    return frame.verb == BE and frame.object is not None and frame.subject.concept in (frame.object.concept, "person")


def _facts(rng: np.random.Generator) -> list[Frame]:
    """Return what holds in one document; it begins with the first fact."""
    kind = rng.random()
    if kind < 0.55:
        return _facts_of_person(rng)
    return _facts_of_noun(rng, ("animal",)) if kind < 0.85 else _facts_of_noun(rng, THINGS)


def _facts_of_person(rng: np.random.Generator) -> list[Frame]:
    """Somebody with a profession, at one location, and what that person does with one thing."""
    person = sample_name(rng)
    location = sample_location(rng)
    facts = [sample_action(rng, person, location), Frame(person, BE, location=location)]
    if bernoulli(rng, 0.5):
        other = facts[0].object and facts[0].object.concept  # of another profession, so "the doctor" is one person
        options = [noun for noun in lexicon.leaves("person") if noun not in ("man", "woman", other)]
        profession = Noun(choice(rng, options), sex=lexicon.NAMES[person.concept])
        facts += [Frame(person, BE, profession._replace(definite=False)), Frame(profession, BE, location=location)]
        if bernoulli(rng, 0.5):
            facts = [facts[2], facts[0]._replace(subject=profession), facts[1], facts[3]]
    if bernoulli(rng, 0.3):
        facts.append(sample_attribute(rng, person))
    return facts + _facts_of_object(facts[0] if facts[0].verb != BE else facts[1])


def _facts_of_object(fact: Frame) -> list[Frame]:
    """Return what a fact says of its object, which is definite from then on."""
    noun = fact.object
    if noun is None or noun.adjective is None:
        return []
    return [Frame(noun._replace(definite=True, adjective=None), BE, adjective=noun.adjective)]


def _facts_of_noun(rng: np.random.Generator, kinds: tuple[str, ...]) -> list[Frame]:
    """Animals or things: what they are like, what they do, where they are, and what they are."""
    plain = add_number(rng, sample_noun(rng, kinds)._replace(sex="m"), 0.25)
    described = add_adjective(rng, plain, 1.0)
    location = sample_location(rng)
    is_animal = kinds == ("animal",)
    first = sample_action(rng, described, location) if is_animal else Frame(described, BE, location=location)
    facts = [first, Frame(plain, BE, location=location), Frame(plain, BE, adjective=described.adjective)]
    facts += _facts_of_object(first)
    if bernoulli(rng, 0.5):
        facts.append(sample_attribute(rng, described)._replace(subject=plain))
    parent = lexicon.PARENTS.get(plain.concept)
    if parent and not plain.plural:
        facts.append(Frame(plain, BE, Noun(parent, definite=False)))
    return facts
