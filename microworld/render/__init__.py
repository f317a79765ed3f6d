"""Rendering: a frame as the tokens of a sentence, and as text. One module per language."""

from collections.abc import Callable, Sequence

from microworld import lexicon
from microworld.lexicon import Frame
from microworld.render import english, french, german, hindi, spanish
from xlm_core.errors import ConfigError

SENTENCE: dict[str, Callable[[Frame], list[str]]] = {
    module.LANGUAGE: module.sentence for module in (english, french, german, hindi, spanish)
}


def tokens(frame: Frame, language: str) -> list[str]:
    """Return the tokens of a frame, the first letter a capital, the full stop a token."""
    return capitalized(SENTENCE[language](frame))


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
        if language not in SENTENCE or language not in lexicon.GRAMMARS:
            raise ConfigError(
                f"microworld: no grammar for language '{language}'; it speaks {', '.join(sorted(SENTENCE))}. "
                "Generate one of these, or add the language to the lexicon with a grammar"
            )
