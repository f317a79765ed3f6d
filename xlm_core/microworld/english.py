"""English sentences: subject, verb, object, place."""

from functools import cache

from xlm_core.microworld import lexicon, phrases
from xlm_core.microworld.frames import BE, Frame, Noun

LANGUAGE = "en"


def sentence(frame: Frame) -> list[str]:
    """The words of a frame; "do" carries the negation of every verb but "be"."""
    grammar = lexicon.grammar(LANGUAGE)
    number = "plural" if frame.subject.plural else "singular"
    words = [*_noun_phrase(frame.subject)]
    if frame.verb == BE:
        words += [grammar["be"][number]] + [grammar["negation"]] * frame.negated
    else:
        forms = lexicon.verb(frame.verb, LANGUAGE)
        finite = forms.plural if frame.subject.plural else forms.singular
        words += [grammar["do"][number], grammar["negation"], forms.plural] if frame.negated else [finite]
        words += forms.preposition.split()
    words += [lexicon.adjectives()[frame.adjective][LANGUAGE]] if frame.adjective else []
    words += _noun_phrase(frame.object) if frame.object else ()
    words += _place(frame.place) if frame.place else ()
    return [*words, grammar["end"]]


@cache
def _noun_phrase(noun: Noun) -> tuple[str, ...]:
    """Article, number, adjective, noun."""
    if phrases.is_name(noun):
        return (noun.concept,)
    grammar = lexicon.grammar(LANGUAGE)
    forms = phrases.forms_of(noun, LANGUAGE)
    words = [str(noun.count)] * (noun.count is not None)
    words += [lexicon.adjectives()[noun.adjective][LANGUAGE]] if noun.adjective else []
    words += [forms.plural if noun.plural else forms.singular]
    if noun.definite:
        return (grammar["definite"], *words)
    if noun.plural:
        return tuple(words)
    return (grammar["indefinite"]["vowel" if words[0][0] in grammar["vowels"] else "consonant"], *words)


@cache
def _place(concept: str) -> tuple[str, ...]:
    """Where it happens."""
    return phrases.place(concept, LANGUAGE, lambda preposition, noun: (preposition, *_noun_phrase(noun)))
