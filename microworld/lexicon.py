"""Lexicon: the concepts of the microworld, how they are related, and their forms in every language.

The data are ``lexicon.yaml`` and ``grammar.<language>.yaml`` beside this file; this module only reads them.
"""

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

FOLDER = Path(__file__).parent
WORD_SETS = "adjectives"
SITE = "site"  # the kind of everything that is listed as a site


class NounForms(NamedTuple):
    """A noun in one language; ``oblique`` is the singular after prepositions where it differs."""

    gender: str
    singular: str
    plural: str
    oblique: str


class VerbForms(NamedTuple):
    """A verb in one language: third person singular and plural, and what stands before its object."""

    singular: str
    plural: str
    preposition: str


@cache
def data() -> dict[str, Any]:
    """The whole of ``lexicon.yaml``."""
    return yaml.safe_load((FOLDER / "lexicon.yaml").read_text(encoding="utf-8"))


@cache
def grammar(language: str) -> dict[str, Any]:
    """The tables of one language."""
    return yaml.safe_load((FOLDER / f"grammar.{language}.yaml").read_text(encoding="utf-8"))


@cache
def languages() -> tuple[str, ...]:
    """The codes of the languages that have a grammar."""
    return tuple(sorted(path.name.split(".")[1] for path in FOLDER.glob("grammar.*.yaml")))


@cache
def names() -> dict[str, str]:
    """Every given name with the sex of its bearer, ``f`` or ``m``."""
    return {name: sex for sex, listed in data()["names"].items() for name in listed}


@cache
def adjectives() -> dict[str, dict[str, str]]:
    """Every adjective with its forms by language."""
    return {word: forms for group in data()[WORD_SETS].values() for word, forms in group["words"].items()}


@cache
def adjective_set(adjective: str) -> str:
    """The set of adjectives that exclude each other which ``adjective`` is one of."""
    return next(name for name, group in data()[WORD_SETS].items() if adjective in group["words"])


@cache
def parent(concept: str) -> str | None:
    """The next more general concept: of a name, a noun or a place."""
    if concept in names():
        return {"f": "woman", "m": "man"}[names()[concept]]
    if concept in data()["sites"]:
        return SITE
    if concept in data()["cities"]:
        return data()["cities"][concept]
    return data()["nouns"].get(concept, {}).get("parent")


@cache
def ancestors(concept: str) -> tuple[str, ...]:
    """``concept`` and everything more general than it, from the special to the general."""
    above = parent(concept)
    return (concept, *ancestors(above)) if above else (concept,)


@cache
def leaves(kind: str) -> tuple[str, ...]:
    """The most special nouns and sites of a kind, names left out; the kind itself where nothing is below it."""
    below = [noun for noun, entry in data()["nouns"].items() if entry.get("parent") == kind]
    below += list(data()["sites"]) if kind == SITE else []
    return tuple(leaf for child in below for leaf in leaves(child)) or (kind,)


@cache
def children(kind: str) -> tuple[str, ...]:
    """The nouns, names or cities directly below ``kind``."""
    of_people = [name for name, sex in names().items() if kind == {"f": "woman", "m": "man"}[sex]]
    below = [noun for noun, entry in data()["nouns"].items() if entry.get("parent") == kind]
    return (*below, *of_people, *(city for city, country in data()["cities"].items() if country == kind))


@cache
def describing(concept: str) -> tuple[str, ...]:
    """The adjectives that can be said of a concept."""
    kinds = ancestors(concept)
    fitting = [group["words"] for group in data()[WORD_SETS].values() if any(kind in kinds for kind in group["of"])]
    return tuple(word for words in fitting for word in words)


@cache
def noun(concept: str, language: str, sex: str = "m") -> NounForms:
    """The forms of a noun; ``sex`` chooses among two words for people."""
    written = data()["nouns"][concept][language].split(" | ")
    return _noun_forms(written["mf".index(sex)] if len(written) == 2 else written[0], language)


@cache
def site(concept: str, language: str) -> tuple[str, NounForms]:
    """The preposition or postposition of a site, and its noun."""
    preposition, _, written = data()["sites"][concept][language].partition(" ")
    return preposition, _noun_forms(written, language)


@cache
def verb(concept: str, language: str) -> VerbForms:
    """The forms of a verb; for Hindi the postposition of the object and the stem, twice."""
    written = data()["verbs"][concept][language]
    if language == "hi":
        postposition, _, stem = written.rpartition(" | ")
        return VerbForms(stem, stem, postposition)
    forms, _, preposition = written.partition(" + ")
    singular, plural = forms.split("/")
    return VerbForms(singular, plural, preposition)


def _noun_forms(written: str, language: str) -> NounForms:
    """Read "GENDER SINGULAR/PLURAL/OBLIQUE", where all but the singular may be missing."""
    gender, _, words = ("", "", written) if language == "en" else written.partition(" ")
    singular, *rest = words.split("/")
    plural = rest[0] if rest else _plural(singular, language)
    return NounForms(gender, singular, plural, rest[1] if len(rest) > 1 else singular)


def _plural(singular: str, language: str) -> str:
    """The regular plural."""
    if language == "es":
        return singular + ("s" if singular[-1] in grammar(language)["vowels"] else "es")
    return singular + ("s" if language in ("en", "fr") else "")
