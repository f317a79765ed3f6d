"""Frames: what a sentence says, before any language says it."""

from typing import NamedTuple

BE = "be"  # the verb of "is big", "is in Berlin" and "is an animal"


class Noun(NamedTuple):
    """Who or what: a name or a noun with what is said along with it."""

    concept: str
    plural: bool = False
    count: int | None = None  # only of a plural
    adjective: str | None = None
    definite: bool = True
    sex: str = "m"  # of people whose word does not tell it


class Frame(NamedTuple):
    """One simple sentence in the present.

    With the verb ``BE`` it says what the subject is like (``adjective``), what it is (``object``) or where (``place``).
    """

    subject: Noun
    verb: str
    object: Noun | None = None
    adjective: str | None = None
    place: str | None = None  # a city, a country or a site
    negated: bool = False
