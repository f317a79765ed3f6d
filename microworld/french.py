"""French sentences: subject, ne, verb, pas, object, place; elision and contraction join neighbors."""

from functools import cache

from microworld import lexicon, phrases
from microworld.frames import BE, Frame, Noun

LANGUAGE = "fr"


def sentence(frame: Frame) -> list[str]:
    """The words of a frame; an elided word ends with its apostrophe."""
    grammar = lexicon.grammar(LANGUAGE)
    subject = frame.subject
    forms = _be() if frame.verb == BE else lexicon.verb(frame.verb, LANGUAGE)
    words = [forms.plural if subject.plural else forms.singular]
    if frame.negated:
        negation = grammar["negation"]
        words = [negation["elided" if _vowel(words[0]) else "before"], *words, negation["after"]]
    if frame.adjective:
        gender = phrases.gender(subject, LANGUAGE)
        words += phrases.agreeing(frame.adjective, gender, subject.plural, LANGUAGE)
    if frame.object:
        words += _object(frame.object, frame.verb, forms.preposition, frame.negated)
    words += _place(frame.place) if frame.place else ()
    return [*_noun_phrase(subject), *words, grammar["end"]]


def _be() -> lexicon.VerbForms:
    """The copula as a verb."""
    be = lexicon.grammar(LANGUAGE)["be"]
    return lexicon.VerbForms(be["singular"], be["plural"], "")


def _vowel(word: str) -> bool:
    """Whether a word before this one is elided."""
    return word[0].lower() in lexicon.grammar(LANGUAGE)["vowels"]


@cache
def _object(noun: Noun, verb: str, preposition: str, negated: bool) -> tuple[str, ...]:
    """What follows the verb: a bare profession, "pas de" in place of an indefinite article, or the whole phrase."""
    phrase = _noun_phrase(noun)
    if verb == BE:
        return phrase[1:] if phrases.is_profession(noun) else phrase
    if preposition:
        return _joined(preposition, phrase)
    if negated and not noun.definite and not phrases.is_name(noun) and noun.count is None:
        return _joined("de", phrase[1:])
    return phrase


def _joined(preposition: str, phrase: tuple[str, ...]) -> tuple[str, ...]:
    """A preposition and a phrase: contracted with an article, elided before a vowel."""
    grammar = lexicon.grammar(LANGUAGE)
    partitive = grammar["partitive"]
    if preposition == partitive["full"] and phrase[0] in (grammar["indefinite"]["plural"], *partitive.values()):
        phrase = phrase[1:]  # "de des chiens" is "de chiens"
    if contracted := grammar["contracted"].get(f"{preposition} {phrase[0]}"):
        return (contracted, *phrase[1:])
    if preposition == partitive["full"] and _vowel(phrase[0]):
        return (partitive["elided"], *phrase)
    return (preposition, *phrase)


@cache
def _noun_phrase(noun: Noun) -> tuple[str, ...]:
    """Article, number, adjective before the noun, noun, adjective after it."""
    if phrases.is_name(noun):
        return (noun.concept,)
    forms = phrases.forms_of(noun, LANGUAGE)
    words = [forms.plural if noun.plural else forms.singular]
    before = False
    if noun.adjective:
        adjective = phrases.agreeing(noun.adjective, forms.gender, noun.plural, LANGUAGE)
        before = lexicon.adjectives()[noun.adjective][LANGUAGE].startswith("pre ")
        words = [*adjective, *words] if before else [*words, *adjective]
    words = [str(noun.count)] * (noun.count is not None) + words
    return (*_article(noun, forms.gender, words[0], before), *words)


def _article(noun: Noun, gender: str, first: str, adjective_before: bool) -> tuple[str, ...]:
    """The article that fits the word after it."""
    grammar = lexicon.grammar(LANGUAGE)
    if noun.definite:
        if not noun.plural and _vowel(first):
            return (grammar["definite"]["elided"],)
        return (grammar["definite"]["plural" if noun.plural else gender],)
    if noun.count is not None:
        return ()
    if noun.plural and adjective_before:
        return (grammar["partitive"]["full"],)
    return (grammar["indefinite"]["plural" if noun.plural else gender],)


@cache
def _place(concept: str) -> tuple[str, ...]:
    """Where it happens."""
    return phrases.place(concept, LANGUAGE, lambda preposition, noun: _joined(preposition, _noun_phrase(noun)))
