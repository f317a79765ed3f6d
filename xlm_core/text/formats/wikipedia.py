"""Read the paragraphs of a Wikipedia dump (``pages-articles.xml.bz2``).

The dump is read as a stream, one page at a time. Wikitext is parsed by mwparserfromhell; each page gives its paragraphs
as a reader sees them, one per line, without headings, lists, tables, captions, notes and templates. Lists are left out
because their items are mostly names and fragments, not sentences.
"""

import re
from collections.abc import Generator, Iterator, Sequence
from html import unescape
from itertools import groupby
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

import mwparserfromhell
from mwparserfromhell import nodes
from mwparserfromhell.parser import ParserError
from mwparserfromhell.wikicode import Wikicode

from xlm_core.errors import CorpusError
from xlm_core.io import DECOMPRESSION_ERRORS, open_binary
from xlm_core.tsv import FilterStats

FILE, CATEGORY = "6", "14"  # keys of the namespaces whose links show no text
ENGLISH_NAMESPACES = frozenset(("file", "image", "media", "category"))  # understood in every language
HIDDEN_TAGS = {
    "ref", "references", "gallery", "math", "chem", "ce", "table", "timeline", "score", "hiero", "graph",
    "mapframe", "maplink", "imagemap", "syntaxhighlight", "source", "code", "pre", "templatedata",
    "templatestyles", "style", "inputbox", "categorytree", "section", "indicator", "ul", "ol", "dl", "includeonly",
}  # fmt: skip
LIST_TAGS = {"li", "dd", "dt"}
BLOCK_TAGS = {"p", "div", "blockquote", "center", "hr", "poem"}
LANGUAGE_CODE = re.compile(r"[a-z]{2,3}(-[a-z-]+)?|simple")
LIST_MARK = "\x00"  # stands for the mark of a list item; XML cannot hold this character
ENDS_PARAGRAPH = (LIST_MARK, "{|", "|")  # starts of lines: list items, and tables that the parser could not close
BREAK = "\n\n"
NOT_XML = (ElementTree.ParseError, ValueError, LookupError, StopIteration)  # the middle two for an odd encoding

QUOTES = re.compile(r"(?<!')('{5}|'{2,3})")  # of bold and italics: what a run has more than these is text
MAGIC_WORD = re.compile(r"__\w+?__")
TAG = re.compile(r"</?[A-Za-z][^<>]*>")
EMPTY_BRACKETS = re.compile(r" ?[(（\[][\s,;:.،؛、，；：·/–—-]*[)）\]]")
BRACKET_START = re.compile(r"([(（])[\s,;:،؛、，；：]+")
VARIANTS = re.compile(r"-\{([^{}]*)\}-")
BROKEN = re.compile(r"\{\{|\}\}|\[\[|\]\]|\{\||\|\}|^\s*\|")  # markup that the parser found no end or start to
UNCLOSED = (
    (r"<[A-Za-z]", r"(?i)</[a-z]|/>|<(?:br|hr|li|dt|dd|tr|th|td|nowiki)\b[^<>/]*>"),
    (r"<!--", r"-->"),
    (r"(?m)^[:\s]*\{\|", r"(?m)^\s*\|\}"),
    (r"\[(?=\w+:|//)", r"(?<!\])\](?!\])"),
)  # what opens and what closes an element
MAX_COST = 50_000_000  # unclosed elements times characters; a few seconds


def read(paths: Sequence[Path], stats: FilterStats) -> Generator[list[str], None, None]:
    """Yield the paragraphs of all articles of dumps, each as a record of one field.

    Pages that are left out (redirects, other namespaces, those that the parser cannot parse) and paragraphs that are
    not text are counted as dropped.

    Raises:
        CorpusError: a file is damaged or cut off.
    """
    for path in paths:
        with open_binary(path) as stream:
            for page, hidden in _pages(stream, path):
                if page.findtext("{*}ns") != "0":
                    stats.drop("page of another namespace")
                elif page.find("{*}redirect") is not None:
                    stats.drop("redirect page")
                else:
                    yield from _page_records(page.findtext("{*}revision/{*}text") or "", hidden, stats)


def _page_records(source: str, hidden: frozenset[str], stats: FilterStats) -> Iterator[list[str]]:
    """Yield the paragraphs of a page, unless the parser, which backtracks at unclosed elements, would take minutes."""
    unclosed = sum(
        max(0, len(re.findall(opens, source)) - len(re.findall(closes, source))) for opens, closes in UNCLOSED
    )
    if unclosed * len(source) > MAX_COST:
        stats.drop("unparsable page")
        return
    try:
        paragraphs = page_paragraphs(source, hidden)
    except (ParserError, RecursionError):
        stats.drop("unparsable page")
        return
    for text in paragraphs:
        if BROKEN.search(text):
            stats.drop("broken markup")
        elif not any(map(str.isalpha, text)):
            stats.drop("no letter")
        else:
            yield [text]


def _pages(stream: IO[bytes], path: Path) -> Iterator[tuple[ElementTree.Element, frozenset[str]]]:
    """Yield each page of a dump, which is cleared when the next is asked for, and the namespaces that show no text."""
    hidden = ENGLISH_NAMESPACES
    n_pages = 0
    title = "the start"
    try:
        events = ElementTree.iterparse(stream, events=("start", "end"))
        _, root = next(events)
        for event, element in events:
            kind = element.tag.rpartition("}")[2]
            if event == "end" and kind == "namespace" and element.text and element.get("key") in (FILE, CATEGORY):
                hidden |= {element.text.lower()}
            elif event == "end" and kind == "page":
                n_pages += 1
                title = repr(element.findtext("{*}title"))
                yield element, hidden
                root.clear()
    except (*DECOMPRESSION_ERRORS, *NOT_XML) as error:
        raise CorpusError(
            f"{path}: damaged or cut off after {n_pages} pages, the last being {title} ({error}); "
            "remove the file and fetch it again"
        ) from error


def page_paragraphs(source: str, hidden: frozenset[str] = ENGLISH_NAMESPACES) -> list[str]:
    """Return the paragraphs of one page of wikitext.

    Args:
        source: wikitext.
        hidden: names, in lower case, of the namespaces whose links show no text.

    Raises:
        ParserError, RecursionError: the page cannot be parsed.
    """
    # Bold and italics are left to QUOTES: the parser can take minutes to match quotes that have no partner.
    visible = VARIANTS.sub(_choose_variant, _visible_text(mwparserfromhell.parse(source, skip_style_tags=True), hidden))
    lines = visible.split("\n")
    groups = groupby(lines, lambda line: bool(line.strip()) and not line.startswith(ENDS_PARAGRAPH))
    return [text for is_text, group in groups if is_text and (text := _clean_wikitext(" ".join(group)))]


def _visible_text(code: Wikicode, hidden: frozenset[str]) -> str:
    """Return the text that a reader sees of parsed wikitext."""
    return "".join(_visible_node(node, hidden) for node in code.nodes)


def _visible_node(node: nodes.Node, hidden: frozenset[str]) -> str:
    """Return the text of one node; templates, template arguments and comments have none."""
    match node:
        case nodes.Text():
            return node.value
        case nodes.HTMLEntity():
            return node.normalize()
        case nodes.Wikilink():
            return _visible_link(node, hidden)
        case nodes.ExternalLink():
            return _visible_text(node.title, hidden) if node.title else ""
        case nodes.Heading():
            return BREAK
        case nodes.Tag():
            return _visible_tag(node, hidden)
    return ""


def _visible_link(node: nodes.Wikilink, hidden: frozenset[str]) -> str:
    """Return the text of a link; none for files, categories and links to other languages."""
    namespace, colon, _ = str(node.title).partition(":")
    namespace = namespace.strip()
    if colon and (namespace.lower() in hidden or LANGUAGE_CODE.fullmatch(namespace)):
        return ""
    if node.text is not None:
        return _visible_text(node.text, hidden)
    return _visible_text(node.title, hidden).strip().removeprefix(":")


def _visible_tag(node: nodes.Tag, hidden: frozenset[str]) -> str:
    """Return the text of an HTML tag, or of the wiki markup for one."""
    name = str(node.tag).strip().lower()
    if name in LIST_TAGS:
        return f"\n{LIST_MARK}" if node.wiki_markup is None else LIST_MARK
    if name in HIDDEN_TAGS:
        return BREAK if name == "table" else ""
    if name == "br":
        return " "
    text = _visible_text(node.contents, hidden) if node.contents else ""
    return f"{BREAK}{text}{BREAK}" if name in BLOCK_TAGS else text


def _choose_variant(match: re.Match[str]) -> str:
    """Choose the simplified form, or else the first, of the Chinese forms in ``-{zh-hans:...; zh-hant:...}-``."""
    flag, bar, content = match[1].rpartition("|")
    if bar and flag.strip() in ("T", "H", "D", "-"):
        return ""
    forms = [form.partition(":") for form in content.split(";") if ":" in form]
    if not forms:
        return content
    by_variant = {variant.strip(): text for variant, _, text in forms}
    return by_variant.get("zh-hans") or by_variant.get("zh-cn") or forms[0][2]


def _clean_wikitext(text: str) -> str:
    """Remove remains of markup from a paragraph: quotes, magic words, entities, lone tags, emptied brackets."""
    text = QUOTES.sub("", text)
    text = MAGIC_WORD.sub("", text)
    text = TAG.sub("", unescape(text))
    text = " ".join(text.split())
    text = EMPTY_BRACKETS.sub("", text)
    return BRACKET_START.sub(r"\1", text).strip()
