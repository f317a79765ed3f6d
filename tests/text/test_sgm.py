"""The test sets of WMT: what their files say, and files that do not belong together or are broken."""

import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from xlm_core.errors import ArchiveError, CorpusError
from xlm_core.io import decode_lines
from xlm_core.text import extract

GERMAN = """<refset setid="newstest2013" srclang="any" trglang="de">
<doc sysid="ref" docid="abendzeitung" genre="news" origlang="de">
<p>
<seg id="1">Zwölf &amp; eins.</seg>
<seg id="2">Er sagt &quot;nein&quot;.</seg>
</p>
</doc>
<doc sysid="ref" docid="bbc" genre="news" origlang="en">
<hl>
<seg id="1">Die Überschrift</seg>
</hl>
</doc>
</refset>
"""
ENGLISH = """<!DOCTYPE refset SYSTEM "mteval.dtd">
<REFSET SETID="newstest2013" SRCLANG="any" TRGLANG="en">
<DOC docid="abendzeitung" origlang="de" sysid="ref">
<SEG id="1">Twelve &#38; one.</SEG>
<SEG ID='2'>He says "no".</SEG>
</DOC>
<DOC GENRE="news" DOCID="bbc">
<SEG id=1> The
headline </SEG>
</DOC>
</REFSET>
"""
LONE = "R&D &copy 2013 &notit; &amp &lt &#64; &#x41; AT&T; &eacute;t&eacute;"
PAIRS = [
    ["Zwölf & eins.", "Twelve & one."],
    ['Er sagt "nein".', 'He says "no".'],
    ["Die Überschrift", " The\nheadline "],
]
PIECES = ["<", ">", "</", "<!", "<![", "<!--", "<?", "seg", "doc", " id=", '"', "&", "&#", "1", "]", "-", "\n", "ü"]
PIECES += ["<doc docid=a>", "</doc>", "<seg id=1>", "</seg>"]


def tar(folder: Path, files: dict[str, str | bytes]) -> Path:
    """An archive like WMT's dev.tgz."""
    with tarfile.open(folder / "dev.tgz", "w:gz") as file:
        for name, text in files.items():
            content = text.encode() if isinstance(text, str) else text
            info = tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    return folder / "dev.tgz"


def segments_of(content: bytes) -> dict[str, str]:
    return extract.sgm_segments(decode_lines(io.BytesIO(content), "place"), "place")


def document(*segments: tuple[str, str], name: str = "bbc") -> str:
    inside = "".join(f'<seg id="{number}">{text}</seg>\n' for number, text in segments)
    return f'<doc docid="{name}">\n{inside}</doc>\n'


@pytest.mark.parametrize(
    ("german", "english"),
    [
        ("newstest2013-ref.de.sgm", "newstest2013-ref.en.sgm"),
        ("dev/newstest2013-ref.de.sgm", "dev/newstest2013-ref.en.sgm"),
        ("dev/newstest2013-ende-ref.de.sgm", "dev/newstest2013-deen-ref.en.sgm"),
        ("dev/newstest2013-deen-ref.de.sgm", "dev/newstest2013-deen-ref.en.sgm"),
    ],
)
def test_pairs_in_the_order_of_the_key_and_of_the_file(tmp_path: Path, german: str, english: str):
    assert list(extract.read_sgm([tar(tmp_path, {english: ENGLISH, german: GERMAN})], "newstest2013", "de-en")) == PAIRS


def test_of_many_sets_and_sides_the_one_asked_for(tmp_path: Path):
    names = [
        "newstest2016-deen-src.de.sgm", "newstest2016-ende-src.en.sgm", "newstest2016-csen-ref.en.sgm",
        "newstest2016-roen-ref.en.sgm", "newstest2015-deen-ref.en.sgm", "newstest2015-ende-ref.de.sgm",
        "oldnewstest2016-ref.en.sgm", "newstest2016-ref.de.txt", "newstest2016B-ref.de.sgm",
    ]  # fmt: skip
    files = {f"dev/{name}": document(("1", "not this")) for name in names}
    files |= {"dev/newstest2016-ende-ref.de.sgm": GERMAN, "dev/newstest2016-deen-ref.en.sgm": ENGLISH}
    assert list(extract.read_sgm([tar(tmp_path, files)], "newstest2016", "de-en")) == PAIRS


def test_segments_belong_together_by_their_numbers_and_not_by_their_lines(tmp_path: Path):
    german = document(("2", "zwei"), ("1", "eins")) + document(("1", "drei"), name="cnn")
    english = document(("1", "three"), name="cnn") + document(("1", "one"), ("2", "two"))
    path = tar(tmp_path, {"s-ref.de.sgm": german, "s-ref.en.sgm": english})
    assert list(extract.read_sgm([path], "s", "de-en")) == [["zwei", "two"], ["eins", "one"], ["drei", "three"]]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("&lt;b&gt; &apos;&#228;&#xe4;&apos;", "<b> 'ää'"),
        ("R&D, AT&T, 3 < 4 > 2", "R&D, AT&T, 3 < 4 > 2"),  # as few files should have it, and some do
        ("one <hi>word</hi> <!-- of two -->more", "one word more"),
        ("", ""),
    ],
)
def test_what_stands_in_a_segment(written: str, expected: str):
    assert segments_of(document(("1", written)).encode()) == {"1 of document bbc": expected}


@pytest.mark.parametrize(
    ("german", "english", "message"),
    [
        (["1", "2"], ["1"], r"s: 1 segments are there in 'de' and missing in 'en': 2 of document bbc"),
        (["3"], ["1", "3"], r"s: 1 segments are there in 'en' and missing in 'de': 1 of document bbc"),
        (["1", "1"], ["1"], r"s-ref\.de\.sgm: segment 1 of document bbc is there twice"),
    ],
)
def test_sides_that_do_not_fit(tmp_path: Path, german: list[str], english: list[str], message: str):
    sides = {"de": german, "en": english}
    files = {f"s-ref.{code}.sgm": document(*((n, "text") for n in numbers)) for code, numbers in sides.items()}
    with pytest.raises(CorpusError, match=message):
        list(extract.read_sgm([tar(tmp_path, files)], "s", "de-en"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no segment"),
        (b"One line.\nAnother one.\n", "no segment, expected <seg id=...> inside <doc docid=...>"),
        (b"<doc docid=a><p></p></doc>", "no segment"),
        (b"<doc docid=a><seg id=1>caf\xe9</seg></doc>", "line 1: byte 26 is not UTF-8"),
        (b"\n<seg id=1>text</seg>", "line 2: a segment without document or id"),
        (b"<doc docid=a><seg>text</seg></doc>", "a segment without document or id"),
        (b"<doc docid=a></doc><seg id=1>text</seg>", "a segment without document or id"),
        (
            b"<doc docid=a><seg id=1>one<seg id=2>two</seg></doc>",
            "segment 1 of document a does not end before the next",
        ),
        (b"<doc docid=a>\n<![no] section", "line 2: broken"),
        (b"<doc docid=a><seg id=1>&#" + b"1" * 5000 + b";</seg></doc>", "line 1: broken"),
    ],
)
def test_broken_files_are_named(content: bytes, message: str):
    with pytest.raises(CorpusError, match=rf"^place.*{message}"):
        segments_of(content)


@pytest.mark.parametrize("end", range(len("</seg>")))
def test_a_file_cut_off_inside_a_segment(end: int):
    content = '<doc docid="a">\n<seg id="1">one</seg>\n<seg id="2">two' + "</seg>"[:end]
    with pytest.raises(CorpusError, match="segment 2 of document a does not end; the file is cut off"):
        segments_of(content.encode())


def test_a_side_cut_off_anywhere_is_an_error(tmp_path: Path):
    whole, last = GERMAN.encode(), GERMAN.encode().rindex(b"</seg>")
    for end in range(0, last, 7):
        path = tar(tmp_path, {"s-ref.de.sgm": whole[:end], "s-ref.en.sgm": ENGLISH})
        with pytest.raises(CorpusError):
            list(extract.read_sgm([path], "s", "de-en"))


@pytest.mark.parametrize(
    ("name", "key", "message"),
    [
        (
            "newstest2012",
            "de-en",
            r"0 files .* 'newstest2012' in 'de', .*newstest2012-ref\.de\.sgm, expected 1; it holds newstest2013-ref",
        ),
        ("newstest2013", "de-fr", r"0 files .* in 'fr'.* holds newstest2013-ref\.de\.sgm, newstest2013-ref\.en\.sgm"),
        ("newstest2016", "en-ro", r"0 files .* in 'en'.* holds newstest2016-ende-ref\.de\.sgm"),
        ("newstest2014", "de-en", r"2 files of references for 'newstest2014' in 'de'"),
    ],
)
def test_a_set_that_is_not_there_is_told_with_what_is(tmp_path: Path, name: str, key: str, message: str):
    files = ["newstest2013-ref.de.sgm", "newstest2013-ref.en.sgm", "newstest2016-ende-ref.de.sgm"]
    files += ["newstest2016-deen-ref.en.sgm", "newstest2014-ref.de.sgm", "newstest2014-ende-ref.de.sgm"]
    path = tar(tmp_path, dict.fromkeys(files, document(("1", "text"))))
    with pytest.raises(ArchiveError, match=message):
        list(extract.read_sgm([path], name, key))


@given(st.binary() | st.lists(st.sampled_from(PIECES)).map(lambda pieces: "".join(pieces).encode()))
@example(b"<![<")
@example(b"<!DOCTYPE [<!")
def test_whatever_a_file_holds_it_is_segments_or_a_corpus_error(content: bytes):
    try:
        parsed = segments_of(content)
    except CorpusError as error:
        assert str(error).startswith("place")
    else:
        assert parsed and all(isinstance(text, str) for text in parsed.values())


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="&<\x00\r"))


@given(st.dictionaries(st.tuples(st.sampled_from("ab"), st.integers(1, 9).map(str)), TEXTS, min_size=1))
def test_what_was_written_is_read(segments: dict[tuple[str, str], str]):
    content = "".join(document((number, text), name=name) for (name, number), text in segments.items())
    expected = [(f"{number} of document {name}", text) for (name, number), text in segments.items()]
    assert list(segments_of(content.encode()).items()) == expected


def test_an_entity_without_a_semicolon_is_text():
    (text,) = extract.sgm_segments([f'<doc docid="a"><seg id="1">{LONE}</seg></doc>'], "x").values()
    assert text == "R&D &copy 2013 &notit; &amp &lt @ A AT&T; été"
