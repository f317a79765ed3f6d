"""Dumps of Wikipedia: pages, namespaces, damage, and the mirror's dumps."""

import bz2
import json
import time
import tracemalloc
from pathlib import Path

import pytest

from xlm_core.errors import CorpusError
from xlm_core.text.extract import ExtractionSettings, extract
from xlm_core.text.formats import wikipedia, wikitext
from xlm_core.text.formats.wikitext.templates import wiki_of
from xlm_core.tsv import FilterStats


def page(title: str, text: str, ns: int = 0, extra: str = "") -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;")
    return (
        f"<page><title>{title}</title><ns>{ns}</ns><id>1</id>{extra}"
        f"<revision><id>2</id><text xml:space='preserve'>{text}</text></revision></page>\n"
    )


def dump(*pages: str, version: str = "0.11") -> str:
    return (
        f'<mediawiki xmlns="http://www.mediawiki.org/xml/export-{version}/" xml:lang="fr"><siteinfo><namespaces>'
        '<namespace key="0" /><namespace key="6">Fichier</namespace><namespace key="14">Catégorie</namespace>'
        f"</namespaces></siteinfo>{''.join(pages)}</mediawiki>"
    )


def run(folder: Path, content: bytes) -> tuple[list[str], dict]:
    (folder / "dump").write_bytes(content)
    extract("wikipedia", [folder / "dump"], [folder / "out/0.tsv"], "fr", folder / "out/s.json")
    lines = (folder / "out/0.tsv").read_text(encoding="utf-8").split("\n")[:-1]
    return lines, json.loads((folder / "out/s.json").read_text())


def fails(folder: Path, message: str, content: bytes) -> None:
    with pytest.raises(CorpusError, match=message):
        run(folder, content)
    assert not list((folder / "out").iterdir())


@pytest.mark.parametrize("version", ["0.10", "0.11"])
def test_articles_only_with_the_dumps_own_namespaces(tmp_path, version):
    text = dump(
        page("A", "[[Fichier:a.png|Légende]]Un ''mot''.\n\n1999–2000\n\nDeux {{ mots."),
        page("B", "#REDIRECTION [[A]]", extra='<redirect title="A" />'),
        page("Discussion:A", "Bavardage.", ns=1),
        page("C", "Trois.[[Catégorie:X]]"),
        page("D", ""),
        version=version,
    )
    lines, counts = run(tmp_path, bz2.compress(text.encode()))
    assert lines == ["Un mot.", "Trois."]
    dropped = {"broken markup": 1, "no letter": 1, "page of another namespace": 1, "redirect page": 1}
    assert counts == {"read": 6, "kept": 2, "dropped": dropped}


def test_a_paragraph_that_lost_words_is_dropped_unless_it_is_asked_for(tmp_path):
    text = dump(page("A", "Le {{inconnu|x}} parle.\n\nOn a <math>x</math> ici.\n\nUn mot.{{note|x}}"))
    lines, counts = run(tmp_path, text.encode())
    assert lines == ["Un mot."] and counts == {"read": 3, "kept": 1, "dropped": {"lost words": 2}}
    statistics = tmp_path / "s.json"
    settings = ExtractionSettings(keep_lost_words=True)
    extract("wikipedia", [tmp_path / "dump"], [tmp_path / "all.tsv"], "fr", statistics, settings)
    assert (tmp_path / "all.tsv").read_text(encoding="utf-8") == "Le parle.\nOn a ici.\nUn mot.\n"


def test_dumps_of_before_namespaces_had_numbers(tmp_path):
    text = dump(page("Vie: mode d'emploi", "Un."), page("Discussion:A", "Deux."), page("Catégorie:B", "Trois."))
    for number in ("0", "6", "14"):
        text = text.replace(f"<ns>{number}</ns>", "")
    text = text.replace("</namespaces>", '<namespace key="1">Discussion</namespace></namespaces>')
    lines, counts = run(tmp_path, text.encode())
    assert lines == ["Un."] and counts["dropped"] == {"page of another namespace": 2}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a_dump_in_another_encoding(tmp_path, encoding):
    head = f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>'
    text = head + dump(page("A", "Un ''été'' à Łódź, 北京."))
    assert run(tmp_path, text.encode(encoding))[0] == ["Un été à Łódź, 北京."]


def test_several_bz2_streams_in_one_file(tmp_path):
    data = dump(*(page(f"P{n}", f"Page {n}.") for n in range(50))).encode()
    parts = [data[i : i + 1000] for i in range(0, len(data), 1000)]
    assert run(tmp_path, b"".join(map(bz2.compress, parts)))[0] == [f"Page {n}." for n in range(50)]


def test_a_cut_off_dump_says_how_far_it_got(tmp_path):
    data = dump(*(page(f"P{n}", f"Page {n}.") for n in range(50))).encode()
    middle = data.index(b"<title>P30") + 20
    fails(tmp_path, "dump: damaged or cut off after 30 pages, the last being 'P29'", bz2.compress(data[:middle]))


@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_a_broken_bz2_is_an_error(tmp_path, damage):
    data = bytearray(bz2.compress(dump(*(page(f"P{n}", f"Page {n}.") for n in range(50))).encode()))
    if damage == "cut":
        del data[-20:]
    else:
        data[len(data) // 2] ^= 0xFF
    fails(tmp_path, r"dump: damaged or cut off after \d+ pages", bytes(data))


def test_what_is_no_dump_is_an_error(tmp_path):
    fails(tmp_path, "dump: damaged or cut off after 0 pages, the last being the start", b"<html><p>404</html>")
    fails(tmp_path, "dump: damaged or cut off after 0 pages", b"")
    for encoding in ("shift_jis", "hex", "undefined", "none such"):
        head = f'<?xml version="1.0" encoding="{encoding}"?>'
        fails(tmp_path, "dump: damaged or cut off after 0 pages", (head + dump(page("A", "Mot."))).encode())
    fails(tmp_path, "no text in fr", dump(page("B", "{{x}}")).encode())


@pytest.mark.parametrize("unit", ["{{", "[[", "''", "<div>", "<a ", "<!--", "{|\n", "[http://a ", "-{", "( , ", "{{{"])
def test_endless_nesting_does_not_take_minutes(unit):
    counts = FilterStats()
    start = time.perf_counter()
    source = unit * (100_000 // len(unit))
    list(wikipedia._page_records(source, wiki_of("en"), counts, keep_lost_words=False))
    assert time.perf_counter() - start < 10
    assert counts.dropped.total() <= 1


def test_a_page_too_tangled_to_parse_is_counted():
    counts = FilterStats()
    assert not list(wikipedia._page_records("<div>" * 100_000, wiki_of("en"), counts, keep_lost_words=False))
    assert (counts.read, counts.dropped) == (1, {"unparsable page": 1})


def test_a_long_page_passes_whole():
    source = "\n\n".join(f"'''Paragraph''' {n} with a [[link|word]]." for n in range(5000))
    paragraphs = wikitext.paragraphs(source, wiki_of("en"))
    assert list(paragraphs) == [(f"Paragraph {n} with a word.", None) for n in range(5000)]


def test_memory_does_not_grow_with_the_dump(tmp_path):
    peaks = []
    for n_pages in (200, 2000):
        path = tmp_path / str(n_pages)
        path.write_bytes(bz2.compress(dump(*(page(f"P{n}", "Mot. " * 200) for n in range(n_pages))).encode()))
        tracemalloc.start()
        assert sum(1 for _ in wikipedia.read([path], FilterStats(), "fr")) == n_pages
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


@pytest.mark.parametrize("language", ["en", "fr", "ru", "zh", "ar", "th", "hi"])
def test_official_dumps_come_out_without_markup(mirror, tmp_path, language):
    path = mirror / f"dumps.wikimedia.org/{language}wiki/latest/{language}wiki-latest-pages-articles.xml.bz2"
    lines, counts = run(tmp_path, path.read_bytes())
    assert len(lines) > 4000 and counts["dropped"]["redirect page"] > 0
    marks = ("{{", "}}", "[[", "]]", "{|", "|}", "''", "__", "&nbsp;", "<ref", "thumb|", "==", "http")
    assert not [line for line in lines for mark in marks if mark in line]


def test_a_real_dump_comes_out_without_markup(mirror, tmp_path):
    (path,) = (mirror / "dumps.wikimedia.org/enwiki/real-sample").iterdir()
    lines, counts = run(tmp_path, path.read_bytes())
    reasons = {"redirect page", "page of another namespace", "no letter", "lost words", "broken markup"}
    assert len(lines) > 4800 and set(counts["dropped"]) <= reasons
    marks = ("{{", "}}", "[[", "]]", "{|", "''", "&nbsp;", "<ref", "thumb|", "( ;", " ()", "(,")
    assert not [line for line in lines for mark in marks if mark in line]
    assert sum(" ," in line for line in lines) < 0.002 * len(lines)  # what a hole leaves
