"""Damage: what happens to files on their way, and what else may stand in their place, as a strategy of hypothesis."""

import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st

Draw = Callable[[st.SearchStrategy], Any]
MAX_WOUNDS = 4
ODD = [
    *(b"\0", b"\n", b"\r\n", b"\r", b"\t", b" ", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\x1a", b"\x1f\x8b", b"PK\3\4"),
    *(b"<", b">", b"</", b"<!--", b"<![CDATA[", b"]]>", b"<!", b"<?", b"&", b"&#", b"&#x110000;", b"&#0;", b"&lt;ref>"),
    *(b"shift_jis", b"utf-16", b"hex", b"idna", b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b"&a;"),
    *(b"{{", b"}}", b"[[", b"]]", b"{|", b"|}", b"-{", b"''", b"{{{", b"[http://x ", b"==", b"*", b"|", b"=", b":"),
    *(b"-", b"0", b"-1", b"1.5", b"nan", b"inf", b"1e999", b"9" * 30, b"9" * 5000, b"null", b"true", b"!!python/x"),
    *(b"x" * 70_000, b"<b>" * 2000, b"[" * 3000, b"{{" * 2000, b"- " * 3000, b"\t" * 3000, b"\n" * 3000, b"a " * 9000),
    *(
        text.encode()
        for text in ("²", "\u2028", "\x85", "\ufeff", "\u200d", "😀", "e\u0301" * 500, "\u0e33", "我", "ß")
    ),
]  # what trips parsers: separators, ends of text, half characters, markup, numbers that are none, huge fields
ENCODINGS = ("utf-16", "utf-32", "utf-8-sig", "latin-1", "cp1251", "utf-7")


@st.composite
def damaged(draw: Draw, content: bytes) -> bytes:
    """``content`` with some wounds, or with none."""
    for _ in range(draw(st.integers(0, MAX_WOUNDS))):
        content = draw(st.sampled_from(WOUNDS))(draw, content)
    return content


def _place(draw: Draw, content: bytes) -> int:
    return draw(st.integers(0, len(content)))


def _something(draw: Draw) -> bytes:
    return draw(st.sampled_from(ODD) | st.binary(min_size=1, max_size=8))


def _cut(draw: Draw, content: bytes) -> bytes:
    return content[: _place(draw, content)]


def _insert(draw: Draw, content: bytes) -> bytes:
    offset = _place(draw, content)
    return content[:offset] + _something(draw) + content[offset:]


def _overwrite(draw: Draw, content: bytes) -> bytes:
    offset, new = _place(draw, content), _something(draw)
    return content[:offset] + new + content[offset + len(new) :]


def _erase(draw: Draw, content: bytes) -> bytes:
    offset = _place(draw, content)
    return content[:offset] + content[offset + draw(st.integers(1, 40)) :]


def _repeat(draw: Draw, content: bytes) -> bytes:
    offset, length = _place(draw, content), draw(st.integers(1, 400))
    return content[:offset] + content[offset : offset + length] * draw(st.integers(2, 20)) + content[offset + length :]


def _swap_lines(draw: Draw, content: bytes) -> bytes:
    lines = content.split(b"\n")
    first, second = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
    lines[first], lines[second] = lines[second], lines[first]
    return b"\n".join(lines)


def _replace_a_line(draw: Draw, content: bytes) -> bytes:
    lines = content.split(b"\n")
    offset = draw(st.integers(0, len(lines) - 1))
    lines[offset : offset + 1] = draw(st.sampled_from(([], [lines[offset]] * 2, [b""], [_something(draw)])))
    return b"\n".join(lines)


def _replace_a_field(draw: Draw, content: bytes) -> bytes:
    fields = content.split(draw(st.sampled_from((b"\t", b" ", b'"', b">"))))
    separator = draw(st.sampled_from((b"\t", b" ", b'"', b">")))
    fields[draw(st.integers(0, len(fields) - 1))] = _something(draw)
    return separator.join(fields)


def _transcode(draw: Draw, content: bytes) -> bytes:
    return content.decode("utf-8", "replace").encode(draw(st.sampled_from(ENCODINGS)), "replace")


WOUNDS = (_cut, _insert, _overwrite, _erase, _repeat, _swap_lines, _replace_a_line, _replace_a_field, _transcode)


def zipped(members: Mapping[str, bytes]) -> bytes:
    """A zip."""
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(zipfile.ZipInfo(name), content)
    return raw.getvalue()


def tarred(members: Mapping[str, bytes]) -> bytes:
    """A tar, not compressed."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as file:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    return raw.getvalue()
