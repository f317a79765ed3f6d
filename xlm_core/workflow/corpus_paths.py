"""Paths of data: raw files, and the tokens, vocabularies and stores that are made of them.

All paths are relative to the working directory. A setup reads the tokens and the vocabulary of the first setup that
has the same ones, so that they are made once.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from xlm_core.config import DIAGNOSTICS, Config, Corpus, Download, SourceFiles
from xlm_core.config.pretrained import PretrainedFiles
from xlm_core.languages import sides

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
SPLITS = ("train", "valid")  # that a pretraining reads


class RawFiles:
    """The raw files of a configuration."""

    def __init__(self, config: Config) -> None:
        """List the sources, and the downloads by their locations below ``raw/web``."""
        self.config = config
        self.results = f"results/{config.name}"
        self.sources = config.sources
        self.downloads: dict[str, Download] = self._downloads()

    def files(self, section: str, *keys: str) -> list[str]:
        """Return the files of a section, of all or some of its keys: generated, downloaded, or the user's."""
        source = self.sources[section]
        if source.section.microworld:
            return [self.generated(source.section.microworld, key) for key in keys or source.keys]
        locations = [location for key in keys or source.keys for location in source.locations(key)]
        return [f"{self.results}/raw/web/{_location(url)}" for url in locations] if source.section.url else locations

    def pretrained(self, section: PretrainedFiles) -> list[str]:
        """Return the files of a pretrained model or vocabulary, in the order of their names."""
        return section.local_files or [f"{self.results}/raw/web/{_location(url)}" for (url,), *_ in section.downloads]

    def generated(self, collection: str, key: str) -> str:
        """Return the file of the microworld for a language, a pair, the test sets, or an archive or file of a task."""
        name = XNLI_ARCHIVES[key] if collection == "xnli" else GENERATED[collection].format(key=key)
        return f"{self.results}/raw/microworld/{collection}/{name}"

    @cached_property
    def generated_files(self) -> dict[str, list[str]]:
        """Return collection of the microworld -> its files, in the order of ``Microworld.files``."""
        files: dict[str, list[str]] = {}
        for collection, key in self.config.microworld.files if self.config.microworld else ():
            files.setdefault(collection, []).append(self.generated(collection, key))
        return files

    def describe(self, path: str) -> dict[str, Any]:
        """Return path, origin and licence of a raw file; of a download also its address and its record."""
        folder, _, location = path.partition("/raw/web/")
        if folder == self.results and (download := self.downloads.get(location)):
            origin = {"origin": "downloaded", "licence": download.licence, "url": download.urls[0]}
            return {"path": path, **origin, "record": f"{self.results}/work/downloads/{location}.json"}
        if any(path in files for files in self.generated_files.values()):
            return {"path": path, "origin": "generated", "licence": "MIT"}
        keys = ((source, key) for source in self.sources.values() for key in source.keys)
        n_shards = self.config.text.n_shards
        licences = (source.section.licence for source, key in keys if path in source.local_files(key, n_shards))
        return {"path": path, "origin": "local", "licence": next(licences, "")}

    def _downloads(self) -> dict[str, Download]:
        """Return location -> download; files that several corpora share are downloaded once."""
        readers: dict[str, list[tuple[list[str], SourceFiles, str]]] = {}
        for source in self.sources.values():
            for key in source.keys if source.section.url else ():
                for urls in source.alternatives(key):
                    readers.setdefault(_location(urls[0]), []).append((urls, source, key))
        downloads = {location: _download(location, of) for location, of in readers.items()}
        runs, setups = self.config.runs.values(), self.config.all_setups.values()
        sections = [run.pretrained for run in runs] + [setup.vocabulary.pretrained for setup in setups]
        files = [download for section in sections if section for download in section.downloads]
        files.sort(key=lambda download: download.sha256 is not None)  # of two the one that has a sum
        return downloads | {_location(download.urls[0]): download for download in files}


def _location(url: str) -> str:
    """Return the location of a download, as in a mirror: host and path; of a member it is beside the archive."""
    parts = urlsplit(url)
    member = f".members/{parts.fragment}" if parts.fragment else ""
    return f"{parts.hostname}{parts.path}{member}"


def _download(location: str, readers: Sequence[tuple[list[str], SourceFiles, str]]) -> Download:
    """Return a download, with the sum and the size that its readers give by file name, else by key."""
    name = PurePosixPath(location).name
    given = [(source.section, known) for _, source, key in readers for known in (name, key)]
    sha256 = next((section.sha256[known] for section, known in given if known in section.sha256), None)
    n_bytes = next((section.bytes[known] for section, known in given if known in section.bytes), None)
    urls, source, key = readers[0]
    date = source.section.date if isinstance(source.section, Corpus) else None
    return Download(urls, source.section.licence, sha256, n_bytes, source.checksums(key), date)


class CorpusPaths(RawFiles):
    """The files of text of a configuration, from the raw ones to the stores."""

    def monolingual_shards(self, setup: str, language: str) -> Iterator[tuple[str, str, int]]:
        """Yield corpus, key and shard of all text that a setup reads in a language; of pairs it reads one side."""
        for corpus in self.config.setup(setup).monolingual[language]:
            for key in self.config.corpora[corpus].keys:
                if language in sides(key):
                    yield from ((corpus, key, shard) for shard in range(self.config.text.n_shards))

    def token_folder(self, setup: str) -> str:
        """Return the folder of all tokens, as a setup reads them."""
        return f"{self.results}/tokens/{self.config.text_of(setup)}"

    def tokens(self, setup: str, corpus: str, key: str, shard: int | str, kind: str = "tsv") -> str:
        """Return the tokens of one shard, as a setup reads them; or their "statistics.json"."""
        return f"{self.token_folder(setup)}/{corpus}/{key}/{shard}.{kind}"

    def monolingual_tokens(self, setup: str, languages: Sequence[str]) -> dict[str, list[str]]:
        """Return language -> the tokens that a setup reads in it."""
        shards = {language: self.monolingual_shards(setup, language) for language in languages}
        return {language: [self.tokens(setup, *shard) for shard in shards[language]] for language in languages}

    def monolingual_keys(self, setup: str, languages: Sequence[str]) -> dict[str, list[str]]:
        """Return language -> the language or pair of each file of ``monolingual_tokens``."""
        return {name: [key for _, key, _ in self.monolingual_shards(setup, name)] for name in languages}

    def duplicates(self, text: str, corpus: str, key: str, shard: str) -> list[str]:
        """Return the marks of repeated records of a shard, where a setup drops such; test sets keep everything."""
        dropped = self.config.setup(text).text.deduplicate and not self.config.corpora[corpus].eval_only
        return [f"{self.results}/text/{corpus}/{key}/{shard}.repeated"] if dropped else []

    def langsets(self, setup: str) -> dict[str, str]:
        """Return language -> the sample and model that encode it: "all", or with separate vocabularies the language."""
        section = self.config.setup(setup)
        return {language: "all" if section.vocabulary.shared else language for language in section.languages}

    def bpe_languages(self, vocabulary: str, langset: str) -> list[str]:
        """Return the languages whose text a model of byte-pair encoding is learned on."""
        return [language for language, name in self.langsets(vocabulary).items() if name == langset]

    def bpe_models(self, setup: str) -> dict[str, list[str]]:
        """Return the models and the samples of a vocabulary, in the order of its languages."""
        names, folder = self.langsets(setup).values(), f"{self.results}/bpe/{setup}"
        return {
            "models": [f"{folder}/{name}.model" for name in names],
            "samples": [f"{folder}/{name}.txt" for name in names],
        }

    def vocabulary(self, setup: str) -> str:
        """Return the vocabulary of a setup."""
        return f"{self.results}/bpe/{self.config.vocabulary_of(setup)}/vocabulary.json"

    def store_folder(self, setup: str) -> str:
        """Return the folder of all that is encoded by the vocabulary of a setup."""
        return f"{self.results}/store/{self.config.vocabulary_of(setup)}"

    def monolingual_stores(self, setup: str, language: str, split: str = "train") -> list[str]:
        """Return the token ids of one split that a setup reads in a language."""
        shards = self.monolingual_shards(setup, language)
        return [f"{self.store_folder(setup)}/{corpus}/{key}/{shard}/{split}.store" for corpus, key, shard in shards]

    def parallel_stores(self, setup: str, pair: str, corpora: Sequence[str], split: str = "train") -> list[str]:
        """Return the token ids of one split of parallel corpora, as a setup encodes them."""
        shards = [(corpus, shard) for corpus in corpora for shard in range(self.config.text.n_shards)]
        return [f"{self.store_folder(setup)}/{corpus}/{pair}/{shard}/{split}.store" for corpus, shard in shards]

    def setup_stores(self, setup: str, pairs: Sequence[str]) -> dict[str, list[str]]:
        """Return ``<split>_<language or pair>`` -> training and validation stores of all languages and ``pairs``."""
        section = self.config.setup(setup)
        stores = {}
        for split in SPLITS:
            for language in section.languages:
                stores[f"{split}_{language}"] = self.monolingual_stores(setup, language, split)
            for pair in pairs:
                stores[f"{split}_{pair}"] = self.parallel_stores(setup, pair, section.parallel[pair], split)
        return stores

    def glue_store(self, setup: str, task: str) -> str:
        """Return the folder of the parts of a task, as the models of a setup read them."""
        return f"{self.store_folder(setup)}/glue/{task}"

    def glue_diagnostics(self, setup: str, task: str) -> list[str]:
        """Return the folder of the sentences that the models of a task label beside their own."""
        labelled = self.config.glue is not None and DIAGNOSTICS in self.config.glue.test(task)
        return [self.glue_store(setup, DIAGNOSTICS)] if labelled else []
