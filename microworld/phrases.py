"""Phrases that every language forms from the same parts."""

from collections.abc import Callable
from functools import cache

from microworld import lexicon
from microworld.frames import Noun


@cache
def forms_of(noun: Noun, language: str) -> lexicon.NounForms:
    """The forms of a noun, which may be a site."""
    if noun.concept in lexicon.data()["sites"]:
        return lexicon.site(noun.concept, language)[1]
    return lexicon.noun(noun.concept, language, noun.sex)


def is_name(noun: Noun) -> bool:
    """Whether it is somebody's name, which takes neither article nor adjective."""
    return noun.concept in lexicon.names()


def is_profession(noun: Noun) -> bool:
    """Whether the noun has a form for either sex, as the words for what people do have."""
    return "person" in lexicon.ancestors(noun.concept) and noun.concept not in ("person", "man", "woman")


def gender(noun: Noun, language: str) -> str:
    """Grammatical gender."""
    return lexicon.names()[noun.concept] if is_name(noun) else forms_of(noun, language).gender


def agreeing(adjective: str, noun_gender: str, plural: bool, language: str) -> tuple[str, ...]:
    """The words of a French or Spanish adjective in the form of its noun."""
    written = lexicon.adjectives()[adjective][language].removeprefix("pre ").removeprefix("estar ")
    return tuple(written.split("/")[2 * plural + (noun_gender == "f")].split())


def place(concept: str, language: str, site: Callable[[str, Noun], tuple[str, ...]]) -> tuple[str, ...]:
    """Where it happens; ``site`` joins a preposition and a site's noun."""
    if concept in lexicon.data()["cities"]:
        grammar = lexicon.grammar(language)
        return (grammar["city"], grammar.get("spelling", {}).get(concept, concept))
    if concept in lexicon.data()["countries"]:
        return tuple(lexicon.data()["countries"][concept][language].split())
    return site(lexicon.site(concept, language)[0], Noun(concept))
