"""Paraphrases in English: other sentences for a frame, and questions about it."""

from microworld import lexicon
from microworld.lexicon import BE, Frame
from microworld.render import english
from microworld.render.phrases import Words
from microworld.sampling import is_motion

WHETHER, LOCATION, SUBJECT, OBJECT = "whether", "location", "subject", "object"
QUESTION_WORDS = {
    LOCATION: ("where", "at what place"),
    SUBJECT: ("who", "which person"),
    OBJECT: ("what", "which thing"),
}  # what is asked for -> two ways to ask for it


def paraphrase(frame: Frame, wording: int) -> list[str]:
    """Return a frame in one of two wordings that ``english.sentence`` does not have; they are the same for some."""
    clause = english.clause(frame)
    if wording and clause.location:
        return [*clause.location, ",", *clause._replace(location=()).words(), "."]
    affirmative = english.sentence(frame._replace(negated=False))
    return ["it", "is", *["not"] * frame.negated, "true", "that", *affirmative]


def askable(frame: Frame) -> list[str]:
    """Return what can be asked about a frame."""
    asked = [WHETHER]
    if frame.location:
        asked.append(LOCATION)
    if lexicon.is_person(frame.subject.concept) and not frame.subject.plural:
        asked.append(SUBJECT)
    noun = frame.object
    if noun and frame.verb != BE and not is_motion(frame.verb) and not lexicon.is_person(noun.concept):
        asked.append(OBJECT)
    return asked


def presupposition(frame: Frame, asked: str) -> Frame:
    """Return a frame without what is asked for: what the question presupposes."""
    if asked == SUBJECT:
        return frame._replace(subject=frame.subject._replace(concept="person", adjective=None, sex="m"))
    if asked == OBJECT:
        return frame._replace(object=None)
    return frame._replace(location=None) if asked == LOCATION else frame


def question(frame: Frame, asked: str, wording: int) -> list[str]:
    """Return a question about an affirmative frame, in one of two wordings."""
    clause = english.clause(presupposition(frame, asked))
    if asked == SUBJECT:
        return [*QUESTION_WORDS[asked][wording].split(), *clause._replace(subject=()).words(), "?"]
    if asked == WHETHER and wording:
        return ["is", "it", "true", "that", *clause.words(), "?"]
    auxiliary, stem = clause.verb, Words()
    if frame.verb != BE:
        auxiliary = (english.GRAMMAR["do"]["plural" if frame.subject.plural else "singular"],)
        stem = (lexicon.verb_forms(frame.verb, english.LANGUAGE).plural,)
    words = [*auxiliary, *clause._replace(verb=stem).words(), "?"]
    return words if asked == WHETHER else [*QUESTION_WORDS[asked][wording].split(), *words]
