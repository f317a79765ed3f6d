"""German sentences: the verb second, cases, and two negations: "kein" before an indefinite object, else "nicht"."""

from functools import cache

from microworld import lexicon, phrases
from microworld.frames import BE, Frame, Noun

LANGUAGE = "de"


def sentence(frame: Frame) -> list[str]:
    """The words of a frame: subject, verb, object, negation, place or predicate."""
    grammar = lexicon.grammar(LANGUAGE)
    words = [*_noun_phrase(frame.subject, "nominative", False)]
    if frame.verb == BE:
        words += [grammar["be"]["plural" if frame.subject.plural else "singular"]]
        preposition = ""
    else:
        forms = lexicon.verb(frame.verb, LANGUAGE)
        words += [forms.plural if frame.subject.plural else forms.singular]
        preposition = forms.preposition
    nicht = [grammar["negation"]] * frame.negated
    if frame.object:
        phrase, negated = _object(frame.object, frame.verb, preposition, frame.negated)
        nicht = [] if negated else nicht
        first = preposition or (frame.object.count is not None and not frame.object.definite)  # "nicht 9 Kiwis"
        words += [*nicht, *phrase] if first else [*phrase, *nicht]
    else:
        words += nicht
    words += [lexicon.adjectives()[frame.adjective][LANGUAGE].split("/")[0]] if frame.adjective else []
    words += _place(frame.place) if frame.place else ()
    return [*words, grammar["end"]]


@cache
def _object(noun: Noun, verb: str, preposition: str, negated: bool) -> tuple[tuple[str, ...], bool]:
    """What follows the verb, and whether it holds the negation."""
    if preposition:
        return _joined(preposition, _noun_phrase(noun, "dative", False)), False
    kein = negated and not noun.definite and noun.count is None and not phrases.is_name(noun)
    if verb == BE:
        phrase = _noun_phrase(noun, "nominative", kein)
        return (phrase[1:] if phrases.is_profession(noun) and not kein else phrase), kein
    return _noun_phrase(noun, "accusative", kein), kein


def _joined(preposition: str, phrase: tuple[str, ...]) -> tuple[str, ...]:
    """A preposition and a phrase, contracted with the article."""
    contracted = lexicon.grammar(LANGUAGE)["contracted"].get(f"{preposition} {phrase[0]}")
    return (contracted, *phrase[1:]) if contracted else (preposition, *phrase)


@cache
def _noun_phrase(noun: Noun, case: str, kein: bool) -> tuple[str, ...]:
    """Article, number, adjective, noun, all of them in the case."""
    if phrases.is_name(noun):
        return (noun.concept,)
    grammar = lexicon.grammar(LANGUAGE)
    forms = phrases.forms_of(noun, LANGUAGE)
    column = "p" if noun.plural else forms.gender
    words: list[str] = []
    kind = "bare"
    if noun.definite:
        kind = "definite"
        words = [grammar["definite"][case][column]]
    elif kein:
        kind = "indefinite"
        negative = grammar["negative"]
        words = [negative["plural"][case] if noun.plural else negative["prefix"] + grammar[kind][case][column]]
    elif not noun.plural:
        kind = "indefinite"
        words = [grammar[kind][case][column]]
    words += [str(noun.count)] * (noun.count is not None)
    if noun.adjective:
        stem = lexicon.adjectives()[noun.adjective][LANGUAGE].split("/")[-1]
        words += [stem + grammar["endings"][kind][case][column]]
    return (*words, _inflected(forms, noun.plural, case))


def _inflected(forms: lexicon.NounForms, plural: bool, case: str) -> str:
    """The noun itself: weak nouns end in -en outside the nominative, dative plurals in -n."""
    if plural:
        return forms.plural + ("n" if case == "dative" and forms.plural[-1] not in "ns" else "")
    return forms.singular if case == "nominative" else forms.oblique


@cache
def _place(concept: str) -> tuple[str, ...]:
    """Where it happens."""
    return phrases.place(concept, LANGUAGE, lambda prep, noun: _joined(prep, _noun_phrase(noun, "dative", False)))
