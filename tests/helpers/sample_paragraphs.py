"""Print paragraphs of a dump beside their wikitext, to be read by eye, and how many there are of each kind.

python tests/helpers/sample_paragraphs.py enwiki-latest-pages-articles.xml.bz2 --language en
"""

import argparse
import random
import re
import sys
from collections import Counter
from pathlib import Path

from xlm_core.io import open_binary
from xlm_core.text.formats import wikipedia, wikitext
from xlm_core.text.formats.wikitext.templates import wiki_of

WORD = re.compile(r"\w+")


def main() -> None:
    """Extract a dump, and print a sample of what is kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dump", type=Path)
    parser.add_argument("--language", required=True)
    parser.add_argument("--sample", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    kept, faults = [], Counter()
    with open_binary(options.dump) as stream:
        for page, wiki in wikipedia._pages(stream, options.dump, wiki_of(options.language)):
            if wikipedia._is_article(page, wiki) and page.find("{*}redirect") is None:
                source = page.findtext("{*}revision/{*}text") or ""
                for text, fault in wikitext.paragraphs(source, wiki):
                    faults[fault or "kept"] += 1
                    kept += [] if fault else [(text, source)]
    chosen = sorted(random.Random(options.seed).sample(range(len(kept)), min(options.sample, len(kept))))
    for text, source in (kept[i] for i in chosen):
        sys.stdout.write(f"{closest_line(text, source)}\n    {text}\n\n")
    sys.stdout.write(f"{dict(faults)}\n")


def closest_line(text: str, source: str) -> str:
    """Return the line of wikitext that has most of the words of a paragraph."""
    words = set(WORD.findall(text))
    return max(source.split("\n"), key=lambda line: len(words & set(WORD.findall(line))))


if __name__ == "__main__":
    main()
