"""What a reader sees of the templates of Wikipedia, and what wikis call their namespaces; see ``conventions.yaml``."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache, cached_property
from importlib import resources
from typing import Any, Self

import yaml

from xlm_core.languages import base_language

MARKUP, PROTECTED = "'[]{}<>_|&", "\x01\x02\x03\x04\x05\x06\x07\x08\x11\x12"
BRACKETS, PROTECTED_BRACKETS = "()（）", "\x14\x15\x16\x17"  # what stands in them is removed where it is not known
PROTECT, PROTECT_BRACKETS = str.maketrans(MARKUP, PROTECTED), str.maketrans(BRACKETS, PROTECTED_BRACKETS)
UNPROTECT = str.maketrans(PROTECTED + PROTECTED_BRACKETS, MARKUP + BRACKETS)
REMOVED = "\x0e"  # stands for something that is not of the text: a note, a pronunciation, a missing argument
ARGUMENT = re.compile(r"\{([-\w|]+)\}")  # one, or the first of several that is there
CONNECTIONS = {"-", "–", "to", "and", "or", "by", "x", "±", "+/-"}  # of two numbers in a measure
SCALES = {"e3": "thousand", "e6": "million", "e9": "billion"}
UNITS = {"sqmi": "sq mi", "sqft": "sq ft", "sqkm": "km²", "km2": "km²", "m2": "m²", "m3": "m³", "C": "°C", "F": "°F"}
SMALL_UNITS = {"in", "ft", "oz", "lb", "st", "min"}  # that a number of a larger one has behind it
THOUSANDS = {".": "de es it pt nl tr id da el ro hr sl sr", "\u00a0": "fr ru uk pl cs sk bg fi sv no nb hu lt lv et"}


def protect(text: str) -> str:
    """Exchange the characters of markup for control characters, so that a text is not taken for markup."""
    return text.translate(PROTECT)


def protect_brackets(text: str) -> str:
    """Exchange round brackets as well, so that what a writer put into them stays."""
    return text.translate(PROTECT_BRACKETS)


def unprotect(text: str) -> str:
    """Exchange them back."""
    return text.translate(UNPROTECT)


@dataclass(frozen=True)
class Wiki:
    """The language of a wiki, and names of its namespaces, in lower case.

    hidden      those whose links show no text: files and categories
    namespaces  all but the articles'
    """

    language: str
    hidden: frozenset[str]
    namespaces: frozenset[str]

    def with_namespace(self, name: str, *, is_hidden: bool) -> Self:
        """Add a namespace."""
        names = {name.lower()}
        return replace(
            self, namespaces=self.namespaces | names, hidden=self.hidden | names if is_hidden else self.hidden
        )

    @cached_property
    def _forms(self) -> Mapping[str, str]:
        """Template, or a pattern of templates with a star -> its visible text."""
        conventions = _conventions()
        return {**conventions["visible"], **conventions["languages"].get(self.language, {})}

    def visible_form(self, template: str, arguments: Mapping[str, str]) -> str | None:
        """Return the visible text of a template, with the names of arguments in braces; None where it is not known.

        It is empty where a template, or one with these arguments, shows nothing in the running text.
        """
        name = " ".join(template.replace("_", " ").split()).lower()
        if _conventions()["invisible_with"].get(name, {}).items() & arguments.items():
            return ""
        if name in self._forms:
            return self._forms[name]
        if _is_invisible(name):
            return ""
        return next((form for known, form in self._forms.items() if "*" in known and fnmatchcase(name, known)), None)


@cache
def _conventions() -> Any:
    """Read ``conventions.yaml``."""
    return yaml.safe_load(resources.files(__package__).joinpath("conventions.yaml").read_text(encoding="utf-8"))


def wiki_of(language: str) -> Wiki:
    """Return what is known of the wikis of a language."""
    conventions = _conventions()
    hidden = frozenset((*conventions["files"], *conventions["categories"]))
    return Wiki(base_language(language), hidden, hidden | frozenset(conventions["namespaces"]))


def _is_invisible(name: str) -> bool:
    """Return whether a template, by its name in lower case, shows nothing in the running text."""
    known = _conventions()["invisible"]
    return name in known or any("*" in pattern and fnmatchcase(name, pattern) for pattern in known)


def fill(form: str, arguments: Mapping[str, str], language: str) -> str | None:
    """Put arguments into the visible text of a template, which is protected; None where the first one is missing.

    Another one that is missing leaves a mark, by which the brackets and commas around it go, too.
    """
    positional = [text for name, text in arguments.items() if name.isdigit()]
    first = arguments.get("1", "")
    texts = {
        **arguments,
        "-1": positional[-1] if positional else "",
        "number": _group_digits(first, language),
        "measure": _measure(positional),
    }
    literal, *rest = ARGUMENT.split(form)
    filled = protect(literal)
    for number, (names, literal) in enumerate(zip(rest[::2], rest[1::2], strict=True)):
        text = next((texts[name] for name in names.split("|") if texts.get(name)), None)
        if text is None and not number:
            return None
        filled += (text or REMOVED) + protect(literal)
    return filled if form != form.strip() else filled.strip(f" {REMOVED}")


def _group_digits(number: str, language: str) -> str:
    """Write the digits of a number in groups of three, as the language does."""
    if not number.isascii() or not number.lstrip("+-").replace(".", "", 1).isdigit():
        return number
    whole, point, fraction = number.partition(".")
    separator = next((mark for mark, languages in THOUSANDS.items() if language in languages.split()), ",")
    decimal = "." if separator == "," else ","
    digits = f"{int(whole):,}".replace(",", separator)
    return f"{digits}{decimal if point else ''}{fraction}"


def _measure(arguments: list[str]) -> str:
    """Write the arguments of a conversion in the first unit, without the others: 10, to, 20, km; 6, ft, 4, in."""
    words, remaining = arguments[:1], arguments[1:]
    while remaining and remaining[0] in CONNECTIONS:
        words, remaining = [*words, *remaining[:2]], remaining[2:]
    while remaining:
        scale, unit = re.fullmatch(r"(e[369])?(.*)", remaining[0]).groups()  # type: ignore[union-attr]
        words += [SCALES[scale]] if scale else []
        words.append(UNITS.get(unit, unit))
        is_mixed = len(remaining) > 2 and remaining[1].isdigit() and remaining[2] in SMALL_UNITS
        words, remaining = ([*words, remaining[1]], remaining[2:]) if is_mixed else (words, [])
    return " ".join(words)
