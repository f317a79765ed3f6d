"""Raw files: which files every corpus begins with, where they are, and what the configuration knows of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from xlm_core.config import GLUE_FILES, Config, Corpus, CorpusSource

GENERATED = {
    "documents": "{key}.txt.gz",
    "translations": "{key}.txt.zip",
    "news": "{key}.txt.gz",
    "parallel": "{key}.txt.zip",
    "tests": "dev.tgz",
    "dictionaries": "{key}.txt",
    "similarity": "{key}-SEMEVAL17.txt",
    "glue": "{key}",
}  # collection of the microworld -> name of its files
XNLI_ARCHIVES = {"evaluation": "XNLI-1.0.zip", "training": "XNLI-MT-1.0.zip"}


@dataclass(frozen=True)
class RawSource:
    """A section of the configuration that says where files come from.

    section   url, path or collection of the microworld
    keys      its languages, pairs, directions, archives or official files
    files     key -> what replaces ``{file}`` in the url or path
    """

    section: CorpusSource
    keys: tuple[str, ...]
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Download:
    """A file to download; sum and size are None where the configuration does not give them."""

    url: str
    licence: str
    sha256: str | None
    n_bytes: int | None


class RawFiles:
    """The raw files of a configuration, as paths relative to the working directory."""

    def __init__(self, config: Config) -> None:
        """List the sources, and the downloads by their locations below ``raw/web``."""
        self.config = config
        self.results = f"results/{config.name}"
        self.corpora = {name: RawSource(corpus, tuple(corpus.keys)) for name, corpus in config.corpora.items()}
        self.xnli = {
            "evaluation": RawSource(config.xnli.evaluation, ("evaluation",)),
            "training": RawSource(config.xnli.training, ("training",)),
        }
        self.glue: dict[str, RawSource] = {
            task: RawSource(section, GLUE_FILES[task], dict(zip(GLUE_FILES[task], section.files or (), strict=False)))
            for task, section in (config.glue.tasks.items() if config.glue else ())
        }
        lists = config.embeddings.lists if config.embeddings else {}
        self.word_pairs = {name: RawSource(section, tuple(section.keys)) for name, section in lists.items()}
        self.downloads: dict[str, Download] = self._downloads()

    def files(self, source: RawSource, key: str) -> list[str]:
        """The files of one key of a source: generated, downloaded, or where the user has them."""
        if source.section.microworld:
            return [self.generated(source.section.microworld, key)]
        locations = source.section.locations(key, source.files.get(key, key))
        if source.section.url:
            return [f"{self.results}/raw/web/{_location(url)}" for url in locations]
        return locations

    def glue_files(self, task: str) -> list[str]:
        """The official files of a task of GLUE."""
        return [path for key in GLUE_FILES[task] for path in self.files(self.glue[task], key)]

    def generated(self, collection: str, key: str) -> str:
        """The file of the microworld for a language, a pair, the test sets, an archive of XNLI or a file of GLUE."""
        name = XNLI_ARCHIVES[key] if collection == "xnli" else GENERATED[collection].format(key=key)
        return f"{self.results}/raw/microworld/{collection}/{name}"

    def all_generated(self) -> list[str]:
        """All files of the microworld, in the order of ``Microworld.files``."""
        if self.config.microworld is None:
            return []
        return [self.generated(*file) for file in self.config.microworld.files]

    def describe(self, path: str) -> dict[str, Any]:
        """Path, origin and licence of a raw file; of a download its address, and the record of its download."""
        for location, download in self.downloads.items():
            if path == f"{self.results}/raw/web/{location}":
                record = f"{self.results}/work/downloads/{location}.json"
                origin = {"origin": "downloaded", "licence": download.licence}
                return {"path": path, **origin, "url": download.url, "record": record}
        if path in self.all_generated():
            return {"path": path, "origin": "generated", "licence": "MIT"}
        licences = {file: source.section.licence for source, key in self._keys() for file in self._local(source, key)}
        return {"path": path, "origin": "local", "licence": licences.get(path, "")}

    def _keys(self) -> Iterator[tuple[RawSource, str]]:
        """Every source with each of its keys."""
        for sources in (self.corpora, self.xnli, self.glue, self.word_pairs):
            for source in sources.values():
                yield from ((source, key) for key in source.keys)

    def _local(self, source: RawSource, key: str) -> list[str]:
        """The files of a source that lie where the user has them."""
        if isinstance(source.section, Corpus) and source.section.format == "store":
            shards = range(self.config.text.n_shards)
            return [path for shard in shards for path in source.section.store_paths(key, shard).values()]
        return self.files(source, key)

    def _downloads(self) -> dict[str, Download]:
        """Location below ``raw/web`` -> download; files that several corpora share are downloaded once."""
        readers: dict[str, tuple[str, list[tuple[CorpusSource, str]]]] = {}
        for source, key in self._keys():
            for url in source.section.locations(key, source.files.get(key, key)) if source.section.url else ():
                readers.setdefault(_location(url), (url, []))[1].append((source.section, key))
        return {location: _download(url, of) for location, (url, of) in readers.items()}


def _location(url: str) -> str:
    """The location of a download, as in a mirror: host and path."""
    parts = urlsplit(url)
    return f"{parts.hostname}{parts.path}"


def _download(url: str, readers: list[tuple[CorpusSource, str]]) -> Download:
    """A download, with the sum and the size that its readers give by key, or by name where a key has several files."""
    name = PurePosixPath(_location(url)).name
    sums = [section.sha256[known] for section, key in readers for known in (name, key) if known in section.sha256]
    sizes = [section.bytes[known] for section, key in readers for known in (name, key) if known in section.bytes]
    return Download(url, readers[0][0].licence, next(iter(sums), None), next(iter(sizes), None))
