"""Rendering: a frame as the words of a sentence, and the words as text."""

from collections.abc import Callable, Sequence

from microworld import english, french, german, hindi, lexicon, spanish
from microworld.frames import Frame
from xlm_core.errors import ConfigError

SENTENCE: dict[str, Callable[[Frame], list[str]]] = {
    module.LANGUAGE: module.sentence for module in (english, french, german, hindi, spanish)
}


def words(frame: Frame, language: str) -> list[str]:
    """The tokens of a frame, the first letter a capital, the full stop a token of its own."""
    found = SENTENCE[language](frame)
    found[0] = found[0][0].upper() + found[0][1:]
    return found


def text(frame: Frame, language: str) -> str:
    """A frame as people write it: no blank after an apostrophe, nor before a full stop."""
    return written(words(frame, language))


def written(tokens: Sequence[str]) -> str:
    """Tokens, the last of them a full stop, as people write them."""
    *others, end = tokens
    return " ".join(others).replace("' ", "'") + end


def check_languages(languages: Sequence[str]) -> None:
    """Refuse a language that has no grammar.

    Raises:
        ConfigError: naming the language and those that there are.
    """
    for language in languages:
        if language not in SENTENCE or language not in lexicon.languages():
            raise ConfigError(
                f"microworld: no grammar for language '{language}'; it speaks {', '.join(sorted(SENTENCE))}. "
                "Generate one of these, or add the language to the lexicon with a grammar of its own"
            )
