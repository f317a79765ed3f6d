"""What the settings of text do to languages that are not written like Europe's, and what these need."""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

from xlm_core.errors import ConfigError
from xlm_core.languages import CHARACTERS_PER_WORD, NAMES, base_language

if TYPE_CHECKING:
    from xlm_core.config.configuration import Config

SEGMENTERS = {"zh": "jieba", "th": "pythainlp"}  # language -> package that cuts its words
# Language -> what the removal of combining marks takes from its text.
LOST_MARKS = {
    "bo": "vowel signs and subjoined letters", "dz": "vowel signs and subjoined letters",
    "ja": "the marks that voice kana (が becomes か)", "km": "vowel signs and the sign of subscripts",
    "ko": "the form of syllables, which stay decomposed into letters", "lo": "vowel signs and tone marks",
    "my": "vowel signs and tone marks", "th": "vowel signs and tone marks",
}  # fmt: skip


def language_warnings(config: "Config") -> list[str]:
    """Return a line for each thing that the settings of a setup do to one of its languages, with the key to change."""
    return list(dict.fromkeys(_warnings(config)))


def _warnings(config: "Config") -> Iterator[str]:
    for setup in config.all_setups.values():
        for code in setup.languages if setup.text.tokenization == "moses" else ():
            language = base_language(code)
            name = f"language '{code}'"
            if setup.text.strip_accents and language in LOST_MARKS:
                yield f"{name}: text.strip_accents removes {LOST_MARKS[language]}; set it to false to keep them"
            if (per_word := CHARACTERS_PER_WORD.get(language)) and not _is_tokenized(config, setup.monolingual[code]):
                yield (
                    f"{name}: nothing cuts its words, which have no blanks between them; text.min_words, max_words "
                    f"and max_ratio count {per_word} characters as one. A corpus with blanks between its words has "
                    "'tokenized: true'"
                )


def _is_tokenized(config: "Config", corpora: list[str]) -> bool:
    """Return whether all corpora need no tokenization."""
    return all(config.corpora[name].tokenized or config.corpora[name].format == "store" for name in corpora)


def check_segmenters(config: "Config") -> None:
    """Refuse languages whose words are cut by a package that is not installed here.

    Raises:
        ConfigError: one line per language.
    """
    cut = {
        code
        for setup in config.all_setups.values()
        for code in setup.languages
        if setup.text.tokenization != "none"
        and base_language(code) in SEGMENTERS
        and not _is_tokenized(config, setup.monolingual[code])
    }
    lines = [
        f"language '{code}' ({NAMES[base_language(code)]}): its words are cut by the package {package}, which is not "
        "installed; install it with: pip install -e '.[segmentation]'"
        for code, package in ((code, SEGMENTERS[base_language(code)]) for code in sorted(cut))
        if find_spec(package) is None
    ]
    if lines:
        raise ConfigError("\n".join(lines))
