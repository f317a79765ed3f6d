"""Whatever stands in a file, its parser gives whole records or one of our named errors, and comes to an end.

Each example takes small valid files, hurts them (see ``damage``) inside and outside of their compression, and reads
them. A few examples each are part of the suite; for as many as one likes:

    pytest -m robustness tests/robustness/test_fuzz.py --hypothesis-profile fuzz -k wikipedia
"""

import bz2
import copy
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from damage import damaged, tarred, zipped
from hypothesis import given, settings
from hypothesis import strategies as st
from published_codes import learned

import microworld
from xlm_core import config, tsv
from xlm_core.config import GLUE_FILES, GeneratedFile, Microworld, Text
from xlm_core.errors import XlmError
from xlm_core.interop import pretrained
from xlm_core.io import zstd
from xlm_core.text import fastbpe, tokenize
from xlm_core.text.extract import ExtractionSettings, extract
from xlm_core.text.formats import dictionary, glue, xnli
from xlm_core.text.special_symbols import SPECIAL
from xlm_core.text.vocabulary import Vocabulary

Hurt = Callable[[bytes], bytes]
NLI_LABELS = ("contradiction", "neutral", "entailment")
TINY = Path(__file__).parent.parent / "tiny" / "config.yaml"
gzipped = partial(gzip.compress, mtime=0)
COMPRESSIONS = (bytes, gzipped, bz2.compress, lzma.compress, zstd.compress)
LINES = "".join(f"Line {number} of a text, größer als {number}.\n" for number in range(30)).encode()
DUMP = b"""<?xml version="1.0" encoding="utf-8"?>
<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" xml:lang="en">
<siteinfo><namespaces>
<namespace key="0" case="first-letter" />
<namespace key="6" case="first-letter">Datei</namespace>
<namespace key="14" case="first-letter">Kategorie</namespace>
</namespaces></siteinfo>
<page><title>One</title><ns>0</ns><id>1</id><revision><id>1</id><text xml:space="preserve">{{Infobox|a=[[b]]}}
'''One''' is the [[number|first]] of ''all'' {{lang|de|Zahlen}}&lt;ref name="a"&gt;A note&lt;/ref&gt; (; see: ).
== Heading ==
* item [http://example.org/ link]
{| class="wikitable"
|-
| cell || cell
|}
[[Datei:One.jpg|thumb|A ''caption'' with [[link]]s]] More text &amp;amp; more -{zh-hans:one; zh-hant:other}-.
&lt;!-- comment --&gt; &lt;math&gt;x_1&lt;/math&gt; &lt;br /&gt; __NOTOC__ &lt;nowiki&gt;'''&lt;/nowiki&gt;

[[Kategorie:Numbers]]</text></revision></page>
<page><title>Two</title><ns>0</ns><id>2</id><redirect title="One" /><revision><id>2</id><text /></revision></page>
<page><title>Talk</title><ns>1</ns><id>3</id><revision><id>3</id><text>Not an article.</text></revision></page>
</mediawiki>
"""
ODD_VALUES = [
    *(None, True, 0, -1, 1.5, float("nan"), float("inf"), 10**400, "", "x", "en", "en-fr", "{key}", "a/b", "."),
    *([], ["x"], [None], [[]], {}, {"x": 1}, {1: 2}, {None: None}, [{}], "mlm", "base", b"bytes", "\0", [1, 2], [2, 1]),
]


@cache
def generated() -> dict[GeneratedFile, bytes]:
    """Official files, as small as the microworld's generator makes them."""
    sizes = {"nli_train": 6, "nli_valid": 2, "nli_test": 2, "glue_train": 4, "glue_valid": 2, "glue_test": 2}
    sizes |= {"news_valid": 3, "news_test": 3}
    world = Microworld(
        documents={}, news={"en": 20, "fr": 20}, dictionaries=["en-fr"], similarity={"en-fr": 10}, **sizes
    )
    wanted = [file for file in world.files if file.collection != "news"]
    with TemporaryDirectory() as folder:
        paths = {file: Path(folder) / ".".join(file) for file in wanted}
        microworld.write(world, ["en", "fr"], paths)
        return {file: path.read_bytes() for file, path in paths.items()}


def hurt_zip(content: bytes, hurt: Hurt, *suffixes: str) -> bytes:
    """A zip whose members, or those that end so, are hurt, and then all of it."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        members = {name: file.read(name) for name in file.namelist()}
    return hurt(zipped({name: hurt(data) if name.endswith(suffixes) else data for name, data in members.items()}))


def written(folder: Path, name: str, content: bytes) -> Path:
    (folder / name).write_bytes(content)
    return folder / name


def extracted(folder: Path, format_: str, key: str, *contents: bytes, **options: str) -> None:
    """What extraction makes of files; its records are whole, and there are none where it fails."""
    inputs = [written(folder, f"input{number}", content) for number, content in enumerate(contents)]
    shards = [folder / "0.tsv", folder / "1.tsv"]
    try:
        extract(format_, inputs, shards, key, folder / "statistics.json", ExtractionSettings(**options))
    except XlmError:
        assert not any(path.exists() for path in shards)
        raise
    kept = [fields for path in shards for fields in tsv.read(path, len(key.split("-")))]
    assert len(kept) == json.loads((folder / "statistics.json").read_text())["kept"] and all(map(all, kept))


def read_text(folder: Path, hurt: Hurt, pick: Callable) -> None:
    compress = pick(COMPRESSIONS)
    extracted(folder, "text", "de-en", hurt(compress(hurt(LINES))), LINES)


def read_wikipedia(folder: Path, hurt: Hurt, pick: Callable) -> None:
    extracted(folder, "wikipedia", "en", hurt(pick(COMPRESSIONS)(hurt(DUMP))))


def read_moses(folder: Path, hurt: Hurt, pick: Callable) -> None:
    members = {"README": b"text", "a/x.de-en.de": hurt(LINES), "a/x.de-en.en": hurt(LINES)}
    packed = zipped(members) if pick((True, False)) else pick(COMPRESSIONS)(hurt(tarred(members)))
    extracted(folder, "moses", "de-en", hurt(packed))


def read_sgm(folder: Path, hurt: Hurt, pick: Callable) -> None:
    with tarfile.open(fileobj=io.BytesIO(generated()["tests", "dev"])) as file:
        members = {info.name: file.extractfile(info).read() for info in file.getmembers() if info.isfile()}
    members = {name: hurt(data) if "news_dev" in name else data for name, data in members.items()}
    extracted(folder, "sgm", "en-fr", hurt(gzipped(tarred(members))), test_set="news_dev")


def read_xnli(folder: Path, hurt: Hurt, pick: Callable) -> None:
    contents = {name: generated()["xnli", name] for name in ("evaluation", "training")}
    split = pick(("train", "valid", "test", "translated"))
    which = "training" if split in ("train", "translated") else "evaluation"
    contents[which] = hurt_zip(contents[which], hurt, "train.fr.tsv", "test.fr.en.tsv", "xnli.dev.tsv", "xnli.test.tsv")
    archive, output = written(folder, which, contents[which]), folder / "out.tsv"
    xnli.extract(archive, split, "fr", output, folder / "statistics.json", NLI_LABELS)
    assert all(label in NLI_LABELS for *_, label in tsv.read(output, 3))


def read_glue(folder: Path, hurt: Hurt, pick: Callable) -> None:
    task = pick(("CoLA", "MRPC", "STS-B", "QQP", "MNLI", "AX"))
    paths = []
    for name in GLUE_FILES[task]:
        content = generated()["glue", name]
        content = hurt_zip(content, hurt, ".tsv") if name.endswith(".zip") else hurt(content)
        paths.append(written(folder, name, content))
    part = "test" if task == "AX" else pick(("train", "valid_matched" if task == "MNLI" else "valid", "test"))
    part = "test_mismatched" if (task, part) == ("MNLI", "test") else part
    glue.extract(task, part, paths, folder / "out.tsv", folder / "statistics.json")
    list(tsv.read(folder / "out.tsv", 3))


def read_words(folder: Path, hurt: Hurt, pick: Callable) -> None:
    kind = pick(("dictionary", "similarity"))
    collection = {"dictionary": "dictionaries", "similarity": "similarity"}[kind]
    content = b"\n".join(generated()[collection, "en-fr"].split(b"\n")[:20])
    name = pick(("words.txt", "words.zip", "words.tar.gz"))
    if name == "words.txt" or kind == "dictionary":
        name, content = "words.txt", hurt(pick(COMPRESSIONS)(hurt(content)))
    else:
        members = {"data/en-fr-SEMEVAL17.txt": hurt(content)}
        content = hurt(zipped(members) if name == "words.zip" else gzipped(hurt(tarred(members))))
    source, output = written(folder, name, content), folder / "out.tsv"
    dictionary.extract(kind, source, "en-fr", Text(), output, folder / "statistics.json")
    list(tsv.read(output, 2 if kind == "dictionary" else 3))


def read_published_vocabulary(folder: Path, hurt: Hurt, pick: Callable) -> None:
    codes, vocab = (text.encode() for text in learned())
    paths = written(folder, "codes", hurt(codes)), written(folder, "vocab", hurt(vocab))
    vocabulary = Vocabulary.from_fastbpe(*paths, ["en"], max_size=pick((None, 100)))
    ids = vocabulary.encode(["the king is here", "²\u2028 x"], "en")
    assert max(map(max, ids)) < len(vocabulary) == len(vocabulary.counts)


def read_huggingface_vocabulary(folder: Path, hurt: Hurt, pick: Callable) -> None:
    codes, vocab = learned()
    symbols = [*SPECIAL, *(fastbpe.symbol_of(line.split(" ")[0]) for line in vocab.splitlines())]
    ids = json.dumps({symbol: id_ for id_, symbol in enumerate(symbols)}).encode()
    (
        written(folder, pretrained.PIECES, hurt(ids)),
        written(folder, pretrained.MERGES, hurt(codes.encode())),
    )
    vocabulary = pretrained.read_tokenizer(folder, ["en"])
    assert len(vocabulary.encode(["the king is here"], "en")[0]) > 0


def read_vocabulary(folder: Path, hurt: Hurt, pick: Callable) -> None:
    codes, vocab = (text.encode() for text in learned())
    paths = written(folder, "codes", codes), written(folder, "vocab", vocab[:500])
    Vocabulary.from_fastbpe(*paths, ["en"]).write(folder / "whole.json")
    vocabulary = Vocabulary.read(written(folder, "vocabulary.json", hurt((folder / "whole.json").read_bytes())))
    assert len(vocabulary) == len(vocabulary.counts)


def read_tokens(folder: Path, hurt: Hurt, pick: Callable) -> None:
    language = pick(("de", "en", "hi", "ro", "th", "zh"))
    source, output = written(folder, "in.tsv", hurt(LINES)), folder / "out.tsv"
    tokenize.tokenize(
        source,
        output,
        languages=[language],
        n_fields=1,
        text=Text(romanian="stripped", lowercase=pick((True, False))),
        already_tokenized=pick((True, False)),
        keep_all=pick((True, False)),
        statistics=folder / "statistics.json",
    )
    assert all(fields[0] == tsv.collapse_blanks(fields[0]) for fields in tsv.read(output, 1))


def read_changed_config(folder: Path, hurt: Hurt, pick: Callable) -> None:
    """A configuration of which some values are others, lack, or have another name."""
    data = copy.deepcopy(tiny())
    for _ in range(pick((1, 1, 1, 2, 3))):
        parent, key = pick(inner(data))
        value = copy.deepcopy(pick(ODD_VALUES) if pick((True, False)) else pick([p[k] for p, k in inner(data)]))
        if isinstance(parent, dict) and pick((True, False)):
            parent[pick(("x", "en", 1, None, *parent))] = parent.pop(key) if pick((True, False)) else value
        elif pick((True, True, True, False)):
            parent[key] = value
        else:
            del parent[key]
    config.parse(data)


@cache
def tiny() -> Any:
    return yaml.safe_load(TINY.read_text(encoding="utf-8"))


def inner(data: Any) -> list[tuple[Any, Any]]:
    """Every value of nested dictionaries and lists, as what it is in and its key."""
    keys = list(data) if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ()
    return [(data, key) for key in keys] + [leaf for key in keys for leaf in inner(data[key])]


PARSERS = [
    read_text, read_wikipedia, read_moses, read_sgm, read_xnli, read_glue, read_words, read_published_vocabulary,
    read_huggingface_vocabulary, read_vocabulary, read_tokens, read_changed_config,
]  # fmt: skip
LONG = settings.get_current_profile_name() == "fuzz"
BRIEFLY = settings(max_examples=15, deadline=timedelta(seconds=30))


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.__name__.removeprefix("read_"))
@(settings() if LONG else BRIEFLY)
@given(data=st.data())
def test_records_or_a_named_error(parser: Callable, data: st.DataObject):
    def hurt(content: bytes) -> bytes:
        return data.draw(damaged(content))

    def pick(choices: Any) -> Any:
        return data.draw(st.sampled_from(choices))

    with TemporaryDirectory() as folder:
        try:
            parser(Path(folder), hurt, pick)
        except XlmError as error:
            assert str(error)
