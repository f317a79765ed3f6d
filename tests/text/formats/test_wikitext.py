"""Wikitext to paragraphs: each case of markup with the text a reader sees."""

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from xlm_core.text.formats import wikitext
from xlm_core.text.formats.wikitext.templates import wiki_of

WIKI = wiki_of("en")
CASES = [
    # wikitext, paragraphs
    ("'''Rome''' is a ''big'' city.", ["Rome is a big city."]),
    ("L''''arbre''' et '''''les''''' d'or", ["L'arbre et les d'or"]),
    ("a ''b without an end\n\nc", ["a b without an end", "c"]),
    ("One [[city]], two [[city|cities]], [[:Category:Towns|towns]] and [[Rome#History|its ''history'']].",
     ["One city, two cities, towns and its history."]),
    ("{{Infobox|name={{lang|la|Roma}}\n|map=[[File:a.png]]}}\nRome{{efn|{{x}}}} is old.", ["Rome is old."]),
    ("Old<ref name=a>{{cite|x}} see [[b]]</ref> town<ref name=a />.", ["Old town."]),
    ("Here.\n{| class=wikitable\n! A !! B\n|-\n| 1 ||\n{|\n| inner\n|}\n|}\nThere.", ["Here.", "There."]),
    ("Here.\n|}\nThere.\n{| class=wikitable\n| 1 || 2", ["Here.", "There."]),
    ("[[File:a.jpg|thumb|A ''caption'' with [[links|a link]] inside]]\nText.", ["Text."]),
    ("[[Fichier:a.jpg|vignette|Légende]][[fichier : b.jpg]]Texte.[[Catégorie:Ville]]", ["Texte."]),
    ("[[Файл:a.jpg|мини]]Текст.[[ไฟล์:b.jpg]][[Image:c.png]]", ["Текст."]),
    ("Text.\n[[fr:Rome]]\n[[zh-min-nan:Roma]]\n[[Category:Cities|*]]", ["Text."]),
    ("see [[:fr:Rome|the page]] and [[Star Wars: Episode IV]]", ["see the page and Star Wars: Episode IV"]),
    ("== Heading ==\nFirst.\n=== ''Deeper'' ===\nSecond.", ["First.", "Second."]),
    ("Intro:\n* one\n* [[two]]\n# three\n:: four\n; five : six\nOutro.", ["Intro:", "Outro."]),
    ("Intro <ul><li>one</li></ul>\n<li>two\nOutro.", ["Intro", "Outro."]),
    ("a<!-- hidden\n\nhidden -->b<br />c<span style=\"x\">d</span> <nowiki>e</nowiki> H<sub>2</sub>O", ["ab cd e H2O"]),
    ("5&nbsp;km &amp;nbsp;&ndash; &amp;amp; &#233;&#x4e2d;", ["5 km &nbsp;– &amp; é中"]),
    ("__NOTOC__\nText.__БЕЗ_ОГЛАВЛЕНИЯ__ {{DEFAULTSORT:x}}", ["Text."]),
    ("See [https://a.org the site] or https://a.org/a?b or [https://a.org].", ["See the site or or ."]),
    ("Let <math>x^2 < 3</math> be <chem>H2</chem><gallery>\na.png|caption\n</gallery>", ["Let be"]),
    ("Paris ({{lang|fr|Paris}}; {{IPA|x}}) and Rome ({{lang-la|Roma}}; from Etruscan) and ({{x}}).",
     ["Paris (Paris) and Rome (Roma; from Etruscan) and."]),
    ("巴黎（{{lang|fr|Paris}}，）是-{zh-hans:计算机; zh-hant:電腦}-城市-{T|zh:x}--{好}-。",
     ["巴黎（Paris，）是计算机城市好。"]),
    ("a line\nand its second\n\nnext", ["a line and its second", "next"]),
    ("Code:\n  '''if''' x:\n    y\n[[File:a.png]] Text\n<blockquote>\n Quoted</blockquote>\n{{quote|\n so}}",
     ["Code:", "Text", "Quoted", "so"]),
    ("Here.\n<pre>a\n\nb</pre>\nThere.\n<syntaxhighlight lang=c>\nc;\n</syntaxhighlight>\nEnd.",
     ["Here.", "There.", "End."]),
    ("Before\n<ol><li>one</li></ol>\nAfter\n<gallery>\na.png|x\n</gallery>\nLast", ["Before", "After", "Last"]),
    ("Keys <code>a[1]</code>, <source lang=basic inline>LET [] = []</source> and <kbd>''x''</kbd>.",
     ["Keys a[1], LET [] = [] and x."]),
    ("<blockquote>Quoted.</blockquote><div class=a>Boxed.</div>Free.", ["Quoted.", "Boxed.", "Free."]),
    ("", []),
    ("{{only|a template}}\n[[Category:x]]", []),
]  # fmt: skip


def texts(source: str, language: str = "en") -> list[str]:
    return [paragraph.text for paragraph in wikitext.paragraphs(source, wiki_of(language))]


@pytest.mark.parametrize(("source", "expected"), CASES)
def test_what_a_reader_sees(source, expected):
    assert texts(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("l'''Iliade''", "l'Iliade"),  # one mark of bold is an apostrophe and italics
        ("C'''est'' l'''''un''''' et l'''autre'''", "Cest lun et l'autre"),
        ("a'''b'' x '''c'''", "a'b x c"),
        ("l''''arbre'''", "l'arbre"),
        ("'''''''seven'''''", "''seven"),
        ("d'<nowiki/>''alba''", "d'alba"),
        ("L{{'}}'''Atlas'''", "L'Atlas"),
        ("L&#39;'''Atlas'''", "L'Atlas"),
        ("<nowiki>''x'' [[y]] {{z}} <b></nowiki>", "''x'' [[y]] {{z}} <b>"),
        ("The matrix [[1, 2], [3, 4]]", "The matrix [[1, 2], [3, 4]]"),
        ("x<y und z>w", "x<y und z>w"),
        ("x&lt;y und z&gt;w", "x<y und z>w"),
        ("List<String> of <Foo bar=1>a</Foo> and <Empty/>", "List<String> of <Foo bar=1>a</Foo> and <Empty/>"),
        ("&lt;br&gt; &amp;lt;br&amp;gt;", "<br> &lt;br&gt;"),
        ("main() calls exit() in __init__", "main() calls exit() in __init__"),
        ("We were [...] late", "We were [...] late"),
        ("Tsao () and Ma ( , )", "Tsao and Ma"),
        ("a<!-- hidden -->b <!-- not closed\n\nc", "ab"),
        ("<nowiki><!--</nowiki> a", "<!-- a"),
        ("__NOTOC__ __ТОС__ __无目录__ a", "a"),
    ],
)
def test_text_is_not_taken_for_markup(source, expected):
    assert texts(source) == [expected]


@pytest.mark.parametrize(
    ("language", "source"),
    [
        ("de", "[[Bild:Turm.jpg|miniatur|Der Turm am Abend]]Der Turm."),
        ("pt", "[[Imagem:Torre.jpg|thumb|A torre]]Der Turm."),
        ("es", "[[Imagen:Torre.jpg]]Der Turm.[[categoría:Torres]]"),
        ("ru", "[[Изображение:Башня.jpg|мини|Башня]]Der Turm.[[Категория:Башни]]"),
        ("xx", "[[Datei:Turm.jpg]]Der Turm.[[Kategorie:Türme]][[分类:塔]]"),
    ],
)
def test_files_and_categories_have_many_names(language, source):
    assert texts(source, language) == ["Der Turm."]


def test_names_of_the_dump_are_added():
    wiki = WIKI.with_namespace("Gambar Lama", is_hidden=True)
    assert [p.text for p in wikitext.paragraphs("[[gambar lama:a.jpg|x]]b", wiki)] == ["b"]
    assert replace(wiki, hidden=frozenset()).namespaces > WIKI.namespaces


@pytest.mark.parametrize(
    ("language", "source", "expected"),
    [
        ("en", "It is {{convert|93|km}} long.", "It is 93 km long."),
        ("en", "{{convert|6|ft|4|in|m}}, {{cvt|10|to|20|sqmi|abbr=on}}", "6 ft 4 in, 10 to 20 sq mi"),
        ("en", "{{convert|22|e6acre|km2}} of land", "22 million acre of land"),
        ("en", "{{lang|fr|liberté}}, {{lang-de|Haus}}", "liberté, Haus"),
        ("en", "{{formatnum:12345}} {{Nowrap|a ''b'' [[c|d]]}}{{nbsp}}e", "12,345 a b d e"),
        ("de", '{{formatnum:1234567}}, {{"|Wort}}', "1.234.567, „Wort“"),
        ("fr", "au {{s|XIX|e}}, {{unité|1200|km}}, {{«|mot}}", "au XIXe siècle, 1 200 km, « mot »"),
        ("es", "{{unidad|1500|m}} en el {{siglo|XV}}", "1.500 m en el siglo XV"),
        ("en", "a {{frac|1|2}} {{spaced ndash}} {{sub|x}}{{'s}}", "a 1/2 – x's"),
        ("en", "{{nowrap|{{convert|5|km}} away}}", "5 km away"),
        ("en", "{{nihongo|''Ukemi''|受身}} is, {{nihongo|Aikido||Aikidō}} is", "Ukemi (受身) is, Aikido (Aikidō) is"),
        ("en", "{{nihongo|Aikido}} of {{val|5}}, {{val|5|u=m}}.", "Aikido of 5, 5 m."),
        ("en", "{{vanchor|16|el16}} Done. {{coord|1|N|2|E|display=title}}", "16 Done."),
        ("fr", "le {{date|14||1789}}.", "le 14 1789."),
        ("en", "{{ill|Rector of Oslo|no|Rektor|lt=rector}} and {{ill|Oslo|no}}", "rector and Oslo"),
        (
            "ru",
            "из {{нп5|Гарвардский университет|Гарвардского университета|en|Harvard}}, {{нп5|Йель||en|Yale}}",
            "из Гарвардского университета, Йель",
        ),
        (
            "ru",
            "{{не переведено|есть=:en:ofuda|надо=офуда|текст=|язык=en}} и {{Не переведено 3|А|Б|en|A}}",
            "офуда и Б",
        ),
        ("it", "È {{cn|la prima}} città{{cn}} a {{M|12|ul=km}}, {{TA|5 m}}.", "È la prima città a 12 km, 5 m."),
        ("es", "a {{esd|10 km}}.", "a 10 km."),
        ("pt", "A cidade{{nota de rodapé|Ou vila.}} é antiga{{quando?}}.", "A cidade é antiga."),
        ("nl", "Het is {{feit|de eerste|2011}} stad{{bron?}}.", "Het is de eerste stad."),
        (
            "ja",
            "{{仮リンク|首相府|en|Office|label=府}}の{{読み仮名|東京|とうきょう}}、{{ルビ|大阪|おおさか}}{{要出典}}。",
            "府の東京（とうきょう）、大阪。",
        ),
        (
            "zh",
            "{{noteTA|1=x}}爱因斯坦{{bd|1879年|3月14日|1955年|4月18日}}在{{link-en|甲|A|乙}}和{{tsl|en|B|丙}}。",
            "爱因斯坦（1879年3月14日－1955年4月18日）在乙和丙。",
        ),
    ],
)
def test_templates_show_what_readers_see(language, source, expected):
    assert list(wikitext.paragraphs(source, wiki_of(language))) == [(expected, None)]


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("The {{unknown|a}} is here.", "lost words"),
        ("Such as {{IPA|x}}, or {{IPA|y}}.", "lost words"),
        ("Let <math>x</math> be.", "lost words"),
        ("It is {{convert}} long.", "lost words"),  # its argument is missing
        ("It lies at {{Coord|12|19|N|70|1|W|}}.", "lost words"),
        ("It lies at {{coord|12|19|N|70|1|W|display=inline,title}}, there.", "lost words"),
        ("As {{harvnb|Smith|2001}} has it.", "lost words"),
        ("It lies there {{coord|1|N|2|E|display=title}} and here.", None),
        ("It lies there ({{coord|1|N|2|E}}) and here.", None),
        ("A word{{unknown}} and another.{{cite|x}} {{sfn|x}}", None),  # behind words there are notes
        ("{{unknown}} A word.", None),  # at the start of a line there are boxes
        ("Berlin ({{IPA|x}}; {{audio|x}}) is a city.", None),  # gone with its brackets
        ("Old<ref>see</ref> town, as said.", None),
        ("a [[b", "broken markup"),
        ("a {{ b", "broken markup"),
        ("1999–2000", "no letter"),
    ],
)
def test_faults_of_a_paragraph(source, fault):
    (paragraph,) = wikitext.paragraphs(source, WIKI)
    assert paragraph.fault == fault


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"))))
@example("(:")
@example("(;) （） ( ) [,]")
def test_what_nowiki_holds_is_seen_as_it_is(text):
    source = f"a <nowiki>{text.replace('<', '').replace('-{', '').replace('&', '')}</nowiki> b"
    inside = " ".join(source.replace("<nowiki>", "").replace("</nowiki>", "").split())
    assert "".join(texts(source)).replace(" ", "") == inside.replace(" ", "")
