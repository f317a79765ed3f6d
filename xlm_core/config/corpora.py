"""The sections about text: where it comes from, and what becomes of it before any model sees it."""

from collections.abc import Sequence
from string import Formatter
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple, Self

from pydantic import AfterValidator, Field, model_validator

from xlm_core.config.pretrained import PretrainedVocabulary
from xlm_core.config.strict_model import Positive, StrictModel, check_exists
from xlm_core.languages import is_pair, sides

if TYPE_CHECKING:
    from xlm_core.config import Config

GLUE_FILES = {
    "CoLA": ("CoLA.zip",),
    "SST-2": ("SST-2.zip",),
    "MRPC": ("msr_paraphrase_train.txt", "msr_paraphrase_test.txt", "mrpc_dev_ids.tsv"),
    "STS-B": ("STS-B.zip",),
    "QQP": ("QQP-clean.zip",),
    "MNLI": ("MNLI.zip",),
    "QNLI": ("QNLIv2.zip",),
    "RTE": ("RTE.zip",),
    "WNLI": ("WNLI.zip",),
    "AX": ("AX.tsv",),
}  # task of GLUE, in the order of its leaderboard -> what its official files are called
PLACEHOLDERS = ("key", "language", "year", "file", "shard")  # of addresses and paths
TEST_SETS = ("news_dev", "news_test")  # of the microworld
COLLECTIONS = {
    "corpora": ("documents", "translations", "news", "parallel", "tests"),
    "xnli": ("xnli",),
    "glue": ("glue",),
    "embeddings.dictionary": ("dictionaries",),
    "embeddings.similarity": ("similarity",),
}  # section of a source -> the collections of the microworld that it can name


class CorpusSource(StrictModel):
    """Where files come from: exactly one of a URL, a local path, or a collection of the microworld's generator."""

    url: str | None = None
    path: str | None = None
    microworld: (
        Literal["documents", "translations", "news", "parallel", "tests", "xnli", "glue", "dictionaries", "similarity"]
        | None
    ) = None
    licence: str = ""
    sha256: dict[str, str] = Field({})
    bytes: dict[str, int] = Field({})

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if sum(origin is not None for origin in (self.url, self.path, self.microworld)) != 1:
            raise ValueError("give exactly one of url, path and microworld")
        return self

    @property
    def place(self) -> str:
        """The address or path, before names are put into it; empty where the files are generated."""
        return self.url or self.path or ""

    @model_validator(mode="after")
    def _placeholders_are_known(self) -> Self:
        for _, name, _, _ in Formatter().parse(self.place):
            if name is not None:
                check_exists(name, PLACEHOLDERS, "placeholder in the url or path")
        return self

    def locations(self, key: str, file: str = "", years: Sequence[int] = (0,)) -> list[str]:
        """The addresses or paths of one key: by year, and of each year by side of a pair.

        Args:
            key: a language, a pair, or an official file's name.
            file: replaces ``{file}``.
            years: replace ``{year}``.
        """
        languages = sides(key) if "{language}" in self.place else [""]
        names = {"key": key, "file": file}
        return [self.place.format(**names, language=language, year=year) for year in years for language in languages]


def _is_range(lines: tuple[int, int]) -> tuple[int, int]:
    """Refuse a range of lines that holds none."""
    first, end = lines
    if not 0 <= first < end:
        raise ValueError(f"lines from {first} up to {end} are none; the first line is 0")
    return lines


LineRange = Annotated[tuple[int, int], AfterValidator(_is_range), Field(strict=False)]


class Corpus(CorpusSource):
    """A corpus: files of one format, one or more per language or pair (its keys)."""

    format: Literal["text", "moses", "wikipedia", "sgm", "store"]
    keys: list[str] = Field(min_length=1)
    years: list[int] | None = Field(None, min_length=1)
    line_range: dict[str, LineRange] = Field({})
    set: str | None = None
    eval_only: bool = False
    tokenized: bool = False

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.years is not None) != ("{year}" in self.place):
            raise ValueError("'years' and '{year}' in the url or path belong together: give both or neither")
        if (self.set is not None) != (self.format == "sgm"):
            raise ValueError("'set' names a test set of a corpus of format sgm: give both or neither")
        if self.format == "sgm" and not all(is_pair(key) for key in self.keys):
            raise ValueError(f"a corpus of format sgm holds pairs, found keys {', '.join(self.keys)}")
        for key in self.line_range:
            check_exists(key, self.keys, "line_range")
        if self.format == "store":
            self._check_store()
        return self

    def locations(self, key: str, file: str = "", years: Sequence[int] = ()) -> list[str]:
        """As ``CorpusSource.locations``, with the years of the corpus."""
        return super().locations(key, file, years or self.years or (0,))

    def store_paths(self, key: str, shard: int | str) -> dict[str, str]:
        """Split -> path of the finished store of one shard."""
        folder = self.place.format(key=key, shard=shard).rstrip("/")
        return {split: f"{folder}/{split}.store" for split in ("train", "valid", "test")}

    def store_files(self, key: str, n_shards: int) -> list[str]:
        """What the files of a given store are called under ``sha256``: it/0/train.store."""
        return [f"{key}/{shard}/{split}.store" for shard in range(n_shards) for split in ("train", "valid", "test")]

    def store_sums(self, key: str, shard: int | str) -> dict[str, str]:
        """Split -> SHA-256 of the finished store of one shard."""
        return {split: self.sha256[f"{key}/{shard}/{split}.store"] for split in ("train", "valid", "test")}

    def _check_store(self) -> None:
        """A given store lies in folders, and is taken as it is."""
        if self.path is None:
            raise ValueError("a corpus of format store is in local folders: give their 'path'")
        if self.line_range or self.years or self.eval_only or self.tokenized:
            raise ValueError("a corpus of format store is taken as it is: no line_range, years, eval_only or tokenized")
        if len(self.keys) > 1 and "{key}" not in self.path:
            raise ValueError(f"keys {', '.join(self.keys)} cannot be of one folder: put '{{key}}' into the 'path'")


class Text(StrictModel):
    """Cleaning, tokenization and splitting."""

    n_shards: int = Field(1, gt=0)
    lowercase: bool = True
    strip_accents: bool = True
    romanian: Literal["keep", "normalized", "stripped"] = "keep"
    deduplicate: bool = False
    min_words: int = Field(1, gt=0)
    max_words: int = Field(200, gt=0)
    max_ratio: float = Field(3.0, ge=1)
    min_letter_ratio: float = Field(0.0, ge=0, le=1)
    min_script_ratio: float = Field(0.0, ge=0, le=1)
    valid_fraction: float = Field(0.01, gt=0, lt=0.5)
    test_fraction: float = Field(0.01, gt=0, lt=0.5)

    @model_validator(mode="after")
    def _some_lengths_are_kept(self) -> Self:
        if self.min_words > self.max_words:
            raise ValueError(f"min_words is {self.min_words}, but max_words is {self.max_words}: no line is kept")
        return self


class VocabularyConfig(StrictModel):
    """Byte-pair encoding."""

    size: int = Field(gt=20)
    shared: bool = True
    language_sampling_alpha: float = Field(0.5, ge=0, le=1)
    sample_lines: int = Field(1_000_000, gt=0)
    character_coverage: float = Field(1.0, gt=0.9, le=1)
    pretrained: PretrainedVocabulary | None = None


class GeneratedFile(NamedTuple):
    """A file of the microworld: its collection, and its language, pair, direction, archive or official name."""

    collection: str
    key: str


class Microworld(StrictModel):
    """Sizes of the generated corpora."""

    seed: int = 0
    documents: dict[str, int]
    translations: dict[str, int] = Field({})
    news: dict[str, int] = Field({})
    parallel: dict[str, int] = Field({})
    dictionaries: list[str] = Field([])
    similarity: dict[str, int] = Field({})
    news_valid: int = Field(200, gt=0)
    news_test: int = Field(500, gt=0)
    nli_train: int = Positive
    nli_valid: int = Positive
    nli_test: int = Positive
    glue_train: int = Field(0, ge=0)
    glue_valid: int = Field(200, gt=0)
    glue_test: int = Field(200, gt=0)
    translation_errors: float = Field(0.1, ge=0, lt=1)

    @property
    def files(self) -> list[GeneratedFile]:
        """Return all that is generated."""
        sizes = {
            "documents": self.documents,
            "translations": self.translations,
            "news": self.news,
            "parallel": self.parallel,
            "dictionaries": self.dictionaries,
            "similarity": self.similarity,
            "tests": ["dev"] if self.news else [],
            "xnli": ["evaluation", "training"],
            "glue": [file for files in GLUE_FILES.values() for file in files] if self.glue_train else [],
        }
        return [GeneratedFile(collection, key) for collection, keys in sizes.items() for key in keys]


def check_sources(config: "Config") -> None:
    """Refuse a corpus of an unknown language, of text that is not generated, or of stores that cannot be read."""
    for path, source in config.sources.items():
        if source.microworld is not None:
            _check_generated(config.microworld, path, source)
    for name, corpus in config.corpora.items():
        for language in (language for key in corpus.keys for language in sides(key)):
            check_exists(language, config.all_languages, f"corpora.{name}.keys")
        if corpus.format == "store":
            _check_store(f"corpora.{name}", corpus, config.text.n_shards)


def _check_generated(world: Microworld | None, path: str, source: CorpusSource) -> None:
    """Check that the microworld has the collection that a source names, for all of its keys."""
    collection, section = str(source.microworld), path.partition(".")[0]
    if world is None:
        raise ValueError(f"{path} is of the microworld, but there is no section 'microworld'")
    expected = COLLECTIONS.get(path) or COLLECTIONS[section]
    if collection not in expected:
        raise ValueError(f"{path}.microworld: expected {' or '.join(expected)}, found '{collection}'")
    if collection == "glue" and not world.glue_train:
        raise ValueError(f"{path} is of the microworld, but microworld.glue_train is 0; say how many there shall be")
    if collection == "tests" and isinstance(source, Corpus):
        check_exists(str(source.set), TEST_SETS, f"{path}.set")
        for language in (language for key in source.keys for language in sides(key)):
            check_exists(language, world.news, f"{path}.keys, languages of microworld.news")
    elif collection not in ("xnli", "glue"):
        sizes = getattr(world, collection)
        for key in vars(source)["keys"]:
            if key not in sizes:
                held = ", ".join(sizes) or "nothing"
                raise ValueError(f"{path}.keys: microworld.{collection} has no size for '{key}', only for {held}")


def _check_store(path: str, corpus: Corpus, n_shards: int) -> None:
    """Check that there is a folder for each shard, and a checksum of every file."""
    if n_shards > 1 and "{shard}" not in corpus.place:
        raise ValueError(
            f"{path}.path: there are {n_shards} shards (text.n_shards): put '{{shard}}' where their numbers stand"
        )
    for key in corpus.keys:
        for file in corpus.store_files(key, n_shards):
            if file not in corpus.sha256:
                raise ValueError(f"{path}.sha256: no sum of {file}; sha256sum prints it")
