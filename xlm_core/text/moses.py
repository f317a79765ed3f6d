"""The Moses chain: punctuation is unified, and text is cut into tokens.

The rules are today's, of Moses' Perl scripts ``replace-unicode-punctuation``, ``normalize-punctuation``,
``remove-non-printing-char`` and ``tokenizer``. The abbreviations come from sacremoses, whose Python port of the scripts
applies each rule to each line, and has a tenth of the speed (``python benchmarks/moses.py``). Here a rule runs where
its characters are in the line.

What belongs to a word differs from the scripts, unless they are asked for as published:

| characters | default | as published |
|---|---|---|
| marks that are not alphabetic, such as viramas and nuktas | part of the word | cut the word |
| zero-width space | ends a word | ends a word |
| other control, format and unassigned characters | vanish: a word with a joiner is one word | end a word |

sacremoses departs from the scripts in more. It lacks the colon inside Finnish and Swedish words, the middle dot and the
apostrophe of Catalan, the apostrophes of Irish, Somali and Tetum, and the rule that the last word of a line is no
abbreviation; a quotation mark and the comma or period beside it change places in four languages only, and not at
the end of a line; and its alphabet ends at U+FFFF.
"""

import re
from typing import NamedTuple

import regex
from sacremoses.corpus import NonbreakingPrefixes

Replacements = tuple[tuple[str, str], ...]

ZERO_WIDTH_SPACE = "\u200b"
NO_BREAK_SPACE = "\u00a0"
BLANKS = re.compile(" +")
UNPRINTABLE = regex.compile(r"\p{C}")

FULL_STOP = re.compile(r"[。．]\s*")
UNICODE_PUNCTUATION = str.maketrans(
    "，、”“∶：？《》）！（；」「～’━〈〉【】％０１２３４５６７８９", ',,""::?"")!(;""~\'-<>[]%0123456789', ""
) | {ord("…"): "..."}
QUOTES_AND_DASHES: Replacements = (("„", '"'), ("–", "-"), ("—", " - "), ("´", "'"), ("‘", "'"), ("‚", "'"))
SPACED_GUILLEMETS: Replacements = (
    ("\u00a0«\u00a0", '"'), ("«\u00a0", '"'), ("«", '"'), ("\u00a0»\u00a0", '"'), ("\u00a0»", '"'), ("»", '"'),
)  # fmt: skip
NO_BREAK_UNITS: Replacements = (
    ("\u00a0%", "%"), ("nº\u00a0", "nº "), ("\u00a0:", ":"), ("\u00a0ºC", " ºC"), ("\u00a0cm", " cm"),
    ("\u00a0?", "?"), ("\u00a0!", "!"), ("\u00a0;", ";"), (",\u00a0", ", "),
)  # fmt: skip
UNICODE_MARK = re.compile(f"[。．{re.escape(''.join(map(chr, UNICODE_PUNCTUATION)))}]")
SPECIAL = re.compile(f"{UNICODE_MARK.pattern[:-1]}«»\u00a0{''.join(mark for mark, _ in QUOTES_AND_DASHES)}]")
PARENTHESIS_AND_MARK = re.compile(r"\) ([.!:?;,])")
PERCENT = re.compile(r"(\d) %")
ENGLISH_QUOTE = re.compile(r'"([,.]+)')
OTHER_QUOTE = re.compile(r'(\.+)"(\s*(?:[^<]|$))')
NUMBER_WITH_BLANK = re.compile("(\\d)\u00a0(\\d)")
DECIMAL_COMMA = ("de", "es", "cs", "fr")  # languages

DOTS = re.compile(r"\.{2,}")
DOTS_MARK = re.compile("(?:DOT)+MULTI")
COMMA = regex.compile(r"(?<=\P{N}),|,(?=\P{N})|(?<=\p{N}),$")
NEAR_COMMAS = (  # the same where commas are neighbors: each takes a character with it
    (regex.compile(r"(\P{N}),"), r"\1 , "),
    (regex.compile(r",(\P{N})"), r" , \1"),
    (regex.compile(r"(\p{N}),$"), r"\1 , "),
)
SMALL_LETTER = regex.compile(r"\p{Lowercase}")
NUMERIC_ONLY = "#NUMERIC_ONLY#"
NEAR_APOSTROPHES = re.compile("'.?'")
INNER_MARK = {"fi": ":", "sv": ":", "ca": "·", "tdt": "'"}  # that words of a language may hold before a small letter
LEFT_CONTRACTIONS = ("fr", "it", "ga", "ca")  # l'été -> l' été
GLOTTALS = ("so", "tdt")  # an apostrophe between letters is a letter


class PunctuationNormalizer:
    """Unifies quotation marks, dashes and blanks, and removes what cannot be printed."""

    def __init__(self, language: str, *, published: bool) -> None:
        """Choose the rules of a language."""
        self.language = language
        self.unprintable = " " if published else ""
        self.number = r"\1,\2" if language in DECIMAL_COMMA else r"\1.\2"

    def __call__(self, line: str) -> str:
        """Return a line with normalized punctuation."""
        has_special = SPECIAL.search(line) is not None
        if has_special and UNICODE_MARK.search(line):
            line = FULL_STOP.sub(". ", line).translate(UNICODE_PUNCTUATION)
        line = _normalize_blanks(line)
        line = line.replace("`", "'").replace("''", ' " ')
        if has_special:
            line = _replace_all(line, QUOTES_AND_DASHES)
        line = _collapse(line).replace("''", '"')
        if has_special and ("«" in line or "»" in line):
            line = _replace_all(line, SPACED_GUILLEMETS)
        has_no_break_space = has_special and NO_BREAK_SPACE in line
        if has_no_break_space:
            line = _collapse(_replace_all(line, NO_BREAK_UNITS))
        if '"' in line:
            line = self._order_quotes(line)
        if has_no_break_space:
            line = NUMBER_WITH_BLANK.sub(self.number, line)
        if not line.isprintable():
            line = UNPRINTABLE.sub(self.unprintable, line.replace(ZERO_WIDTH_SPACE, " "))
        return line.strip()

    def _order_quotes(self, line: str) -> str:
        """Put commas and periods inside of quotations in English, and outside elsewhere."""
        if self.language == "en":
            return ENGLISH_QUOTE.sub(r'\1"', line)
        if self.language == "cs":
            return line
        return OTHER_QUOTE.sub(r'"\1\2', line.replace(',"', '",'))


def _normalize_blanks(line: str) -> str:
    """Set the blanks beside parentheses, colons, semicolons and percent signs."""
    line = line.replace("\r", "").replace("(", " (").replace(")", ") ")
    line = _collapse(line)
    if ")" in line or "(" in line:
        line = PARENTHESIS_AND_MARK.sub(r")\1", line).replace("( ", "(").replace(" )", ")")
    if " %" in line:
        line = PERCENT.sub(r"\1%", line)
    return line.replace(" :", ":").replace(" ;", ";")


def _collapse(line: str) -> str:
    """Make one blank of several."""
    return BLANKS.sub(" ", line) if "  " in line else line


def _replace_all(line: str, replacements: Replacements) -> str:
    """Replace texts one after the other."""
    for old, new in replacements:
        line = line.replace(old, new)
    return line


class ApostropheRule(NamedTuple):
    """What an apostrophe becomes between two characters; both are classes of ``regex``."""

    before: str
    after: str
    replacement: str


class MosesTokenizer:
    """Cuts lines of a language into tokens.

    A language without a list of abbreviations gets the English one, and one without rules for apostrophes has each of
    them as a token.
    """

    def __init__(self, language: str, *, published: bool) -> None:
        """Compile the rules of a language."""
        letters = r"\p{Alphabetic}" if published else r"\p{Alphabetic}\p{M}"
        inner = INNER_MARK.get(language, "")
        self.not_word = regex.compile(rf"([^{letters}\p{{Nd}}{inner}\s.'`,\-])")
        self.inner_mark, self.outer_mark = inner, regex.compile(rf"{inner}(?=$|\P{{Ll}})")
        rules = _apostrophe_rules(language, letters)
        self.apostrophes = [
            (regex.compile(f"'(?<={rule.before}')(?={rule.after})"), rule.replacement) for rule in rules
        ]
        self.near_apostrophes = [
            (regex.compile(f"({rule.before})'({rule.after})"), rf"\1{rule.replacement}\2") for rule in rules
        ]
        self.letter = regex.compile(f"[{letters}]")
        self.abbreviations, self.before_numbers = _abbreviations(language)

    def __call__(self, line: str) -> list[str]:
        """Return the tokens of a line, which has no control characters."""
        line = " ".join(self.not_word.split(line))
        if self.inner_mark and self.inner_mark in line:
            line = self.outer_mark.sub(f" {self.inner_mark} ", line)
        if ".." in line:
            line = DOTS.sub(_mark_dots, line)
        if "," in line:
            line = _cut_commas(line)
        if "'" in line:
            line = self._cut_apostrophes(line)
        tokens = line.split()
        if "." in line:
            tokens = " ".join(self._cut_periods(tokens)).split()
        if "DOTMULTI" in line:
            tokens = [DOTS_MARK.sub(_restore_dots, token) for token in tokens]
        return tokens

    def _cut_apostrophes(self, line: str) -> str:
        """Cut at apostrophes; each takes a character on either side, so one of two near apostrophes may stay."""
        if not self.apostrophes:
            return line.replace("'", " ' ")
        for pattern, replacement in self.near_apostrophes if NEAR_APOSTROPHES.search(line) else self.apostrophes:
            line = pattern.sub(replacement, line)
        return line

    def _cut_periods(self, tokens: list[str]) -> list[str]:
        """Cut off the periods that end sentences, not the periods of abbreviations."""
        last = len(tokens) - 1
        for i, token in enumerate(tokens):
            if (
                token[-1] == "."
                and len(token) > 1
                and (i == last or not self._is_abbreviation(token[:-1], tokens[i + 1]))
            ):
                tokens[i] = f"{token[:-1]} ."
        if tokens and tokens[-1].endswith(".'"):
            tokens[-1] = f"{tokens[-1][:-2]} . '"
        return tokens

    def _is_abbreviation(self, word: str, following: str) -> bool:
        """Return whether a period belongs to the word before it."""
        return bool(
            ("." in word and self.letter.search(word))
            or word in self.abbreviations
            or SMALL_LETTER.match(following)
            or (word in self.before_numbers and "0" <= following[0] <= "9")
        )


def _cut_commas(line: str) -> str:
    """Cut off commas but inside numbers."""
    if ",," not in line:
        return " , ".join(COMMA.split(line))
    for pattern, replacement in NEAR_COMMAS:
        line = pattern.sub(replacement, line)
    return line


def _apostrophe_rules(language: str, letters: str) -> list[ApostropheRule]:
    """Return the rules of a language, in their order; none: each apostrophe is a token."""
    letter, other = f"[{letters}]", f"[^{letters}]"
    apart = [ApostropheRule(*sides, " ' ") for sides in ((other, other), (other, letter), (letter, other))]
    if language == "en":
        apart[1] = ApostropheRule(rf"[^{letters}\p{{N}}]", letter, " ' ")
        return [*apart, ApostropheRule(letter, letter, " '"), ApostropheRule(r"\p{N}", "s", " '")]
    if language in LEFT_CONTRACTIONS:
        return [*apart, ApostropheRule(letter, letter, "' ")]
    return apart if language in GLOTTALS else []


def _abbreviations(language: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the abbreviations of a language, and those that are some only before a number."""
    words = set(NonbreakingPrefixes().words(language))
    numeric = {word for word in words if NUMERIC_ONLY in word}
    return frozenset(words - numeric), frozenset(word.rpartition(" ")[0] for word in numeric)


def _mark_dots(match: re.Match[str]) -> str:
    """Write several dots as a word, which no rule cuts."""
    mark = f" {'DOT' * len(match[0])}MULTI"
    return f"{mark} " if match.end() < len(match.string) else mark


def _restore_dots(match: re.Match[str]) -> str:
    return "." * ((len(match[0]) - len("MULTI")) // len("DOT"))
