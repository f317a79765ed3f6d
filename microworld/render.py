"""Rendering: a frame as the tokens of a sentence, and as text, in English, French, Spanish, German and Hindi."""

from collections.abc import Sequence

from microworld import lexicon
from microworld.grammar import Grammar, Words, denies_object
from microworld.lexicon import BE, Frame, Noun
from xlm_core.errors import ConfigError


class English(Grammar):
    """Subject, verb, object, location; "do" carries the negation of every verb but "be"."""

    language = "en"

    def auxiliary(self, frame: Frame) -> tuple[str, Words]:
        """Return the verb that carries negations and begins questions, and the rest: "does" and "buy", or "is"."""
        if frame.verb == BE:
            return self._finite_verb(frame), ()
        auxiliary = self.tables["do"]["plural" if frame.subject.plural else "singular"]
        return auxiliary, (lexicon.verb_forms(frame.verb, self.language).plural,)

    def _verb(self, frame: Frame) -> Words:
        auxiliary, stem = self.auxiliary(frame)
        return (auxiliary, self.tables["negation"], *stem) if frame.negated else (self._finite_verb(frame),)

    def _complement(self, frame: Frame) -> Words:
        """Return the preposition of the verb, which questions for the object have as well, and the complement."""
        return (*lexicon.verb_forms(frame.verb, self.language).preposition.split(), *super()._complement(frame))

    def _object(self, frame: Frame, noun: Noun) -> Words:
        return self.noun_phrase(noun)

    def _article(self, noun: Noun, case: str, next_word: str) -> Words:
        if noun.definite:
            return (self.tables["definite"],)
        sound = "vowel" if next_word[0] in self.tables["vowels"] else "consonant"
        return () if noun.plural else (self.tables["indefinite"][sound],)


class Romance(Grammar):
    """What French and Spanish have in common: adjectives in four forms, most of them after the noun."""

    def _adjective(self, adjective: str, noun: Noun, case: str) -> Words:
        is_feminine = lexicon.gender(noun, self.language) == "f"
        return tuple(lexicon.adjective_forms(adjective, self.language)[2 * noun.plural + is_feminine].split())

    def _described_noun(self, noun: Noun, case: str) -> Words:
        adjective = self._adjective(noun.adjective, noun, case) if noun.adjective else ()
        return (*noun.count_words(), self._inflected(noun, case), *adjective)


class French(Romance):
    """Subject, ne, verb, pas, object, location; elision and contraction join neighbors."""

    language = "fr"

    def _verb(self, frame: Frame) -> Words:
        finite, negation = self._finite_verb(frame), self.tables["negation"]
        before = negation["elided" if self._is_elided_before(finite) else "before"]
        return (before, finite, negation["after"]) if frame.negated else (finite,)

    def _is_elided_before(self, word: str) -> bool:
        """Return whether a word before this one is elided."""
        return word[0].lower() in self.tables["vowels"]

    def _object(self, frame: Frame, noun: Noun) -> Words:
        """Return the object, with "pas de" in place of an indefinite article."""
        preposition = lexicon.verb_forms(frame.verb, self.language).preposition
        if preposition:
            return self._prepositional(preposition, self.noun_phrase(noun))
        if frame.verb != BE and denies_object(frame, noun):
            return self._prepositional("de", self.noun_phrase(noun)[1:])
        return super()._object(frame, noun)

    def _prepositional(self, preposition: str, phrase: Words) -> Words:
        """Return a preposition and a phrase: contracted with an article, elided before a vowel."""
        partitive = self.tables["partitive"]
        if preposition == partitive["full"] and phrase[0] in (self.tables["indefinite"]["plural"], *partitive.values()):
            phrase = phrase[1:]  # "de des chiens" is "de chiens"
        if preposition == partitive["full"] and self._is_elided_before(phrase[0]):
            return (partitive["elided"], *phrase)
        return super()._prepositional(preposition, phrase)

    def _described_noun(self, noun: Noun, case: str) -> Words:
        """Return number, adjective before the noun, noun, adjective after it."""
        if not _precedes_noun(noun):
            return super()._described_noun(noun, case)
        return Grammar._described_noun(self, noun, case)

    def _article(self, noun: Noun, case: str, next_word: str) -> Words:
        form = "plural" if noun.plural else lexicon.gender(noun, self.language)
        if noun.definite:
            is_elided = not noun.plural and self._is_elided_before(next_word)
            return (self.tables["definite"]["elided" if is_elided else form],)
        if noun.number is not None:
            return ()
        return (
            self.tables["partitive"]["full"]
            if noun.plural and _precedes_noun(noun)
            else self.tables["indefinite"][form],
        )


def _precedes_noun(noun: Noun) -> bool:
    """Return whether the noun has an adjective that French puts before it."""
    return bool(noun.adjective) and lexicon.ADJECTIVES[str(noun.adjective)]["fr"].startswith("pre ")


class Spanish(Romance):
    """Subject, no, verb, object, location; two copulas, and "a" before people."""

    language = "es"

    def _finite_verb(self, frame: Frame) -> str:
        """Return the verb; of "be" the form of "estar" for locations and states, of "ser" for everything else."""
        is_state = frame.adjective and lexicon.ADJECTIVES[frame.adjective][self.language].startswith("estar ")
        if frame.verb == BE and (frame.location or is_state):
            return str(self.tables["estar"]["plural" if frame.subject.plural else "singular"])
        return super()._finite_verb(frame)

    def _object(self, frame: Frame, noun: Noun) -> Words:
        """Return the object with its preposition, which people always have."""
        preposition = lexicon.verb_forms(frame.verb, self.language).preposition
        if frame.verb != BE and lexicon.is_person(noun.concept):
            preposition = preposition or self.tables["personal"]
        return self._prepositional(preposition, self.noun_phrase(noun)) if preposition else super()._object(frame, noun)

    def _article(self, noun: Noun, case: str, next_word: str) -> Words:
        gender = lexicon.gender(noun, self.language)
        if noun.definite:
            return (self.tables["definite"][gender + " plural" * noun.plural],)
        return () if noun.plural else (self.tables["indefinite"][gender],)


class German(Grammar):
    """The verb second, cases, and two negations: "kein" before an indefinite object, else "nicht"."""

    language = "de"

    def _verb(self, frame: Frame) -> Words:
        return (self._finite_verb(frame),)

    def _complement(self, frame: Frame) -> Words:
        """Return negation and predicate, or object and negation in their order."""
        nicht = [self.tables["negation"]] * frame.negated
        noun, preposition = frame.object, lexicon.verb_forms(frame.verb, self.language).preposition
        if noun is None:
            return (*nicht, *(lexicon.adjective_forms(frame.adjective, self.language)[:1] if frame.adjective else ()))
        if preposition:
            return (*nicht, *self._prepositional(preposition, self.noun_phrase(noun, "dative")))
        if denies_object(frame, noun):
            return self._denied_object(frame, noun)
        phrase = self._object(frame, noun)
        has_number = noun.number is not None and not noun.definite  # "nicht 9 Kiwis"
        return (*nicht, *phrase) if has_number else (*phrase, *nicht)

    def _object(self, frame: Frame, noun: Noun) -> Words:
        return super()._object(frame, noun) if frame.verb == BE else self.noun_phrase(noun, "accusative")

    def _denied_object(self, frame: Frame, noun: Noun) -> Words:
        """Return an object with "kein", after which adjectives end in the plural as after "die"."""
        case = "nominative" if frame.verb == BE else "accusative"
        article, *words = self.noun_phrase(noun._replace(definite=noun.plural), case)
        negative = self.tables["negative"]
        return (negative["plural"] if noun.plural else negative["prefix"] + article, *words)

    def _adjective(self, adjective: str, noun: Noun, case: str) -> Words:
        declension = "definite" if noun.definite else "bare" if noun.plural else "indefinite"
        ending = self.tables["endings"][declension][case][self._column(noun)]
        return (lexicon.adjective_forms(adjective, self.language)[-1] + ending,)

    def _article(self, noun: Noun, case: str, next_word: str) -> Words:
        if noun.plural and not noun.definite:
            return ()
        return (self.tables["definite" if noun.definite else "indefinite"][case][self._column(noun)],)

    def _column(self, noun: Noun) -> str:
        """Return the column of the tables: the gender, or "p" of a plural."""
        return "p" if noun.plural else lexicon.gender(noun, self.language)

    def _inflected(self, noun: Noun, case: str) -> str:
        """Return the noun: weak nouns end in -en outside the nominative, dative plurals in -n."""
        forms = lexicon.noun_forms(noun, self.language)
        if noun.plural:
            return forms.plural + ("n" if case == "dative" and forms.plural[-1] not in "ns" else "")
        return forms.singular if case == "nominative" else forms.oblique


class Hindi(Grammar):
    """Subject, location, object, negation, verb in the present habitual; postpositions take the oblique case.

    The oblique is called "dative" here. Names, cities and digits stay in the Latin script: they are what this distant
    language shares with the others.
    """

    language = "hi"

    def sentence(self, frame: Frame) -> list[str]:
        """Return the words of a frame, the verb last."""
        subject, verb, complement, location = self.clause(frame)
        return [*subject, *location, *complement, *verb, self.tables["end"]]

    def _verb(self, frame: Frame) -> Words:
        nahin = [self.tables["negation"]] * frame.negated
        be = lexicon.verb_forms(BE, self.language).agreeing(frame.subject)
        if frame.verb == BE:
            return (*nahin, be)
        *before, stem = self._finite_verb(frame).split()
        return (*before, *nahin, stem + self._ending("habitual", frame.subject, "nominative"), be)

    def _ending(self, table: str, noun: Noun, case: str) -> str:
        """Return the ending of a verb or an adjective; the oblique masculine has the ending of the plural."""
        gender = lexicon.gender(noun, self.language)
        is_masculine_plural = gender == "m" and (noun.plural or case == "dative")
        return str(self.tables[table]["m plural" if is_masculine_plural else gender])

    def _adjective(self, adjective: str, noun: Noun, case: str) -> Words:
        """Return an adjective in the form of its noun; only those in -ā decline."""
        (word,) = super()._adjective(adjective, noun, case)
        stem = word.removesuffix(self.tables["adjective"]["m"])
        return (word if stem == word else stem + self._ending("adjective", noun, case),)

    def _object(self, frame: Frame, noun: Noun) -> Words:
        """Return the object: oblique before a postposition, else direct; after "be" without one before a profession.

        People, and animals mentioned before, always have a postposition.
        """
        if frame.verb == BE:
            return self.noun_phrase(noun)[1:] if frame.negated else super()._object(frame, noun)
        kinds = lexicon.ancestors(noun.concept)
        postposition = lexicon.verb_forms(frame.verb, self.language).preposition
        if not postposition and ("person" in kinds or ("animal" in kinds and noun.definite)):
            postposition = self.tables["object"]
        phrase = self.noun_phrase(noun, "dative" if postposition or lexicon.SITE in kinds else "nominative")
        if denies_object(frame, noun) and not noun.plural:
            phrase = phrase[1:]  # "does not buy a car" has no "one"
        return (*phrase, *postposition.split())

    def _article(self, noun: Noun, case: str, next_word: str) -> Words:
        """Return "one"; there is no definite article."""
        return () if noun.definite or noun.plural else (self.tables["indefinite"],)

    def _inflected(self, noun: Noun, case: str) -> str:
        forms = lexicon.noun_forms(noun, self.language)
        if case != "dative":
            return forms.agreeing(noun)
        if noun.plural:
            for ending, replacement in self.tables["oblique"]:
                if forms.plural.endswith(ending):
                    return forms.plural.removesuffix(ending) + str(replacement)
        declines = forms.gender == "m" and forms.singular != forms.plural
        return forms.plural if declines else forms.singular

    def _prepositional(self, preposition: str, phrase: Words) -> Words:
        return (*phrase, preposition)


ENGLISH = English()
GRAMMARS = {grammar.language: grammar for grammar in (ENGLISH, French(), German(), Hindi(), Spanish())}


def tokens(frame: Frame, language: str) -> list[str]:
    """Return the tokens of a frame, the first letter a capital, the full stop a token."""
    return capitalized(GRAMMARS[language].sentence(frame))


def text(frame: Frame, language: str) -> str:
    """Return a frame as people write it: no blank after an apostrophe, nor before a full stop."""
    return detokenized(tokens(frame, language))


def capitalized(words: Sequence[str]) -> list[str]:
    """Return the words of a sentence, the first letter a capital."""
    first, *others = words
    return [first[0].upper() + first[1:], *others]


def detokenized(words: Sequence[str]) -> str:
    """Return tokens, the last of them a full stop, as people write them."""
    *others, end = words
    return " ".join(others).replace("' ", "'") + end


def check_languages(languages: Sequence[str]) -> None:
    """Refuse a language that has no grammar.

    Raises:
        ConfigError: names the language and those that have a grammar.
    """
    for language in languages:
        if language not in GRAMMARS:
            raise ConfigError(
                f"microworld: no grammar for language '{language}'; it speaks {', '.join(sorted(GRAMMARS))}. "
                "Generate one of these, or add the language to the lexicon with a grammar"
            )
