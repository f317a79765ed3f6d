"""Byte-pair codes and a vocabulary in the published format, learned here from the microworld's five languages."""

import gzip
from collections import Counter
from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import microworld
from xlm_core.config import GeneratedFile, Microworld
from xlm_core.text.tokenize import lower_and_strip, segmenter

LANGUAGES = ("de", "en", "es", "fr", "hi")
N_LINES = 2000  # of each language
N_MERGES = 300


@cache
def lines() -> dict[str, list[str]]:
    """Tokenized lines of each language."""
    world = Microworld(documents=dict.fromkeys(LANGUAGES, N_LINES), nli_train=1, nli_valid=1, nli_test=1)
    with TemporaryDirectory() as folder:
        paths = {language: Path(folder) / language for language in LANGUAGES}
        microworld.write(world, [], {GeneratedFile("documents", language): path for language, path in paths.items()})
        raw = {language: gzip.decompress(path.read_bytes()).decode().splitlines() for language, path in paths.items()}
    return {language: [tokenized(line, language) for line in texts] for language, texts in raw.items()}


def tokenized(line: str, language: str) -> str:
    return lower_and_strip(" ".join(segmenter(language, True)(line)), lowercase=True, strip_accents=False)


@cache
def learned() -> tuple[str, str]:
    """The files "codes" and "vocab": the most frequent pair is merged, again and again."""
    counts = Counter(word for texts in lines().values() for line in texts for word in line.split(" "))
    words = {word: (*word[:-1], word[-1] + "</w>") for word in counts}
    codes = []
    for _ in range(N_MERGES):
        pairs: Counter[tuple[str, str]] = Counter()
        for word, symbols in words.items():
            for pair in pairwise(symbols):
                pairs[pair] += counts[word]
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        codes.append(f"{best[0]} {best[1]} {pairs[best]}\n")
        words = {word: merge(symbols, best) for word, symbols in words.items()}
    pieces: Counter[str] = Counter()
    for word, symbols in words.items():
        for symbol in symbols:
            pieces[symbol.removesuffix("</w>") if symbol.endswith("</w>") else symbol + "@@"] += counts[word]
    by_count = sorted(pieces.items(), key=lambda item: (-item[1], item[0]))
    return "".join(codes), "".join(f"{piece} {count}\n" for piece, count in by_count)


def merge(symbols: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    joined = "\0".join(("", *symbols, ""))
    target = "\0" + "\0".join(pair) + "\0"
    while target in joined:  # one after another: neighbors share a separator
        joined = joined.replace(target, "\0" + "".join(pair) + "\0", 1)
    return tuple(joined[1:-1].split("\0"))


def write(folder: Path) -> tuple[Path, Path]:
    """The two files."""
    paths = folder / "codes", folder / "vocab"
    for path, content in zip(paths, learned(), strict=True):
        path.write_text(content, encoding="utf-8")
    return paths
