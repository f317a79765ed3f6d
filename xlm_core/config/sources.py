"""Where files come from: corpora, and the microworld's generator."""

from collections.abc import Sequence
from itertools import product
from string import Formatter
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, NamedTuple, Self, TypeVar, get_args

from pydantic import AfterValidator, Field, model_validator

from xlm_core.config.strict_model import LanguageCode, LanguageKey, Seed, StrictModel, check_names
from xlm_core.languages import is_pair, sides

if TYPE_CHECKING:
    from xlm_core.config import Config

Task = Literal["CoLA", "SST-2", "MRPC", "STS-B", "QQP", "MNLI", "QNLI", "RTE", "WNLI", "AX"]  # of GLUE, in its order
GLUE_FILES: dict[str, tuple[str, ...]] = {task: (f"{task}.zip",) for task in get_args(Task)} | {
    "MRPC": ("msr_paraphrase_train.txt", "msr_paraphrase_test.txt", "mrpc_dev_ids.tsv"),
    "QQP": ("QQP-clean.zip",),
    "QNLI": ("QNLIv2.zip",),
    "AX": ("AX.tsv",),
}  # task -> the names of its official files
PLACEHOLDERS = ("key", "language", "year", "date", "file", "shard")  # of addresses and paths
STORE_SPLITS = ("train", "valid", "test")
TEST_SETS = ("news_dev", "news_test")  # of the microworld

Collection = TypeVar("Collection")  # literal names of collections of the microworld


class CorpusSource(StrictModel, Generic[Collection]):
    """Where files come from: exactly one of a URL, a local path, or a ``Collection`` of the microworld's generator.

    Raises:
        ValueError: there is not exactly one origin, or a placeholder in it is unknown.
    """

    url: str | list[str] | None = None
    path: str | None = None
    microworld: Collection | None = None
    licence: str = ""
    sha256: dict[str, str] = Field({})
    bytes: dict[str, int] = Field({})

    @model_validator(mode="after")
    def _has_one_origin(self) -> Self:
        if sum(origin is not None for origin in (self.url, self.path, self.microworld)) != 1:
            raise ValueError("give exactly one of url, path and microworld")
        if self.url == []:
            raise ValueError("url is an empty list; give an address")
        names = [name for text in self.templates for _, name, _, _ in Formatter().parse(text) if name is not None]
        check_names(names, PLACEHOLDERS, "placeholder in the url or path")
        return self

    @property
    def templates(self) -> list[str]:
        """The addresses, the first one before the others are tried, or the path, before names are put into them."""
        if isinstance(self.url, list):
            return self.url
        return [self.url or self.path or ""]

    @property
    def template(self) -> str:
        """The first address, or the path; empty where the files are generated."""
        return self.templates[0]


def _check_range(lines: tuple[int, int]) -> tuple[int, int]:
    """Refuse a range of lines that holds none."""
    first, end = lines
    if not 0 <= first < end:
        raise ValueError(f"lines from {first} up to {end} are none; the first line is 0")
    return lines


LineRange = Annotated[tuple[int, int], AfterValidator(_check_range), Field(strict=False)]


class Corpus(CorpusSource[Literal["documents", "translations", "news", "parallel", "tests"]]):
    """A corpus: files of one format, one or more per language or pair (its keys)."""

    format: Literal["text", "moses", "wikipedia", "sgm", "store"]
    keys: list[LanguageKey] = Field(min_length=1)
    years: list[int] | None = Field(None, min_length=1)
    date: str | None = Field(None, pattern=r"^(latest|\d{8})$")
    checksums: str | None = None
    line_range: dict[str, LineRange] = Field({})
    set: str | None = None
    eval_only: bool = False
    tokenized: bool = False
    keep_lost_words: bool = False
    member_codes: dict[LanguageCode, str] = Field({})
    invalid_utf8: Literal["stop", "drop"] = "stop"

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.years is not None) != ("{year}" in self.template):
            raise ValueError("'years' and '{year}' in the url or path belong together: give both or neither")
        if (self.date is not None) != ("{date}" in self.template):
            raise ValueError("'date' and '{date}' in the url or path belong together: give both or neither")
        if self.checksums and not self.url:
            raise ValueError("'checksums' is the address of sums of downloads: give a url, too")
        if (self.set is not None) != (self.format == "sgm"):
            raise ValueError("'set' names a test set of a corpus of format sgm: give both or neither")
        if self.keep_lost_words and self.format != "wikipedia":
            raise ValueError("'keep_lost_words' is of a corpus of format wikipedia")
        if self.member_codes and self.format != "moses":
            raise ValueError("'member_codes' is of a corpus of format moses")
        if self.invalid_utf8 == "drop" and self.format not in ("text", "moses"):
            raise ValueError("'invalid_utf8' is of a corpus of format text or moses")
        if self.format == "sgm" and not all(is_pair(key) for key in self.keys):
            raise ValueError(f"a corpus of format sgm holds pairs, found keys {', '.join(self.keys)}")
        check_names(self.line_range, self.keys, "line_range")
        if self.format == "store":
            self._check_store()
        return self

    def _check_store(self) -> None:
        """Refuse finished stores that are not in local folders, one for each key, or that are to be changed."""
        if self.path is None:
            raise ValueError("a corpus of format store is in local folders: give their 'path'")
        if self.line_range or self.years or self.eval_only or self.tokenized:
            raise ValueError("a corpus of format store is taken as it is: no line_range, years, eval_only or tokenized")
        if len(self.keys) > 1 and "{key}" not in self.path:
            raise ValueError(f"keys {', '.join(self.keys)} cannot be of one folder: put '{{key}}' into the 'path'")

    def store_paths(self, key: str, shard: int | str) -> dict[str, str]:
        """Return split -> path of the finished store of one shard."""
        folder = self.template.format(key=key, shard=shard).rstrip("/")
        return {split: f"{folder}/{split}.store" for split in STORE_SPLITS}

    def store_sums(self, key: str, shard: int | str) -> dict[str, str]:
        """Return split -> SHA-256 of the finished store of one shard."""
        return {split: self.sha256[f"{key}/{shard}/{split}.store"] for split in STORE_SPLITS}


class SourceFiles(NamedTuple):
    """A section that says where files come from, and what its files are called.

    keys   its languages, pairs, directions, archives or official files
    names  of each key, what replaces ``{file}`` in the address or path; None: the key
    """

    section: CorpusSource[Any]
    keys: Sequence[str]
    names: Sequence[str] | None = None

    def locations(self, key: str) -> list[str]:
        """Return the first addresses, or the paths, of one key: by year, and of each year by side of a pair."""
        return self._filled(self.section.template, key)

    def alternatives(self, key: str) -> list[list[str]]:
        """Return all addresses of each of ``locations``."""
        return list(map(list, zip(*(self._filled(text, key) for text in self.section.templates), strict=True)))

    def checksums(self, key: str) -> str | None:
        """Return the address of the publisher's sums of one key."""
        text = self.section.checksums if isinstance(self.section, Corpus) else None
        return self._filled(text, key)[0] if text else None

    def _filled(self, text: str, key: str) -> list[str]:
        """Put the names of a key, its years and its sides into an address or a path."""
        corpus = self.section if isinstance(self.section, Corpus) else None
        names = {"key": key, "file": (self.names or self.keys)[self.keys.index(key)], "date": corpus and corpus.date}
        years, languages = corpus and corpus.years, sides(key) if "{language}" in text else [""]
        return [text.format(**names, language=language, year=year) for year in years or [0] for language in languages]

    def local_files(self, key: str, n_shards: int) -> list[str]:
        """Return the files of one key that are where the user has them, none if they are downloaded or generated."""
        if isinstance(self.section, Corpus) and self.section.format == "store":
            return [path for shard in range(n_shards) for path in self.section.store_paths(key, shard).values()]
        return self.locations(key) if self.section.path else []


class Download(NamedTuple):
    """Where a file is, and what is known of it.

    urls       http or https addresses, the best one first; behind # the member of the archive there that is the file
    licence    of the file, for the record
    sha256     its known sum, in hexadecimal, the same at all addresses
    n_bytes    its known size
    checksums  address of a list of SHA-1 sums by file name, which the publisher keeps beside the file
    date       the version that the addresses name: "latest" moves
    """

    urls: Sequence[str]
    licence: str = ""
    sha256: str | None = None
    n_bytes: int | None = None
    checksums: str | None = None
    date: str | None = None


class GeneratedFile(NamedTuple):
    """A file of the microworld: its collection, and its language, pair, direction, archive or official name."""

    collection: str
    key: str


# Collection of the microworld -> the keys that its files depend on, beside the seed.
COLLECTION_KEYS = {
    "documents": ["documents"],
    "translations": ["translations"],
    "news": ["news"],
    "parallel": ["parallel"],
    "tests": ["news", "news_valid", "news_test"],
    "dictionaries": ["dictionaries"],
    "similarity": ["similarity"],
    "xnli": ["nli_train", "nli_valid", "nli_test", "translation_errors"],
    "glue": ["glue_train", "glue_valid", "glue_test"],
}


class Microworld(StrictModel):
    """Sizes of the generated corpora."""

    seed: Seed = 0
    documents: dict[LanguageCode, int] = Field({})
    translations: dict[LanguageKey, int] = Field({})
    news: dict[LanguageCode, int] = Field({})
    parallel: dict[LanguageKey, int] = Field({})
    dictionaries: list[str] = Field([])
    similarity: dict[str, int] = Field({})
    news_valid: int = Field(200, gt=0)
    news_test: int = Field(500, gt=0)
    nli_train: int = Field(6000, gt=0)
    nli_valid: int = Field(200, gt=0)
    nli_test: int = Field(1000, gt=0)
    glue_train: int = Field(0, ge=0)
    glue_valid: int = Field(200, gt=0)
    glue_test: int = Field(200, gt=0)
    translation_errors: float = Field(0.1, ge=0, lt=1)

    @property
    def files(self) -> list[GeneratedFile]:
        """Return all that is generated."""
        sized = ("documents", "translations", "news", "parallel", "dictionaries", "similarity")
        collections = {name: list(getattr(self, name)) for name in sized} | {
            "tests": ["dev"] if self.news else [],
            "xnli": ["evaluation", "training"],
            "glue": [file for files in GLUE_FILES.values() for file in files] if self.glue_train else [],
        }
        return [GeneratedFile(collection, key) for collection, keys in collections.items() for key in keys]

    def params(self, collection: str) -> dict[str, Any]:
        """Return the settings that the files of a collection depend on."""
        return self.model_dump(include={"seed", *COLLECTION_KEYS[collection]})


def check_sources(config: "Config") -> None:
    """Refuse a corpus of an unknown language, of text that is not generated, or of stores that cannot be read."""
    for path, source in config.sources.items():
        if source.section.microworld is not None:
            _check_generated(config.microworld, path, source)
    for name, corpus in config.corpora.items():
        languages = (language for key in corpus.keys for language in sides(key))
        check_names(languages, config.all_languages, f"corpora.{name}.keys")
        if corpus.format == "store":
            _check_shards(f"corpora.{name}", corpus, config.text.n_shards)


def _check_generated(world: Microworld | None, path: str, source: SourceFiles) -> None:
    """Refuse a source of the microworld whose collection has not all of its keys."""
    section, collection = source.section, str(source.section.microworld)
    if world is None:
        raise ValueError(f"{path} is of the microworld, but there is no section 'microworld'")
    if collection == "glue" and not world.glue_train:
        raise ValueError(f"{path} is of the microworld, but microworld.glue_train is 0; say how many to generate")
    if isinstance(section, Corpus) and collection == "tests":
        check_names([section.set], TEST_SETS, f"{path}.set")
        languages = (language for key in source.keys for language in sides(key))
        check_names(languages, world.news, f"{path}.keys, languages of microworld.news")
        return
    keys = [file.key for file in world.files if file.collection == collection]
    if missing := [key for key in source.keys if key not in keys]:
        held = ", ".join(keys) or "nothing"
        raise ValueError(f"{path}.keys: microworld.{collection} has no size for '{missing[0]}', only for {held}")


def _check_shards(path: str, corpus: Corpus, n_shards: int) -> None:
    """Refuse stores without a folder for each shard, or without a checksum of every file."""
    if n_shards > 1 and "{shard}" not in corpus.template:
        raise ValueError(f"{path}.path: text.n_shards is {n_shards}: put '{{shard}}' where the numbers of shards stand")
    for key, shard, split in product(corpus.keys, range(n_shards), STORE_SPLITS):
        if (file := f"{key}/{shard}/{split}.store") not in corpus.sha256:
            raise ValueError(f"{path}.sha256: no sum of {file}; sha256sum prints it")
