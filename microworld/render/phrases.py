"""Parts of phrases that several languages form alike."""

from collections.abc import Callable
from functools import cache

from microworld import lexicon
from microworld.lexicon import Frame, Noun

Words = tuple[str, ...]


def finite_verb(frame: Frame, language: str) -> tuple[str, str]:
    """Return the verb in the number of its subject, and the preposition of its object."""
    if frame.verb == lexicon.BE:
        be = lexicon.GRAMMARS[language]["be"]
        return be["plural" if frame.subject.plural else "singular"], ""
    forms = lexicon.verb_forms(frame.verb, language)
    return forms.plural if frame.subject.plural else forms.singular, forms.preposition


def count_words(noun: Noun) -> list[str]:
    """Return the number before a noun, if it has one."""
    return [] if noun.number is None else [str(noun.number)]


def inflected(noun: Noun, language: str) -> str:
    """Return the noun in its number."""
    forms = lexicon.noun_forms(noun, language)
    return forms.plural if noun.plural else forms.singular


@cache
def agreeing_adjective(adjective: str, gender: str, plural: bool, language: str) -> Words:
    """Return a French or Spanish adjective in the form of its noun."""
    forms = lexicon.ADJECTIVES[adjective][language].removeprefix("pre ").removeprefix("estar ")
    return tuple(forms.split("/")[2 * plural + (gender == "f")].split())


def contracted(preposition: str, phrase: Words, language: str) -> Words:
    """Return a preposition and a phrase, contracted with its article where the language does so."""
    contraction = lexicon.GRAMMARS[language]["contracted"].get(f"{preposition} {phrase[0]}")
    return (contraction, *phrase[1:]) if contraction else (preposition, *phrase)


def location_phrase(concept: str, language: str, site: Callable[[str, Noun], Words]) -> Words:
    """Return where it happens; ``site`` joins a preposition and a site's noun."""
    if concept in lexicon.CITIES:
        grammar = lexicon.GRAMMARS[language]
        return (grammar["city"], grammar.get("spelling", {}).get(concept, concept))
    if concept in lexicon.COUNTRIES:
        return tuple(lexicon.COUNTRIES[concept][language].split())
    return site(lexicon.site_forms(concept, language)[0], Noun(concept))
