"""Spanish sentences: subject, no, verb, object, place; two copulas, and "a" before people."""

from functools import cache

from microworld import lexicon, phrases
from microworld.frames import BE, Frame, Noun

LANGUAGE = "es"


def sentence(frame: Frame) -> list[str]:
    """The words of a frame."""
    grammar = lexicon.grammar(LANGUAGE)
    subject = frame.subject
    if frame.verb == BE:
        words = [_copula(frame)]
        preposition = ""
    else:
        forms = lexicon.verb(frame.verb, LANGUAGE)
        words = [forms.plural if subject.plural else forms.singular]
        preposition = forms.preposition
    words = [grammar["negation"]] * frame.negated + words
    if frame.adjective:
        gender = phrases.gender(subject, LANGUAGE)
        words += phrases.agreeing(frame.adjective, gender, subject.plural, LANGUAGE)
    if frame.object:
        words += _object(frame.object, frame.verb, preposition)
    words += _place(frame.place) if frame.place else ()
    return [*_noun_phrase(subject), *words, grammar["end"]]


def _copula(frame: Frame) -> str:
    """The form of "estar" for places and states, of "ser" for everything else."""
    state = frame.adjective and lexicon.adjectives()[frame.adjective][LANGUAGE].startswith("estar ")
    verb = lexicon.grammar(LANGUAGE)["estar" if frame.place or state else "ser"]
    return verb["plural" if frame.subject.plural else "singular"]


@cache
def _object(noun: Noun, verb: str, preposition: str) -> tuple[str, ...]:
    """What follows the verb: a bare profession, or the phrase with its preposition, which people always have."""
    phrase = _noun_phrase(noun)
    if verb == BE:
        return phrase[1:] if phrases.is_profession(noun) else phrase
    if not preposition and "person" in lexicon.ancestors(noun.concept):
        preposition = lexicon.grammar(LANGUAGE)["personal"]
    return _joined(preposition, phrase) if preposition else phrase


def _joined(preposition: str, phrase: tuple[str, ...]) -> tuple[str, ...]:
    """A preposition and a phrase, contracted with the masculine article."""
    contracted = lexicon.grammar(LANGUAGE)["contracted"].get(f"{preposition} {phrase[0]}")
    return (contracted, *phrase[1:]) if contracted else (preposition, *phrase)


@cache
def _noun_phrase(noun: Noun) -> tuple[str, ...]:
    """Article, number, noun, adjective."""
    if phrases.is_name(noun):
        return (noun.concept,)
    grammar = lexicon.grammar(LANGUAGE)
    forms = phrases.forms_of(noun, LANGUAGE)
    words = [str(noun.count)] * (noun.count is not None) + [forms.plural if noun.plural else forms.singular]
    if noun.adjective:
        words += phrases.agreeing(noun.adjective, forms.gender, noun.plural, LANGUAGE)
    if noun.definite:
        return (grammar["definite"][forms.gender + " plural" * noun.plural], *words)
    return tuple(words) if noun.plural else (grammar["indefinite"][forms.gender], *words)


@cache
def _place(concept: str) -> tuple[str, ...]:
    """Where it happens."""
    return phrases.place(concept, LANGUAGE, lambda preposition, noun: _joined(preposition, _noun_phrase(noun)))
