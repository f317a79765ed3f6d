"""Frames, which say what a sentence means in no language, and the lexicon of the concepts that they are made of.

The data are ``lexicon.yaml`` and ``grammar.<language>.yaml`` beside this file.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

FOLDER = Path(__file__).parent
BE = "be"  # the verb of "is big", "is in Berlin" and "is an animal"
SITE = "site"  # the kind of every site
BY_SEX = {"f": "woman", "m": "man"}


def _load(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


_LEXICON: dict[str, Any] = _load("lexicon.yaml")
CITIES: dict[str, str] = _LEXICON["cities"]  # city -> its country
COUNTRIES: dict[str, dict[str, str]] = _LEXICON["countries"]
SITES: dict[str, dict[str, str]] = _LEXICON["sites"]
NOUNS: dict[str, dict[str, str]] = _LEXICON["nouns"]
VERBS: dict[str, dict[str, Any]] = _LEXICON["verbs"]
NAMES: dict[str, str] = {name: sex for sex, names in _LEXICON["names"].items() for name in names}
_SETS: dict[str, dict[str, Any]] = _LEXICON["adjectives"]
ADJECTIVES: dict[str, dict[str, str]] = {
    word: forms for group in _SETS.values() for word, forms in group["words"].items()
}
ADJECTIVE_SETS: dict[str, str] = {word: name for name, group in _SETS.items() for word in group["words"]}
PARENTS: dict[str, str] = {
    **{noun: entry["parent"] for noun, entry in NOUNS.items() if "parent" in entry},
    **{name: BY_SEX[sex] for name, sex in NAMES.items()},
    **CITIES,
    **dict.fromkeys(SITES, SITE),
}  # name, noun or location -> the next more general concept
GRAMMARS: dict[str, dict[str, Any]] = {
    path.name.split(".")[1]: _load(path.name) for path in sorted(FOLDER.glob("grammar.*.yaml"))
}  # language -> its tables


class Noun(NamedTuple):
    """A name or a noun with its modifiers."""

    concept: str
    plural: bool = False
    number: int | None = None  # only of a plural
    adjective: str | None = None
    definite: bool = True
    sex: str = "m"  # of people whose word does not show it

    def count_words(self) -> tuple[str, ...]:
        """Return the number before the noun, if it has one."""
        return () if self.number is None else (str(self.number),)


class Frame(NamedTuple):
    """One simple sentence in the present.

    With the verb ``BE`` it says what the subject is like (``adjective``), what it is (``object``) or where it is
    (``location``).
    """

    subject: Noun
    verb: str
    object: Noun | None = None
    adjective: str | None = None
    location: str | None = None  # a city, a country or a site
    negated: bool = False


@dataclass(frozen=True)
class Forms:
    """The singular and the plural of a noun or a verb in one language."""

    singular: str
    plural: str

    def agreeing(self, noun: Noun) -> str:
        """Return the form in the number of ``noun``."""
        return self.plural if noun.plural else self.singular


@dataclass(frozen=True)
class NounForms(Forms):
    """A noun; ``oblique`` is the singular after prepositions where it differs."""

    gender: str
    oblique: str


@dataclass(frozen=True)
class VerbForms(Forms):
    """A verb in the third person, and the preposition of its object."""

    preposition: str = ""


@cache
def ancestors(concept: str) -> tuple[str, ...]:
    """Return ``concept`` and everything more general than it, from the special to the general."""
    parent = PARENTS.get(concept)
    return (concept, *ancestors(parent)) if parent else (concept,)


@cache
def children(kind: str) -> tuple[str, ...]:
    """Return the nouns, names, cities or sites directly below ``kind``."""
    return tuple(concept for concept, parent in PARENTS.items() if parent == kind)


@cache
def leaves(kind: str) -> tuple[str, ...]:
    """Return the most special nouns and sites of a kind, without names; the kind itself where nothing is below it."""
    return tuple(leaf for child in children(kind) if child not in NAMES for leaf in leaves(child)) or (kind,)


@cache
def adjectives_of(concept: str) -> tuple[str, ...]:
    """Return the adjectives that can describe a concept."""
    kinds = ancestors(concept)
    return tuple(word for group in _SETS.values() if set(group["of"]) & set(kinds) for word in group["words"])


def is_person(concept: str) -> bool:
    """Return whether the concept is a person."""
    return "person" in ancestors(concept)


def is_profession(noun: Noun) -> bool:
    """Return whether the noun has a form for either sex, as the words for professions do."""
    return is_person(noun.concept) and noun.concept not in ("person", "man", "woman")


@cache
def noun_forms(noun: Noun, language: str) -> NounForms:
    """Return the forms of a noun or a site; the sex chooses among two words for people."""
    if noun.concept in SITES:
        return site_forms(noun.concept, language)[1]
    words = NOUNS[noun.concept][language].split(" | ")
    return _parse_noun(words["mf".index(noun.sex)] if len(words) == 2 else words[0], language)


@cache
def site_forms(concept: str, language: str) -> tuple[str, NounForms]:
    """Return the preposition or postposition of a site, and its noun."""
    preposition, _, noun = SITES[concept][language].partition(" ")
    return preposition, _parse_noun(noun, language)


@cache
def verb_forms(concept: str, language: str) -> VerbForms:
    """Return the forms of a verb; for Hindi the postposition of the object and the stem, twice."""
    if concept == BE:
        return VerbForms(**GRAMMARS[language]["be"])
    entry = VERBS[concept][language]
    if language == "hi":
        postposition, _, stem = entry.rpartition(" | ")
        return VerbForms(stem, stem, postposition)
    forms, _, preposition = entry.partition(" + ")
    singular, plural = forms.split("/")
    return VerbForms(singular, plural, preposition)


@cache
def adjective_forms(concept: str, language: str) -> list[str]:
    """Return the forms of an adjective, in the order of the lexicon, without the sign of its place or its copula."""
    return ADJECTIVES[concept][language].removeprefix("pre ").removeprefix("estar ").split("/")


def gender(noun: Noun, language: str) -> str:
    """Return the grammatical gender."""
    return NAMES[noun.concept] if noun.concept in NAMES else noun_forms(noun, language).gender


def _parse_noun(entry: str, language: str) -> NounForms:
    """Read "GENDER SINGULAR/PLURAL/OBLIQUE", where all but the singular may be missing."""
    gender, _, words = ("", "", entry) if language == "en" else entry.partition(" ")
    singular, *rest = words.split("/")
    plural = rest[0] if rest else _regular_plural(singular, language)
    return NounForms(singular, plural, gender, oblique=rest[1] if len(rest) > 1 else singular)


def _regular_plural(singular: str, language: str) -> str:
    if language == "es":
        return singular + ("s" if singular[-1] in GRAMMARS[language]["vowels"] else "es")
    return singular + ("s" if language in ("en", "fr") else "")
