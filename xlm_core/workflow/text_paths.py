"""Paths of text: tokens, vocabularies and stores of the corpora and setups of a configuration.

All paths are relative to the working directory. A setup reads the tokens and the vocabulary of the first setup that
has the same ones, so that they are made once.
"""

from collections.abc import Iterator

from xlm_core.config import BASE, DIAGNOSTICS, Config
from xlm_core.languages import sides

SPLITS = ("train", "valid")  # that a pretraining reads


class TextPaths:
    """The files of text of a configuration."""

    def __init__(self, config: Config) -> None:
        """Of a configuration, with all of its setups."""
        self.config = config
        self.results = f"results/{config.name}"
        self.setups = {BASE: config, **config.setups}

    def monolingual_shards(self, setup: str, language: str) -> Iterator[tuple[str, str, int]]:
        """Corpus, key and shard of all text that a setup reads in a language; of pairs it reads one side."""
        for corpus in self.config.setup(setup).monolingual[language]:
            for key in self.config.corpora[corpus].keys:
                if language in sides(key):
                    yield from ((corpus, key, shard) for shard in range(self.config.text.n_shards))

    def tokens(self, setup: str, corpus: str, key: str, shard: int | str) -> str:
        """The tokens of one shard, as a setup reads them."""
        return f"{self.results}/tokens/{self.config.text_of(setup)}/{corpus}/{key}/{shard}.tsv"

    def monolingual_tokens(self, setup: str, language: str) -> list[str]:
        """The tokens that a setup reads in a language."""
        return [self.tokens(setup, *shard) for shard in self.monolingual_shards(setup, language)]

    def monolingual_keys(self, setup: str, language: str) -> list[str]:
        """The language or pair of each file of ``monolingual_tokens``."""
        return [key for _, key, _ in self.monolingual_shards(setup, language)]

    def duplicates(self, text: str, corpus: str, key: str, shard: str) -> list[str]:
        """The marks of repeated records of a shard, where a setup drops such; nothing is dropped from test sets."""
        dropped = self.config.setup(text).text.deduplicate and not self.config.corpora[corpus].eval_only
        return [f"{self.results}/text/{corpus}/{key}/{shard}.repeated"] if dropped else []

    def langsets(self, setup: str) -> dict[str, str]:
        """Language -> the sample and model that encode it: "all", or where vocabularies are separate the language."""
        section = self.config.setup(setup)
        return {language: "all" if section.vocabulary.shared else language for language in section.languages}

    def bpe_languages(self, setup: str, langset: str) -> list[str]:
        """The languages whose text a model of byte-pair encoding is learned on."""
        return [language for language, name in self.langsets(setup).items() if name == langset]

    def bpe_tokens(self, vocabulary: str, langset: str) -> dict[str, list[str]]:
        """Language -> the tokens that byte-pair encoding is learned on."""
        return {name: self.monolingual_tokens(vocabulary, name) for name in self.bpe_languages(vocabulary, langset)}

    def bpe_keys(self, vocabulary: str, langset: str) -> dict[str, list[str]]:
        """Language -> the language or pair of each file of ``bpe_tokens``."""
        return {name: self.monolingual_keys(vocabulary, name) for name in self.bpe_languages(vocabulary, langset)}

    def bpe_models(self, setup: str) -> dict[str, list[str]]:
        """The models and the samples of a vocabulary, in the order of its languages."""
        names, folder = self.langsets(setup).values(), f"{self.results}/bpe/{setup}"
        return {
            "models": [f"{folder}/{name}.model" for name in names],
            "samples": [f"{folder}/{name}.txt" for name in names],
        }

    def vocabulary(self, setup: str) -> str:
        """The vocabulary of a setup."""
        return f"{self.results}/bpe/{self.config.vocabulary_of(setup)}/vocabulary.json"

    def store_folder(self, setup: str) -> str:
        """The folder of all that is encoded by the vocabulary of a setup."""
        return f"{self.results}/store/{self.config.vocabulary_of(setup)}"

    def monolingual_stores(self, setup: str, language: str, split: str = "train") -> list[str]:
        """The token ids of one split that a setup reads in a language."""
        shards = self.monolingual_shards(setup, language)
        return [f"{self.store_folder(setup)}/{corpus}/{key}/{shard}/{split}.store" for corpus, key, shard in shards]

    def parallel_stores(self, setup: str, pair: str, corpora: list[str], split: str = "train") -> list[str]:
        """The token ids of one split of parallel corpora, as a setup encodes them."""
        shards = range(self.config.text.n_shards)
        return [
            f"{self.store_folder(setup)}/{corpus}/{pair}/{shard}/{split}.store"
            for corpus in corpora
            for shard in shards
        ]

    def setup_stores(self, setup: str, pairs: list[str]) -> dict[str, list[str]]:
        """``<split>_<language or pair>`` -> stores, of training and validation, of all languages and of ``pairs``."""
        section = self.config.setup(setup)
        stores = {}
        for split in SPLITS:
            for language in section.languages:
                stores[f"{split}_{language}"] = self.monolingual_stores(setup, language, split)
            for pair in pairs:
                stores[f"{split}_{pair}"] = self.parallel_stores(setup, pair, section.parallel[pair], split)
        return stores

    def xnli_tokens(self, setup: str, split: str, language: str) -> str:
        """The tokens of one split of XNLI in one language, as a setup reads them."""
        return f"{self.results}/tokens/{self.config.text_of(setup)}/xnli/{split}.{language}.tsv"

    def xnli_store(self, setup: str, split: str, language: str) -> str:
        """The examples of one split of XNLI in one language, as a setup reads them."""
        return f"{self.store_folder(setup)}/xnli/{split}.{language}.store"

    def xnli_stores(self, setup: str, split: str, languages: list[str]) -> list[str]:
        """The examples of one split of XNLI in several languages."""
        return [self.xnli_store(setup, split, language) for language in languages]

    def glue_tokens(self, setup: str, task: str) -> str:
        """The folder of the tokenized parts of a task, as a setup reads them."""
        return f"{self.results}/tokens/{self.config.text_of(setup)}/glue/{task}"

    def glue_store(self, setup: str, task: str) -> str:
        """The folder of the parts of a task, as the models of a setup read them."""
        return f"{self.store_folder(setup)}/glue/{task}"

    def glue_diagnostics(self, setup: str, task: str) -> list[str]:
        """The folder of the sentences that the models of a task label beside their own."""
        labelled = self.config.glue is not None and DIAGNOSTICS in self.config.glue.test(task)
        return [self.glue_store(setup, DIAGNOSTICS)] if labelled else []
