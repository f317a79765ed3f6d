"""Wikipedia: the paragraphs of a dump of articles (``pages-articles.xml.bz2``).

The dump is read as a stream, one page at a time. Wikitext is parsed by mwparserfromhell; what is left of a page are
its paragraphs as a reader sees them, one per line, without headings, lists, tables, captions, notes and templates.
Lists are left out because their items are mostly names and fragments, not sentences.
"""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

import mwparserfromhell
from mwparserfromhell import nodes
from mwparserfromhell.parser import ParserError
from mwparserfromhell.wikicode import Wikicode

from xlm_core.errors import CorpusError
from xlm_core.text.lines import DAMAGE, open_whole
from xlm_core.tsv import Counts

FILE, CATEGORY = "6", "14"  # keys of the namespaces whose links show no text
ENGLISH_NAMESPACES = frozenset(("file", "image", "media", "category"))  # understood in every language
HIDDEN_TAGS = frozenset(
    (
        "ref", "references", "gallery", "math", "chem", "ce", "table", "timeline", "score", "hiero", "graph",
        "mapframe", "maplink", "imagemap", "syntaxhighlight", "source", "code", "pre", "templatedata",
        "templatestyles", "style", "inputbox", "categorytree", "section", "indicator", "ul", "ol", "dl", "includeonly",
    )
)  # fmt: skip
LIST_TAGS = frozenset(("li", "dd", "dt"))
BLOCK_TAGS = frozenset(("p", "div", "blockquote", "center", "hr", "poem"))
LANGUAGE_CODE = re.compile(r"[a-z]{2,3}(-[a-z-]+)?|simple")
LIST_MARK = "\x00"  # stands for the mark of a list item; XML cannot hold this character
ENDS_PARAGRAPH = (LIST_MARK, "{|", "|")  # starts of lines: list items, and tables that the parser could not close
BREAK = "\n\n"
NOT_XML = (ElementTree.ParseError, ValueError, LookupError, StopIteration)  # the middle two for an odd encoding

QUOTES = re.compile(r"'{2,}")
MAGIC_WORD = re.compile(r"__\w+?__")
TAG = re.compile(r"</?[A-Za-z][^<>]*>")
EMPTY_BRACKETS = re.compile(r" ?[(（\[][\s,;:.،؛、，；：·/–—-]*[)）\]]")
BRACKET_START = re.compile(r"([(（])[\s,;:،؛、，；：]+")
VARIANTS = re.compile(r"-\{([^{}]*)\}-")
BROKEN = re.compile(r"\{\{|\}\}|\[\[|\]\]|\{\||\|\}|^\s*\|")  # markup that the parser found no end or start to
UNCLOSED = (
    (
        re.compile(r"<[A-Za-z]"),
        re.compile(r"</[A-Za-z]|/>|<(?:br|hr|li|dt|dd|tr|th|td|nowiki)\b[^<>/]*>", re.IGNORECASE),
    ),
    (re.compile(r"<!--"), re.compile(r"-->")),
    (re.compile(r"^[:\s]*\{\|", re.MULTILINE), re.compile(r"^\s*\|\}", re.MULTILINE)),
    (re.compile(r"\[(?=\w+:|//)"), re.compile(r"(?<!\])\](?!\])")),
)  # what opens and what closes an element
MAX_COST = 50_000_000  # unclosed elements times characters; a few seconds


def paragraphs(path: Path, counts: Counts) -> Iterator[str]:
    """The paragraphs of all articles of a dump.

    Pages that are left out (redirects, other namespaces, those that the parser cannot parse) are counted as records
    read and dropped.

    Raises:
        CorpusError: if the file is damaged or cut off.
    """
    with open_whole(path) as stream:
        hidden = ENGLISH_NAMESPACES
        for kind, element in _elements(stream, path):
            if kind == "namespaces":
                hidden = hidden | _hidden_namespaces(element)
            elif reason := _why_not(element):
                counts.read += 1
                counts.drop(reason)
            else:
                yield from _kept(element.findtext("{*}revision/{*}text") or "", hidden, counts)


def _kept(source: str, hidden: frozenset[str], counts: Counts) -> Iterator[str]:
    """The paragraphs of one page that are text; the others are counted."""
    try:
        found = page_paragraphs(source, hidden)
    except (ParserError, RecursionError, _PathologicalError):
        counts.read += 1
        counts.drop("unparsable page")
        return
    for text in found:
        if BROKEN.search(text):
            reason = "broken markup"
        elif not any(map(str.isalpha, text)):
            reason = "no letter"
        else:
            yield text
            continue
        counts.read += 1
        counts.drop(reason)


def _elements(stream: IO[bytes], path: Path) -> Iterator[tuple[str, ElementTree.Element]]:
    """The ``namespaces`` and ``page`` elements of a dump, each forgotten once the next is asked for."""
    n_pages = 0
    title = "the start"
    try:
        events = ElementTree.iterparse(stream, events=("start", "end"))
        _, root = next(events)
        for event, element in events:
            kind = element.tag.rpartition("}")[2]
            if event == "end" and kind in ("namespaces", "page"):
                if kind == "page":
                    n_pages += 1
                    title = repr(element.findtext("{*}title"))
                yield kind, element
                root.clear()
    except (*DAMAGE, *NOT_XML) as error:
        raise CorpusError(
            f"{path}: damaged or cut off after {n_pages} pages, the last being {title} ({error}); "
            "remove the file and fetch it again"
        ) from error


def _hidden_namespaces(element: ElementTree.Element) -> frozenset[str]:
    """The dump's own names, in lower case, of the namespaces of files and categories."""
    return frozenset(
        (namespace.text or "").lower() for namespace in element if namespace.get("key") in (FILE, CATEGORY)
    ) - {""}


def _why_not(page: ElementTree.Element) -> str | None:
    """Why a page is left out; None for an article."""
    if page.findtext("{*}ns") != "0":
        return "page of another namespace"
    if page.find("{*}redirect") is not None:
        return "redirect page"
    return None


class _PathologicalError(Exception):
    """A page that would take the parser minutes."""


def _check_cost(source: str) -> None:
    """Refuse a page with so many unclosed elements that the parser, which goes back for each, would hardly end."""
    unclosed = 0
    for opening, closing in UNCLOSED:
        n_closed = len(closing.findall(source))
        unclosed += max(0, len(opening.findall(source)) - n_closed)
    if unclosed * len(source) > MAX_COST:
        raise _PathologicalError


def page_paragraphs(source: str, hidden: frozenset[str] = ENGLISH_NAMESPACES) -> list[str]:
    """The paragraphs of one page of wikitext.

    Args:
        source: wikitext.
        hidden: names, in lower case, of the namespaces whose links show no text.
    """
    _check_cost(source)
    # Bold and italics are left to QUOTES: the parser can take minutes to match quotes that have no partner.
    shown = _shown(mwparserfromhell.parse(source, skip_style_tags=True), hidden)
    shown = VARIANTS.sub(_variant, shown)
    found: list[str] = []
    lines: list[str] = []
    for line in (*shown.split("\n"), ""):
        if line.strip() and not line.startswith(ENDS_PARAGRAPH):
            lines.append(line)
        else:
            found.append(" ".join(lines))
            lines = []
    return [text for text in map(_polished, found) if text]


def _shown(code: Wikicode, hidden: frozenset[str]) -> str:
    """What a reader sees of parsed wikitext."""
    return "".join(_node(node, hidden) for node in code.nodes)


def _node(node: nodes.Node, hidden: frozenset[str]) -> str:
    """What a reader sees of one node; templates, template arguments and comments show nothing."""
    match node:
        case nodes.Text():
            return node.value
        case nodes.HTMLEntity():
            return node.normalize()
        case nodes.Wikilink():
            return _link(node, hidden)
        case nodes.ExternalLink():
            return _shown(node.title, hidden) if node.title else ""
        case nodes.Heading():
            return BREAK
        case nodes.Tag():
            return _tag(node, hidden)
        case _:
            return ""


def _link(node: nodes.Wikilink, hidden: frozenset[str]) -> str:
    """The text of a link; none for files, categories and links to other languages."""
    title = str(node.title).strip()
    namespace, colon, _ = title.partition(":")
    namespace = namespace.strip()
    if colon and (namespace.lower() in hidden or LANGUAGE_CODE.fullmatch(namespace)):
        return ""
    return _shown(node.text, hidden) if node.text is not None else _shown(node.title, hidden).strip().removeprefix(":")


def _tag(node: nodes.Tag, hidden: frozenset[str]) -> str:
    """The text of an HTML tag, or of wiki markup that stands for one."""
    name = str(node.tag).strip().lower()
    if name in LIST_TAGS:
        return f"\n{LIST_MARK}" if node.wiki_markup is None else LIST_MARK
    if name in HIDDEN_TAGS:
        return BREAK if name == "table" else ""
    if name == "br":
        return " "
    text = _shown(node.contents, hidden) if node.contents else ""
    return f"{BREAK}{text}{BREAK}" if name in BLOCK_TAGS else text


def _variant(match: re.Match[str]) -> str:
    """The simplified form, or the first, of the forms of Chinese in ``-{zh-hans:...; zh-hant:...}-``."""
    flag, bar, content = match[1].rpartition("|")
    if bar and flag.strip() in ("T", "H", "D", "-"):
        return ""
    forms = [form.partition(":") for form in content.split(";") if ":" in form]
    if not forms:
        return content
    by_variant = {variant.strip(): text for variant, _, text in forms}
    return by_variant.get("zh-hans") or by_variant.get("zh-cn") or forms[0][2]


def _polished(text: str) -> str:
    """A paragraph without the remains of markup: quotes, magic words, entities, lone tags, emptied brackets."""
    text = QUOTES.sub(_apostrophes, text)
    text = MAGIC_WORD.sub("", text)
    text = TAG.sub("", unescape(text))
    text = " ".join(text.split())
    text = EMPTY_BRACKETS.sub("", text)
    return BRACKET_START.sub(r"\1", text).strip()


def _apostrophes(match: re.Match[str]) -> str:
    """The apostrophes that are text in a run of them: 2, 3 or 5 are markup, in 4 or more than 5 the surplus is text."""
    n = len(match[0])
    return "'" * (1 if n == 4 else max(0, n - 5))
