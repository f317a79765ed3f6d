"""The Moses chain beside sacremoses and, where Perl and the package mosestokenizer are installed, Moses' own scripts.

    python benchmarks/moses.py                                             # text of the microworld, five languages
    python benchmarks/moses.py --text my/sentences.txt --language ru       # real text

Lines per second of CPU time in one process, punctuation and tokens; ``ratio`` is ours over sacremoses'. Each is
the best of three rounds, which take turns. ``equal`` is the share of lines whose tokens are the same.
"""

import argparse
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from importlib import resources
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
from sacremoses import MosesPunctNormalizer
from sacremoses import MosesTokenizer as Sacremoses

from microworld.documents import documents
from microworld.render import text
from xlm_core.text.moses import MosesTokenizer, PunctuationNormalizer

ROUNDS = 3
Chain = Callable[[Sequence[str]], list[list[str]]]


def ours(language: str) -> Chain:
    """The chain of this project."""
    normalize, tokenize = PunctuationNormalizer(language, published=False), MosesTokenizer(language, published=False)
    return lambda lines: [tokenize(normalize(line)) for line in lines]


def sacremoses(language: str) -> Chain:
    """The chain of sacremoses."""
    punctuation = MosesPunctNormalizer(language, pre_replace_unicode_punct=True, post_remove_control_chars=True)
    tokenizer = Sacremoses(language)
    return lambda lines: [tokenizer.tokenize(punctuation.normalize(line), escape=False) for line in lines]


def perl(language: str) -> Chain | None:
    """Two of the scripts, one process each and the start of Perl included; None where they are not installed."""
    if shutil.which("perl") is None or find_spec("mosestokenizer") is None:
        return None

    def run(lines: Sequence[str]) -> list[list[str]]:
        data = "\n".join(lines) + "\n"
        for script, *options in (("normalize-punctuation.perl",), ("tokenizer-v1.1.perl", "-q", "-no-escape")):
            command = ["perl", str(resources.files("mosestokenizer") / script), "-l", language, *options]
            data = subprocess.run(command, input=data, capture_output=True, text=True, check=True).stdout
        return [line.split() for line in data.splitlines()]

    return run


def cpu_seconds() -> float:
    """CPU time of this process and of those that it started and that ended."""
    spent = os.times()
    return time.process_time() + spent.children_user + spent.children_system


def measure(language: str, lines: Sequence[str]) -> dict[str, object]:
    """A row of the table."""
    chains = {"ours": ours(language), "sacremoses": sacremoses(language), "perl": perl(language)}
    available = {name: chain for name, chain in chains.items() if chain}
    best = dict.fromkeys(available, float("inf"))
    tokens = {}
    for _ in range(ROUNDS):
        for name, chain in available.items():
            start = cpu_seconds()
            tokens[name] = chain(lines)
            best[name] = min(best[name], cpu_seconds() - start)
    row: dict[str, object] = {"language": language, "lines": len(lines)}
    row |= {f"{name}, lines/s": round(len(lines) / seconds) for name, seconds in best.items()}
    row["ratio"] = round(best["sacremoses"] / best["ours"], 1)
    return row | {
        "equal": np.mean([x == y for x, y in zip(tokens["ours"], tokens["sacremoses"], strict=True)]).round(4)
    }


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", type=Path, help="one sentence per line")
    parser.add_argument("--language", help="of the text")
    parser.add_argument("--lines", type=int, default=10_000)
    parser.add_argument("--output", type=Path, help="JSON")
    arguments = parser.parse_args()
    if arguments.text:
        with open(arguments.text, encoding="utf-8") as file:
            texts = {arguments.language: [line.rstrip("\n") for line in islice(file, arguments.lines)]}
    else:
        frames = [frame for frames in documents(np.random.default_rng(0), arguments.lines) for frame in frames]
        texts = {language: [text(frame, language) for frame in frames] for language in ("de", "en", "es", "fr", "hi")}
    table = pd.DataFrame(measure(language, lines) for language, lines in texts.items())
    print(table.to_markdown(index=False))
    if arguments.output:
        arguments.output.write_text(table.to_json(orient="records", indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
