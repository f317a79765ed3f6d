"""Read the paragraphs of a Wikipedia dump (``pages-articles.xml.bz2``).

The dump is read as a stream, one page at a time; ``wikitext`` says what a reader sees of a page.
"""

import re
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

from mwparserfromhell.parser import ParserError

from xlm_core.errors import CorpusError
from xlm_core.io import DECOMPRESSION_ERRORS, open_binary, remedy
from xlm_core.text.formats import wikitext
from xlm_core.text.formats.wikitext.templates import Wiki, wiki_of
from xlm_core.tsv import FilterStats

FILE, CATEGORY = "6", "14"  # keys of the namespaces whose links show no text
ARTICLE = "0"  # namespace
NOT_XML = (ElementTree.ParseError, ValueError, LookupError, StopIteration)  # the middle two for an odd encoding
UNCLOSED = (
    (r"<[A-Za-z]", r"(?i)</[a-z]|/>|<(?:br|hr|li|dt|dd|tr|th|td|nowiki)\b[^<>/]*>"),
    (r"<!--", r"-->"),
    (r"(?m)^[:\s]*\{\|", r"(?m)^\s*\|\}"),
    (r"\[(?=\w+:|//)", r"(?<!\])\](?!\])"),
)  # what opens and what closes an element
MAX_COST = 50_000_000  # unclosed elements times characters; a few seconds


def read(
    paths: Sequence[Path], stats: FilterStats, language: str, *, keep_lost_words: bool = False
) -> Generator[list[str], None, None]:
    """Yield the paragraphs of all articles of dumps, each as a record of one field.

    Pages that are left out (redirects, other namespaces, those that the parser cannot parse) and paragraphs that are
    not text are counted as dropped.

    Args:
        paths: dumps of one wiki.
        stats: counts what is dropped, and why.
        language: of the wiki.
        keep_lost_words: keep paragraphs that lack the text of a template or a formula.

    Raises:
        CorpusError: a file is damaged or cut off.
    """
    for path in paths:
        with open_binary(path) as stream:
            for page, wiki in _pages(stream, path, wiki_of(language)):
                if not _is_article(page, wiki):
                    stats.drop("page of another namespace")
                elif page.find("{*}redirect") is not None:
                    stats.drop("redirect page")
                else:
                    source = page.findtext("{*}revision/{*}text") or ""
                    yield from _page_records(source, wiki, stats, keep_lost_words=keep_lost_words)


def _is_article(page: ElementTree.Element, wiki: Wiki) -> bool:
    """Return whether a page is in the namespace of articles; dumps of before 2011 say so in the title alone."""
    namespace = page.findtext("{*}ns")
    if namespace is not None:
        return namespace == ARTICLE
    prefix, colon, _ = (page.findtext("{*}title") or "").partition(":")
    return not (colon and prefix.strip().lower() in wiki.namespaces | wiki.hidden)


def _page_records(source: str, wiki: Wiki, stats: FilterStats, *, keep_lost_words: bool) -> Iterator[list[str]]:
    """Yield the paragraphs of a page, unless the parser, which backtracks at unclosed elements, would take minutes."""
    unclosed = sum(
        max(0, len(re.findall(opens, source)) - len(re.findall(closes, source))) for opens, closes in UNCLOSED
    )
    if unclosed * len(source) > MAX_COST:
        stats.drop("unparsable page")
        return
    try:
        paragraphs = list(wikitext.paragraphs(source, wiki))
    except (ParserError, RecursionError):
        stats.drop("unparsable page")
        return
    for text, fault in paragraphs:
        if fault is None or (keep_lost_words and fault == wikitext.LOST_WORDS):
            yield [text]
        else:
            stats.drop(fault)


def _pages(stream: IO[bytes], path: Path, wiki: Wiki) -> Iterator[tuple[ElementTree.Element, Wiki]]:
    """Yield each page of a dump, which is cleared when the next is asked for, and the wiki with its namespaces."""
    n_pages = 0
    title = "the start"
    try:
        events = ElementTree.iterparse(stream, events=("start", "end"))
        _, root = next(events)
        for event, element in events:
            kind = element.tag.rpartition("}")[2]
            if event == "end" and kind == "namespace" and element.text:
                wiki = wiki.with_namespace(element.text, is_hidden=element.get("key") in (FILE, CATEGORY))
            elif event == "end" and kind == "page":
                n_pages += 1
                title = repr(element.findtext("{*}title"))
                yield element, wiki
                root.clear()
    except (*DECOMPRESSION_ERRORS, *NOT_XML) as error:
        raise CorpusError(
            f"{path}: damaged or cut off after {n_pages} pages, the last being {title} ({error}); {remedy(path)}"
        ) from error
