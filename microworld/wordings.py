"""Wordings: other English sentences that say what a frame says, and questions about it."""

from collections.abc import Sequence

from microworld import english, lexicon
from microworld.drawing import is_trip
from microworld.frames import BE, Frame

WHETHER, PLACE, SUBJECT, OBJECT = "whether", "place", "subject", "object"
ASKING = {
    PLACE: ("where", "at what place"),
    SUBJECT: ("who", "which person"),
    OBJECT: ("what", "which thing"),
}  # what is asked for -> two ways to ask for it


def capital(words: Sequence[str]) -> list[str]:
    """The words of a sentence, whose first letter is a capital."""
    first, *others = words
    return [first[0].upper() + first[1:], *others]


def otherwise(frame: Frame, wording: int) -> list[str]:
    """What a frame says, in other words than ``english.sentence`` has: two wordings, which are the same for some."""
    found = english.clause(frame)
    if wording and found.place:
        return [*found.place, ",", *found.subject, *found.verb, *found.rest, "."]
    said = english.sentence(frame._replace(negated=False))
    return ["it", "is", *["not"] * frame.negated, "true", "that", *said]


def asked_of(frame: Frame) -> list[str]:
    """What can be asked about a frame."""
    found = [WHETHER]
    if frame.place:
        found.append(PLACE)
    if "person" in lexicon.ancestors(frame.subject.concept) and not frame.subject.plural:
        found.append(SUBJECT)
    thing = frame.object
    if thing and frame.verb != BE and not is_trip(frame.verb) and "person" not in lexicon.ancestors(thing.concept):
        found.append(OBJECT)
    return found


def without(frame: Frame, asked: str) -> Frame:
    """A frame without what is asked for: what a question takes as known."""
    if asked == SUBJECT:
        return frame._replace(subject=frame.subject._replace(concept="person", adjective=None, sex="m"))
    return frame if asked == WHETHER else frame._replace(**{asked: None})


def question(frame: Frame, asked: str, wording: int) -> list[str]:
    """A question about a frame that affirms, in one of two wordings."""
    grammar = lexicon.grammar(english.LANGUAGE)
    found = english.clause(without(frame, asked))
    number = "plural" if frame.subject.plural else "singular"
    if asked == SUBJECT:
        return [*ASKING[asked][wording].split(), *found.verb, *found.rest, *found.place, "?"]
    if asked == WHETHER and wording:
        return ["is", "it", "true", "that", *found.subject, *found.verb, *found.rest, *found.place, "?"]
    if frame.verb == BE:
        order = [*found.verb, *found.subject, *found.rest, *found.place, "?"]
    else:
        stem = lexicon.verb(frame.verb, english.LANGUAGE).plural
        order = [grammar["do"][number], *found.subject, stem, *found.rest, *found.place, "?"]
    return order if asked == WHETHER else [*ASKING[asked][wording].split(), *order]
