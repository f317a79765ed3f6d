"""The paragraphs of a page of wikitext, as a reader sees them: no headings, lists, tables, captions and notes.

Wikitext is parsed by mwparserfromhell, which expands no templates: ``conventions.yaml`` says what the frequent ones
show. Where another one stood in a sentence, or a formula, words are missing, and the paragraph says so. Lists are left
out because their items are mostly names and fragments, not sentences.

Text that is no markup for a reader, such as text of entities, of ``<nowiki>`` and of templates, must not be taken for
markup here. Its characters are exchanged for control characters, which XML cannot hold, until all markup is gone.
"""

import re
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

import mwparserfromhell
from mwparserfromhell import nodes
from mwparserfromhell.wikicode import Wikicode

from xlm_core.text.formats.wikitext.templates import REMOVED, Wiki, fill, protect, protect_brackets, unprotect

HIDDEN_BLOCK_TAGS = {
    "gallery", "table", "mapframe", "imagemap", "pre", "references", "inputbox", "categorytree", "ul", "ol", "dl",
}  # fmt: skip
HIDDEN_TAGS = HIDDEN_BLOCK_TAGS | {
    "ref", "maplink", "templatedata", "templatestyles", "style", "section", "indicator", "includeonly",
}  # fmt: skip
PROGRAM_TAGS = {"syntaxhighlight", "source"}  # blocks, unless they have the attribute "inline"
FORMULA_TAGS = {"math", "chem", "ce", "score", "hiero", "timeline", "graph"}  # a reader sees what is no text
LIST_TAGS = {"li", "dd", "dt"}
BLOCK_TAGS = {"p", "div", "blockquote", "center", "hr", "poem"}
INLINE_TAGS = {
    "abbr", "b", "bdi", "bdo", "big", "br", "caption", "cite", "code", "data", "del", "dfn", "em", "font", "h1", "h2",
    "h3", "h4", "h5", "h6", "i", "ins", "kbd", "langconvert", "languages", "link", "mark", "meta", "noinclude",
    "nowiki", "onlyinclude", "q", "rb", "rp", "rt", "rtc", "ruby", "s", "samp", "small", "span", "strike", "strong",
    "sub", "sup", "td", "th", "time", "tr", "translate", "tt", "tvar", "u", "var", "wbr",
}  # fmt: skip
# Any other is text, as for MediaWiki.
TAGS = HIDDEN_TAGS | PROGRAM_TAGS | FORMULA_TAGS | LIST_TAGS | BLOCK_TAGS | INLINE_TAGS
LANGUAGE_CODE = re.compile(r"[a-z]{2,3}(-[a-z-]+)?|simple")
BREAK = "\n\n"
LOST_WORDS = "lost words"  # of a paragraph: what a template or a formula shows

# Control characters that stand for something while markup is removed.
LIST_MARK = "\x00"  # the mark of a list item
HOLE = "\x0f"  # something that a reader sees, and that is not known here
NOTHING = "\x10"  # between two texts that are not to be read together
PREFORMATTED = "\x13"  # the start of a line that begins with a blank, which shows it as <pre> does
MARKS = f"{REMOVED}{HOLE}{NOTHING}"
WITHOUT_MARKS = str.maketrans("", "", MARKS)
# Starts of lines: list items, programs, and tables that the parser could not close.
ENDS_PARAGRAPH = (LIST_MARK, PREFORMATTED, "{|", "|")
INDENTED = re.compile(r"\n +(?=\S)")

COMMENT_OR_NOWIKI = re.compile(r"<!--|<nowiki>", re.IGNORECASE)
COMMENT_END, NOWIKI_END = re.compile("-->"), re.compile("</nowiki>", re.IGNORECASE)
APOSTROPHES = re.compile("('{2,})")
MAGIC_WORD = re.compile(r"__(?:[^\W\d_a-zß-öø-ÿа-яα-ω]|_)+?__")  # in capitals, where a script has them
TAG = re.compile(rf"</?(?:{'|'.join(sorted(TAGS))})\b[^<>]*>", re.IGNORECASE)
SEPARATORS = rf"\s,;:،؛、，；：{MARKS}"
EMPTY_BRACKETS = re.compile(  # not those of main() and [...]
    rf" ?[(（\[](?:[{SEPARATORS}·/–—\-]|[.](?=[^)）\]]*[{MARKS}]))+[)）\]]| \(\)|（）"
)
BRACKET_START = re.compile(rf"([(（])[{SEPARATORS}]+")
BRACKET_END = re.compile(rf"(?<![{SEPARATORS}])[\s,;:،؛、，；：]*[{MARKS}][{SEPARATORS}]*(?=[)）])")
LOSS = re.compile(rf"(?<=[\s(\[„“\"«—–/-]){HOLE}(?!\s*$)")
VARIANTS = re.compile(r"-\{([^{}]*)\}-")
BROKEN = re.compile(r"\{\{|\}\}|\{\||\|\}|^\s*\|")  # markup that the parser found no end or start to
SQUARE_BRACKETS = re.compile(r"\[[^\[\]]*\]")


class Paragraph(NamedTuple):
    """The text of a paragraph, and why it is no good text; None where it is."""

    text: str
    fault: str | None


def paragraphs(source: str, wiki: Wiki) -> Iterator[Paragraph]:
    """Yield the paragraphs of one page.

    Args:
        source: wikitext.
        wiki: its conventions.

    Raises:
        ParserError, RecursionError: the page cannot be parsed.
    """
    # Bold and italics are left to _drop_quotes: the parser can take minutes to match quotes that have no partner.
    code = mwparserfromhell.parse(_without_open_comment(source), skip_style_tags=True)
    visible = VARIANTS.sub(_choose_variant, _Renderer(wiki).page(code))
    lines = map(_drop_quotes, visible.split("\n"))
    for is_text, group in groupby(lines, lambda line: bool(line.strip()) and not line.startswith(ENDS_PARAGRAPH)):
        if is_text and (text := _clean(" ".join(group))).strip(MARKS):
            yield Paragraph(" ".join(unprotect(text.translate(WITHOUT_MARKS)).split()), _fault(text))


def _without_open_comment(source: str) -> str:
    """Cut off a comment that does not end: it hides the rest of the page."""
    position = 0
    while match := COMMENT_OR_NOWIKI.search(source, position):
        is_comment = match[0] == "<!--"
        end = (COMMENT_END if is_comment else NOWIKI_END).search(source, match.end())
        if end is None:
            return source[: match.start()] if is_comment else source
        position = end.end()
    return source


class _Renderer:
    """Writes parsed wikitext as a reader sees it."""

    def __init__(self, wiki: Wiki) -> None:
        self.wiki = wiki

    def page(self, code: Wikicode) -> str:
        """Return the visible text of a page, with a mark where a line shows a program."""
        for node in code.nodes:
            if isinstance(node, nodes.Text):
                node.value = INDENTED.sub(f"\n{PREFORMATTED}", str(node.value))
        return self.text(code)

    def text(self, code: Wikicode) -> str:
        """Return the visible text of parsed wikitext."""
        return "".join(map(self._node, code.nodes))

    def _node(self, node: nodes.Node) -> str:
        """Return the text of one node; comments and arguments of templates have none."""
        match node:
            case nodes.Text():
                return str(node.value)
            case nodes.HTMLEntity():
                return protect(node.normalize())
            case nodes.Wikilink():
                return self._link(node)
            case nodes.ExternalLink():
                return self._external_link(node)
            case nodes.Heading():
                return BREAK
            case nodes.Tag():
                return self._tag(node)
            case nodes.Template():
                return self._template(node)
        return ""

    def _link(self, node: nodes.Wikilink) -> str:
        """Return the text of a link; none for files, categories and links to other languages."""
        namespace, colon, _ = str(node.title).partition(":")
        namespace = namespace.strip()
        if colon and (namespace.lower() in self.wiki.hidden or LANGUAGE_CODE.fullmatch(namespace)):
            return ""
        if node.text is not None:
            return self.text(node.text)
        return self.text(node.title).strip().removeprefix(":")

    def _external_link(self, node: nodes.ExternalLink) -> str:
        """Return the title of a link; a link in brackets without one shows a number, and an address is no word."""
        if node.title:
            return self.text(node.title)
        return REMOVED if node.brackets else HOLE

    def _tag(self, node: nodes.Tag) -> str:
        """Return the text of an HTML tag, or of the wiki markup for one."""
        name = str(node.tag).strip().lower()
        if name not in TAGS:
            return _as_text(node, self.text(node.contents) if node.contents else "")
        if name in LIST_TAGS:
            return f"\n{LIST_MARK}" if node.wiki_markup is None else LIST_MARK
        if name in HIDDEN_TAGS:
            return BREAK if name in HIDDEN_BLOCK_TAGS else REMOVED
        if name in PROGRAM_TAGS:
            return protect(str(node.contents or "")) if node.has("inline") else BREAK
        if name in FORMULA_TAGS:
            return HOLE
        if name == "br":
            return " "
        if name == "nowiki":
            return f"{NOTHING}{protect_brackets(protect(str(node.contents or '')))}{NOTHING}"
        text = self.text(node.contents) if node.contents else ""
        return f"{BREAK}{text}{BREAK}" if name in BLOCK_TAGS else text

    def _template(self, node: nodes.Template) -> str:
        """Return the visible text of a template; a mark where there is none, or none is known."""
        arguments = {str(argument.name).strip(): self.text(argument.value).strip() for argument in node.params}
        form = self.wiki.visible_form(str(node.name), arguments)
        if not form:
            return HOLE if form is None else REMOVED
        _, colon, subject = str(node.name).partition(":")  # {{formatnum:12345}}
        text = fill(form, arguments | ({"1": subject.strip()} if colon else {}), self.wiki.language)
        return HOLE if text is None else text


def _as_text(node: nodes.Tag, contents: str) -> str:
    """Write a tag that MediaWiki does not know: a reader sees it as it is."""
    opening = "".join(map(str, (node.tag, *node.attributes)))
    if node.self_closing:
        return protect(f"<{opening}{node.padding}/>")
    return protect(f"<{opening}>") + contents + protect(f"</{node.closing_tag}>")


def _drop_quotes(line: str) -> str:
    """Remove the marks of bold and italics from a line; what a run of apostrophes has more than these is text.

    Where neither bold nor italics have as many starts as ends, one mark of bold is an apostrophe and italics, as in
    MediaWiki: the first one behind a word of one letter, else the first one behind a longer word, else the first one.
    """
    parts = APOSTROPHES.split(line)
    if len(parts) == 1:
        return line
    texts, lengths = parts[::2], [len(mark) for mark in parts[1::2]]
    for i, length in enumerate(lengths):
        kept = 1 if length == 4 else max(0, length - 5)
        texts[i] += "'" * kept
        lengths[i] = length - kept
    if lengths.count(3) % 2 and lengths.count(2) % 2:
        bold = [i for i, length in enumerate(lengths) if length == 3]
        after_letter = (i for i in bold if texts[i][-1:] != " " and texts[i][-2:-1] == " ")
        after_word = (i for i in bold if texts[i][-1:] != " ")
        texts[next(after_letter, next(after_word, bold[0]))] += "'"
    return "".join(texts)


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


def _clean(text: str) -> str:
    """Remove remains of markup from a paragraph: magic words, lone tags, brackets that were emptied."""
    text = TAG.sub("", MAGIC_WORD.sub("", text))
    text = " ".join(text.split())
    text = EMPTY_BRACKETS.sub("", text)
    text = BRACKET_START.sub(r"\1", text)
    return BRACKET_END.sub("", text).strip()


def _fault(text: str) -> str | None:
    """Return why a cleaned paragraph, with its marks, is no good text; None where it is."""
    if BROKEN.search(text) or _has_open_brackets(text):
        return "broken markup"
    if not any(map(str.isalpha, text)):
        return "no letter"
    return LOST_WORDS if LOSS.search(text) else None


def _has_open_brackets(text: str) -> bool:
    """Return whether brackets of links were left that do not match; [[1, 2], [3]] is text."""
    if "[[" not in text and "]]" not in text:
        return False
    count = 1
    while count:
        text, count = SQUARE_BRACKETS.subn("", text)
    return "[" in text or "]" in text
