"""Plain files and OPUS archives to records: what is kept, what is dropped, and what is refused."""

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from xlm_core import config
from xlm_core.errors import ArchiveError, CorpusError
from xlm_core.io import zstd
from xlm_core.text.extract import ExtractionSettings, extract
from xlm_core.tsv import clean_field

ROOT = Path(__file__).parent.parent.parent
PAPER = config.parse(yaml.safe_load((ROOT / "configs" / "paper.yaml").read_text()))
PAPER_PAIRS = [(corpus, pair) for pair, corpora in PAPER.parallel.items() for corpus in corpora]
COMPRESSORS = {
    "plain": bytes,
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstd.compress,
}
TEXT = "".join(f"Sentence {n}, with its number {n * n}.\n" for n in range(3000))


def run(
    folder: Path, key: str, *contents: bytes, format_: str = "text", n_shards: int = 1, **options
) -> tuple[list[str], dict]:
    """The lines that ``extract`` writes for files of these contents, and its counts."""
    inputs = []
    for n, content in enumerate(contents):
        inputs.append(folder / f"input{n}")
        inputs[-1].write_bytes(content)
    shards = [folder / "out" / f"{n}.tsv" for n in range(n_shards)]
    extract(format_, inputs, shards, key, folder / "out" / "statistics.json", ExtractionSettings(**options))
    lines = [line for shard in shards for line in shard.read_text(encoding="utf-8").split("\n")[:-1]]
    return lines, json.loads((folder / "out" / "statistics.json").read_text())


def fails(
    folder: Path, message: str, key: str, *contents: bytes, format_: str = "text", error=CorpusError, **options
) -> None:
    """``extract`` fails with this message and leaves nothing behind."""
    with pytest.raises(error, match=message):
        run(folder, key, *contents, format_=format_, **options)
    assert not list(folder.glob("out/*")) and not list(folder.glob("out/.*"))


def test_decomposed_letters_are_composed(tmp_path: Path):
    lines, _ = run(tmp_path, "de", "scho\u0308ne Gru\u0308ße\n".encode())
    assert lines == ["schöne Grüße"]


def zipped(folder: Path, files: dict[str, bytes]) -> bytes:
    with zipfile.ZipFile(folder / "x.zip", "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in files.items():
            file.writestr(name, data)
    return (folder / "x.zip").read_bytes()


def tarred(files: dict[str, bytes]) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as file:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    return written.getvalue()


@pytest.mark.parametrize("name", COMPRESSORS)
def test_every_compression_gives_the_same_text(tmp_path, name):
    lines, counts = run(tmp_path, "en", COMPRESSORS[name](TEXT.encode()))
    assert lines == TEXT.splitlines()
    assert counts == {"read": 3000, "kept": 3000, "dropped": {}}


@pytest.mark.parametrize("name", ["gz", "bz2", "xz", "zst"])
def test_several_compressed_streams_in_one_file_are_all_read(tmp_path, name):
    parts = [COMPRESSORS[name](text.encode()) for text in ("one\ntw", "o\n", "", "three\n")]
    assert run(tmp_path, "en", b"".join(parts))[0] == ["one", "two", "three"]


@pytest.mark.parametrize("name", ["gz", "bz2", "xz", "zst"])
@pytest.mark.parametrize("share", [0.5, 0.999])
def test_a_cut_off_file_is_an_error(tmp_path, name, share):
    whole = COMPRESSORS[name](TEXT.encode())
    fails(tmp_path, r"input0: damaged or cut off after line \d+", "en", whole[: int(len(whole) * share)])


def test_bytes_that_are_not_utf8_are_named_by_line(tmp_path):
    fails(tmp_path, r"input0, line 2: byte 3 is not UTF-8", "en", b"good\ncaf" + b"\xe9\n")


def test_empty_lines_are_dropped_and_counted(tmp_path):
    lines, counts = run(tmp_path, "en", b"one\n\n \t \ntwo\r\n\xe2\x80\x8b\nlast without end")
    assert lines == ["one", "two", "last without end"]
    assert counts == {"read": 6, "kept": 3, "dropped": {"empty": 3}}


def test_a_pair_with_an_empty_side_is_dropped_whole(tmp_path):
    lines, counts = run(tmp_path, "de-en", b"eins\n\ndrei\nvier\n", gzip.compress(b"one\ntwo\n \nfour\n"))
    assert lines == ["eins\tone", "vier\tfour"]
    assert counts == {"read": 4, "kept": 2, "dropped": {"empty side": 2}}


@pytest.mark.parametrize(("n_first", "n_second"), [(3, 5), (5, 3), (0, 1), (1, 0)])
def test_unequal_sides_are_an_error_with_both_counts(tmp_path, n_first, n_second):
    message = f"{n_first} in .*input0, {n_second} in .*input1"
    fails(tmp_path, message, "de-en", b"a\n" * n_first, b"b\n" * n_second)


def test_a_file_for_each_side(tmp_path):
    fails(tmp_path, "1 files .* expected one for each of de, en", "de-en", b"a\n")


@pytest.mark.parametrize("content", [b"", b"\n \n\t\n"])
def test_an_empty_language_is_an_error(tmp_path, content):
    fails(tmp_path, "no text in sw, an empty language", "sw", content)


def test_control_characters_go_and_joiners_stay(tmp_path):
    text = "\ufeffa\x00b\tc\x85d \u202eright\u202c so\u00adft क्\u200dष می\u200cخواهم \x1b[0m"
    assert run(tmp_path, "hi", text.encode() + b"\n")[0] == ["ab c d right soft क्\u200dष می\u200cخواهم [0m"]


def test_a_long_line_passes(tmp_path):
    text = "Wort " * 20_000
    assert run(tmp_path, "de", text.encode() + b"\n")[0] == [text.strip()]


def test_line_separators_other_than_newline_do_not_end_a_line(tmp_path):
    lines, _ = run(tmp_path, "de-en", "a\u2028b\nc\x0bd\n".encode(), b"one\ntwo\n")
    assert lines == ["a b\tone", "c d\ttwo"]


@given(st.text(st.characters(codec="utf-8")))
def test_a_clean_field_is_clean_and_stays_as_it_is(text):
    cleaned = clean_field(text)
    assert not set(cleaned) & set("\t\n\r\x00\x0b\x0c\x85\u2028\ufeff\u200b")
    assert cleaned == cleaned.strip() and clean_field(cleaned) == cleaned


def test_a_zero_width_space_is_a_boundary_and_a_joiner_is_not():
    assert clean_field("ភាសា\u200bខ្មែរ") == "ភាសា ខ្មែរ"
    assert clean_field("\u200bmy\u200b \u200b") == "my"
    assert clean_field("می\u200cخواهم") == "می\u200cخواهم"


def test_lines_that_end_in_carriage_returns_alone_are_an_error(tmp_path):
    fails(tmp_path, r"first line holds carriage returns.*tr '\\r' '\\n'", "en", b"one\rtwo\rthree\r")
    assert run(tmp_path, "en", b"one\r\ntwo\r\n")[0] == ["one", "two"]
    assert run(tmp_path, "en", b"one\ra\ntwo\n")[0] == ["one a", "two"]  # a stray one is white space


@pytest.mark.parametrize("is_archive", [False, True])
def test_lines_that_are_not_utf8_are_dropped_where_it_is_asked_for(tmp_path, is_archive, caplog):
    first, second = b"one\ntw\xf6\nthree\nfour\n", b"un\ndeux\ntrois\n" + b"qu\xe4tre\n"
    files = [zipped(tmp_path, {"x.en": first, "x.fr": second})] if is_archive else [first, second]
    format_ = "moses" if is_archive else "text"
    fails(tmp_path, "line 2: byte 2 is not UTF-8.*invalid_utf8: drop", "en-fr", *files, format_=format_)
    lines, counts = run(tmp_path, "en-fr", *files, format_=format_, invalid_utf8="drop")
    assert lines == ["one\tun", "three\ttrois"] and counts == {"read": 4, "kept": 2, "dropped": {"not UTF-8": 2}}
    assert [record.args[1] for record in caplog.records] == [2, 4]


def test_remedies_tell_downloads_from_files_of_the_user(tmp_path):
    fails(tmp_path, "put a whole one in its place", "en", gzip.compress(b"a\n" * 1000)[:-9])
    download = tmp_path / "results/x/raw/web/host/a.gz"
    download.parent.mkdir(parents=True)
    download.write_bytes(gzip.compress(b"a\n" * 1000)[:-9])
    with pytest.raises(CorpusError, match="run again, then it is downloaded again"):
        extract("text", [download], [tmp_path / "o"], "en", tmp_path / "s")


def test_blocks_are_dealt_to_shards(tmp_path):
    content = "".join(f"{n}\n" for n in range(2500)).encode()
    lines, _ = run(tmp_path, "en", content, n_shards=2)
    assert lines == [str(n) for n in (*range(1000), *range(2000, 2500), *range(1000, 2000))]


def test_moses_takes_the_two_sides_in_the_order_of_the_key(tmp_path):
    archive = zipped(
        tmp_path,
        {
            "README": b"about",
            "LICENSE": b"free",
            "README.en": b"about",
            "Books.en-fr.fr": "Bonjour.\nÀ demain.\n".encode(),
            "Books.en-fr.en": b"Hello.\nSee you.\n",
            "Books.en-fr.xml": b"<links/>",
            "Books.en-fr.ids": b"1\n2\n3\n",
        },
    )
    assert run(tmp_path, "en-fr", archive, format_="moses")[0] == ["Hello.\tBonjour.", "See you.\tÀ demain."]


def test_members_may_have_codes_of_their_own(tmp_path):
    archive = zipped(tmp_path, {"b.en-pt_br.en": b"one\n", "b.en-pt_br.pt_br": b"um\n"})
    fails(tmp_path, r"0 members ending in \.pt", "en-pt", archive, format_="moses", error=ArchiveError)
    assert run(tmp_path, "en-pt", archive, format_="moses", member_codes={"pt": "pt_br"})[0] == ["one\tum"]


def test_files_that_macos_adds_to_an_archive_are_none_of_its_members(tmp_path):
    archive = zipped(tmp_path, {"b.en": b"one\n", "b.fr": b"un\n", "__MACOSX/._b.en": b"\0", "._b.fr": b"\0"})
    assert run(tmp_path, "en-fr", archive, format_="moses")[0] == ["one\tun"]


def test_moses_takes_the_two_sides_of_a_tar(tmp_path):
    archive = tarred(
        {"parallel/README": b"about", "parallel/b.en-fr.en": b"one\ntwo\n", "parallel/b.en-fr.fr": b"un\n\n"}
    )
    lines, counts = run(tmp_path, "en-fr", archive, format_="moses")
    assert lines == ["one\tun"] and counts == {"read": 2, "kept": 1, "dropped": {"empty side": 1}}


@pytest.mark.parametrize(
    ("files", "message", "error"),
    [
        ({"b.en-fr.en": b"a\n"}, r"0 members ending in \.fr, expected 1", ArchiveError),
        ({"b.en": b"a\n", "c.en": b"a\n", "c.fr": b"a\n"}, r"2 members ending in \.en", ArchiveError),
        ({"b.en": b"a\n", "b.fr": b"a\nb\n"}, r"1 in .*input0, b\.en, 2 in .*input0, b\.fr", CorpusError),
        ({"b.en": b"a\n", "b.fr": b"a\n", "../c": b"c"}, "leads out", ArchiveError),
        ({"b.en": b"", "b.fr": b""}, "no text in en-fr", CorpusError),
        ({"b.en": b"a\n", "b.fr": b"\xff\n"}, r"b\.fr, line 1: byte 0 is not UTF-8", CorpusError),
    ],
)
def test_bad_moses_archives(tmp_path, files, message, error):
    for archive in (zipped(tmp_path, files), tarred(files)):
        fails(tmp_path, message, "en-fr", archive, format_="moses", error=error)


def test_a_cut_off_archive_is_an_error(tmp_path):
    files = {"b.en": b"a\n" * 1000, "b.fr": b"a\n" * 1000}
    for whole in (zipped(tmp_path, files), tarred(files)):
        fails(tmp_path, "input0: broken", "en-fr", whole[:-30], format_="moses", error=ArchiveError)


def test_files_of_several_years_are_read_one_after_another(tmp_path):
    years = [b"2007 a\n2007 b\n", gzip.compress(b"\n2008 a\n"), b"2009 a"]
    lines, counts = run(tmp_path, "en", *years)
    assert lines == ["2007 a", "2007 b", "2008 a", "2009 a"]
    assert counts == {"read": 5, "kept": 4, "dropped": {"empty": 1}}


def test_files_of_a_pair_are_rows_of_sides(tmp_path):
    lines, _ = run(tmp_path, "de-en", b"eins\nzwei\n", b"one\ntwo\n", b"drei\n", b"three\n")
    assert lines == ["eins\tone", "zwei\ttwo", "drei\tthree"]


def test_each_row_of_sides_is_aligned_by_itself(tmp_path):
    fails(tmp_path, "1 in .*input2, 2 in .*input3", "de-en", b"a\nb\n", b"a\nb\n", b"c\n", b"c\nd\n")


def test_archives_of_a_pair_are_read_one_after_another(tmp_path):
    archives = [zipped(tmp_path, {"x.de": f"{n} de".encode(), "x.en": f"{n} en".encode()}) for n in ("first", "second")]
    assert run(tmp_path, "de-en", *archives, format_="moses")[0] == ["first de\tfirst en", "second de\tsecond en"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((0, 2), ["a0", "a1"]),
        ((1, 3), ["a1", "b0"]),  # of all files together
        ((2, 99), ["b0", "b2"]),
        (None, ["a0", "a1", "b0", "b2"]),
    ],
)
def test_a_range_of_the_lines(tmp_path, lines, expected):
    kept, _ = run(tmp_path, "en", b"a0\na1\n", b"b0\n\nb2\n", line_range=lines)
    assert kept == expected


def test_counts_are_those_of_the_lines_of_the_range(tmp_path):
    lines, counts = run(tmp_path, "en", b"0\n\n2\n\n4\n5\n", line_range=[1, 5])
    assert lines == ["2", "4"] and counts == {"read": 4, "kept": 2, "dropped": {"empty": 2}}


def test_a_range_of_pairs(tmp_path):
    archive = zipped(tmp_path, {"x.de": b"a\n\nc\nd\n", "x.en": b"1\n2\n3\n4\n"})
    assert run(tmp_path, "de-en", archive, format_="moses", line_range=[1, 3])[0] == ["c\t3"]
    assert run(tmp_path, "de-en", b"a\nb\nc\n", b"1\n2\n3\n", line_range=[1, 3])[0] == ["b\t2", "c\t3"]


def test_a_range_beyond_the_last_line_is_an_error(tmp_path):
    fails(tmp_path, "no text in en", "en", b"a\nb\n", line_range=[2, 9])


def sgm_set(name: str, **segments: list[str]) -> dict[str, bytes]:
    """Files of a test set, with segments by language."""
    return {
        f"dev/{name}-ref.{language}.sgm": '<doc docid="a">{}</doc>'.format(
            "".join(f'<seg id="{number}">{text}</seg>' for number, text in enumerate(texts))
        ).encode()
        for language, texts in segments.items()
    }


def test_a_test_set_of_wmt(tmp_path):
    files = sgm_set("dev13", de=["nein"], en=["no"])
    files |= sgm_set("test13", de=["A &amp; B", "zwei\nZeilen ", "", "vier"], en=["A &amp; B", "two lines", "3", "4"])
    lines, counts = run(tmp_path, "de-en", tarred(files), format_="sgm", test_set="test13")
    assert lines == ["A & B\tA & B", "zwei Zeilen\ttwo lines", "vier\t4"]
    assert counts == {"read": 4, "kept": 3, "dropped": {"empty side": 1}}
    lines, _ = run(tmp_path, "de-en", tarred(files), format_="sgm", test_set="test13", line_range=[1, 4])
    assert lines == ["zwei Zeilen\ttwo lines", "vier\t4"]


@pytest.mark.parametrize(
    ("name", "english", "message", "error"),
    [
        ("test14", ["1"], "0 files of references for 'test14'", ArchiveError),
        ("test13", ["1", "2"], "1 segments are there in 'en' and missing in 'de'", CorpusError),
        ("test13", [" "], "no text in de-en", CorpusError),
    ],
)
def test_a_bad_test_set_of_wmt(tmp_path, name, english, message, error):
    archive = tarred(sgm_set("test13", de=["eins"], en=english))
    fails(tmp_path, message, "de-en", archive, format_="sgm", error=error, test_set=name)


def test_official_archives_keep_every_pair(mirror, tmp_path):
    path = mirror / "object.pouta.csc.fi/OPUS-bible-uedin/v1/moses/en-fr.txt.zip"
    lines, counts = run(tmp_path, "en-fr", path.read_bytes(), format_="moses")
    assert counts == {"read": 7000, "kept": 7000, "dropped": {}}
    assert all(line.count("\t") == 1 for line in lines)


@pytest.mark.parametrize(("corpus", "key"), PAPER_PAIRS)
def test_the_archives_of_the_paper_s_corpora_are_read(mirror, tmp_path, corpus, key):
    path = mirror / PAPER.corpora[corpus].template.format(key=key).split("://")[1]
    lines, counts = run(tmp_path, key, path.read_bytes(), format_="moses")
    assert counts["kept"] > 200 and set(counts["dropped"]) <= {"empty side"}
    assert all(line.count("\t") == 1 for line in lines)
    if corpus == "iitb":  # the one tar among them
        assert counts == {"read": 500, "kept": 500, "dropped": {}}
