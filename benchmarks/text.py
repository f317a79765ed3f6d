"""The stages of the text: lines per second, memory, and what a second process adds.

    python benchmarks/text.py                                            # text of the microworld
    python benchmarks/text.py --text my/sentences.txt --lines 100000     # real text, of one language
    python benchmarks/text.py --output text.json

Each stage runs in a process of its own: once on so many lines, once on ten times as many, and, where the workflow
runs it shard by shard, at last in two processes at once, each with a shard of its own. The time is that of the stage
alone; the memory is the peak of the whole process, with Python and its packages. Sampling draws, and the encoding is
learned on, as many lines as are given for the smaller text, whatever the size of the whole.
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from itertools import count, cycle, islice
from pathlib import Path

import numpy as np
from fresh import side_by_side

from microworld.documents import documents
from microworld.render import text
from xlm_core import tsv
from xlm_core.config import Text
from xlm_core.data import token_store
from xlm_core.text import bpe, duplicates, extract, tokenize, vocabulary

FACTOR = 10
DIFFERENT = 300_000  # lines
PROBE = 10_000  # lines, by whose length the number of lines is chosen
LINES_PER_PAGE = 50
VOCABULARY_SIZE = 1000
SHARES = {"valid_fraction": 0.01, "test_fraction": 0.01}
DUMP = (
    '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" xml:lang="en"><siteinfo><namespaces>'
    '<namespace key="0" case="first-letter" /></namespaces></siteinfo>'
)
PAGE = "<page><title>{title}</title><ns>0</ns><id>{title}</id><revision><id>1</id><text>{text}</text></revision></page>"


def main() -> None:
    """Measure and print, and write what was measured where that is wanted."""
    arguments = parse()
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder) / "small", Path(folder) / "large"
        for path, n_lines in ((small, arguments.lines), (large, FACTOR * arguments.lines)):
            path.mkdir()
            write_dump(path / "pages.xml", islice(lines_of(arguments.text), n_lines))
        results = {name: measure(name, small, large, arguments.lines) for name in STAGES}
    if arguments.output:
        arguments.output.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=30_000, help="of the smaller text")
    parser.add_argument("--text", type=Path, help="one sentence per line, read again from its start where it is short")
    parser.add_argument("--output", type=Path, help="JSON")
    return parser.parse_args()


def lines_of(path: Path | None) -> Iterator[str]:
    """Sentences without end, of a file or of the microworld; after ``DIFFERENT`` they begin again."""
    if path is None:
        told = (text(frame, "en") for frames in documents(np.random.default_rng(0), DIFFERENT) for frame in frames)
    else:
        told = (line.rstrip("\n") for line in open(path, encoding="utf-8"))  # noqa: SIM115 (ends with the process)
    return cycle(islice(told, DIFFERENT))


def lines_of_size(path: Path | None, n_bytes: float) -> Iterator[str]:
    """About as many bytes of them, with the ends of lines."""
    probe = list(islice(lines_of(path), PROBE))
    length = sum(len(line.encode()) + 1 for line in probe) / len(probe)
    return islice(lines_of(path), int(n_bytes / length))


def write_dump(path: Path, lines: Iterable[str]) -> None:
    """A dump of Wikipedia with these paragraphs."""
    lines = iter(lines)
    with open(path, "w", encoding="utf-8") as file:
        file.write(DUMP)
        for number in count(1):
            paragraphs = "\n\n".join(islice(lines, LINES_PER_PAGE))
            if not paragraphs:
                break
            escaped = paragraphs.replace("&", "&amp;").replace("<", "&lt;")
            file.write(PAGE.format(title=number, text=escaped))
        file.write("</mediawiki>")


def run_extract(folder: Path, shard: str, _: int) -> None:
    """Paragraphs out of the dump."""
    extract.extract("wikipedia", [folder / "pages.xml"], [folder / f"{shard}.tsv"], "en", folder / f"{shard}.json")


def run_mark(folder: Path, shard: str, _: int) -> None:
    """Marks of the lines that are repeated."""
    duplicates.find_duplicates([folder / "0.tsv"], [folder / f"{shard}.repeated"])


def run_tokenize(folder: Path, shard: str, _: int) -> None:
    """Normalized tokens."""
    tokenize.tokenize(
        folder / "0.tsv",
        folder / f"{shard}.tokens.tsv",
        languages=["en"],
        n_fields=1,
        text=Text(),
        already_tokenized=False,
        keep_all=False,
        statistics=folder / f"{shard}.json",
    )


def run_sample(folder: Path, _: str, n_lines: int) -> None:
    """Lines to learn on."""
    files = {"en": [bpe.TokenFile(folder / "0.tokens.tsv", ("en",))]}
    statistics = folder / "sample.json"
    output = folder / "sample.txt"
    bpe.sample_for_bpe(files, output, n_lines=n_lines, alpha=0.5, statistics=statistics, **SHARES)


def run_learn(folder: Path, _: str, __: int) -> None:
    """Byte-pair encoding, and the vocabulary."""
    model, learned_on = folder / "en.model", folder / "sample.txt"
    bpe.learn(learned_on, model, size=VOCABULARY_SIZE, character_coverage=1.0)
    vocabulary.build(["en"], [model], [learned_on], folder / "vocabulary.json")


def run_store(folder: Path, shard: str, _: int) -> None:
    """Token ids."""
    token_store.build(
        folder / "0.tokens.tsv",
        {split: folder / f"{shard}.{split}.store" for split in ("train", "valid", "test")},
        languages=["en"],
        stored=["en"],
        vocabulary=folder / "vocabulary.json",
        statistics=folder / f"{shard}.json",
        **SHARES,
    )


# What a stage runs, the file that it reads in the end, and whether it runs shard by shard.
STAGES: dict[str, tuple[Callable[[Path, str, int], None], str, bool]] = {
    "extract": (run_extract, "0.tsv", True),
    "mark": (run_mark, "0.tsv", False),
    "tokenize": (run_tokenize, "0.tsv", True),
    "sample": (run_sample, "0.tokens.tsv", False),
    "learn": (run_learn, "sample.txt", False),
    "store": (run_store, "0.tokens.tsv", True),
}


def measure(name: str, small: Path, large: Path, n_lines: int) -> dict[str, float]:
    """Lines per second on the larger text, peak memory on both, and the efficiency of two processes."""
    work, lines_in, by_shard = STAGES[name]
    (little,) = side_by_side(work, [(small, "0", n_lines)])
    (much,) = side_by_side(work, [(large, "0", n_lines)])
    n_read = sum(1 for _ in tsv.read(large / lines_in, 1))
    results = {
        "lines_per_s": n_read / much.seconds,
        "peak_mb": little.peak_bytes / 1e6,
        "peak_mb_at_10x": much.peak_bytes / 1e6,
    }
    shown = f"{results['lines_per_s']:10,.0f} lines/s {results['peak_mb']:6.0f} MB; {FACTOR} x the text"
    shown += f" {results['peak_mb_at_10x']:6.0f} MB"
    if by_shard:
        both = side_by_side(work, [(large, shard, n_lines) for shard in ("1", "2")])
        results["lines_per_s_of_two"] = 2 * n_read / max(cost.seconds for cost in both)
        results["efficiency_of_two"] = results["lines_per_s_of_two"] / (2 * results["lines_per_s"])
        shown += f"; two processes {results['lines_per_s_of_two']:10,.0f} lines/s ({results['efficiency_of_two']:.0%})"
    print(f"{name:9s}{shown}", flush=True)
    return results


if __name__ == "__main__":
    main()
