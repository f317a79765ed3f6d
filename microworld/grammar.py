"""Grammar: the parts of a sentence, and how most languages form them."""

from abc import ABC, abstractmethod
from functools import cache
from typing import Any, NamedTuple

from microworld import lexicon
from microworld.lexicon import BE, Frame, Noun

Words = tuple[str, ...]


class Clause(NamedTuple):
    """The words of a frame: who, the verb with its negation, the object or the predicate, and where."""

    subject: Words
    verb: Words
    complement: Words
    location: Words

    def words(self) -> list[str]:
        """Return all words, part by part."""
        return [word for part in self for word in part]


class Grammar(ABC):
    """What the languages have in common; each is a subclass. Cases are "nominative", "accusative" and "dative"."""

    language: str

    def __init__(self) -> None:
        self.tables: dict[str, Any] = lexicon.GRAMMARS[self.language]
        self.noun_phrase = cache(self._noun_phrase)
        self._location = cache(self._location_phrase)

    def sentence(self, frame: Frame) -> list[str]:
        """Return the words of a frame and a full stop."""
        return [*self.clause(frame).words(), self.tables["end"]]

    def clause(self, frame: Frame) -> Clause:
        """Return the words of a frame, part by part."""
        location = self._location(frame.location) if frame.location else ()
        return Clause(self.noun_phrase(frame.subject), self._verb(frame), self._complement(frame), location)

    def _verb(self, frame: Frame) -> Words:
        """Return the verb after its negation."""
        return (*[self.tables["negation"]] * frame.negated, self._finite_verb(frame))

    def _finite_verb(self, frame: Frame) -> str:
        """Return the verb in the number of the subject."""
        return lexicon.verb_forms(frame.verb, self.language).agreeing(frame.subject)

    def _complement(self, frame: Frame) -> Words:
        """Return what the subject is like, or the object."""
        if frame.adjective:
            return self._adjective(frame.adjective, frame.subject, "nominative")
        return self._object(frame, frame.object) if frame.object else ()

    def _object(self, frame: Frame, noun: Noun) -> Words:
        """Return the object of the verb; after "be" what the subject is, a profession without article."""
        phrase = self.noun_phrase(noun)
        return phrase[1:] if frame.verb == BE and lexicon.is_profession(noun) else phrase

    def _adjective(self, adjective: str, noun: Noun, case: str) -> Words:
        """Return an adjective in the form of its noun."""
        return (lexicon.adjective_forms(adjective, self.language)[0],)

    def _noun_phrase(self, noun: Noun, case: str = "nominative") -> Words:
        """Return a name, or article, number, adjective and noun."""
        if noun.concept in lexicon.NAMES:
            return (noun.concept,)
        words = self._described_noun(noun, case)
        return (*self._article(noun, case, words[0]), *words)

    @abstractmethod
    def _article(self, noun: Noun, case: str, next_word: str) -> Words:
        """Return the article that fits the word after it, or none."""

    def _described_noun(self, noun: Noun, case: str) -> Words:
        """Return number, adjective and noun."""
        adjective = self._adjective(noun.adjective, noun, case) if noun.adjective else ()
        return (*noun.count_words(), *adjective, *self._inflected(noun, case).split())

    def _inflected(self, noun: Noun, case: str) -> str:
        """Return the noun in its number and case."""
        return lexicon.noun_forms(noun, self.language).agreeing(noun)

    def _location_phrase(self, concept: str) -> Words:
        """Return where something happens."""
        if concept in lexicon.COUNTRIES:
            return tuple(lexicon.COUNTRIES[concept][self.language].split())
        if concept in lexicon.CITIES:
            return self._prepositional(self.tables["city"], (self.tables.get("spelling", {}).get(concept, concept),))
        preposition, _ = lexicon.site_forms(concept, self.language)
        return self._prepositional(preposition, self.noun_phrase(Noun(concept), "dative"))

    def _prepositional(self, preposition: str, phrase: Words) -> Words:
        """Return a preposition and a phrase, contracted with its article where the language does so."""
        contraction = self.tables.get("contracted", {}).get(f"{preposition} {phrase[0]}")
        return (contraction, *phrase[1:]) if contraction else (preposition, *phrase)


def denies_object(frame: Frame, noun: Noun) -> bool:
    """Return whether a negation is of an indefinite object without a number: "does not buy a car"."""
    return frame.negated and not noun.definite and noun.number is None and noun.concept not in lexicon.NAMES
