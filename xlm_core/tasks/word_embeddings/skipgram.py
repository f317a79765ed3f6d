"""Skip-gram training with gensim: vectors of words (fastText, word2vec) and of subwords (paper, sections 5.2 and 5.5).

Vectors of words are what MUSE and Concat are made of. Vectors of the subwords of all languages together initialize a
model (EMB, Table 2): subwords that languages share, such as names and digits, tie the languages together.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import torch
from gensim.models import FastText, KeyedVectors, Word2Vec

from xlm_core import tsv
from xlm_core.config import ModelConfig, Skipgram, WordVectors, to_dict
from xlm_core.data.token_store import TokenStore
from xlm_core.errors import CorpusError
from xlm_core.io import atomic
from xlm_core.model import checkpoint
from xlm_core.model.transformer import Transformer
from xlm_core.text.bpe import TokenFile
from xlm_core.text.vocabulary import Vocabulary

LOG = logging.getLogger(__name__)


class RepeatableCorpus:
    """Sentences as lists of words that can be read again in every epoch, as gensim wants them."""

    def __init__(self, sentences: Callable[[], Iterator[list[str]]]) -> None:
        self._sentences = sentences

    def __iter__(self) -> Iterator[list[str]]:
        return self._sentences()


def train_word_vectors(
    files: Mapping[str, Sequence[TokenFile]], settings: WordVectors, seed: int, output: Path
) -> None:
    """Learn vectors of the most frequent words; words of several languages share one vocabulary.

    With ``settings.subwords`` the vector of a word is made of the vectors of its character n-grams, as in fastText.

    Args:
        files: language -> its tokenized text.
        seed: of the first vectors and of the sampling; with one thread the result is a function of it.
        output: word2vec's binary format, the most frequent word first.

    Raises:
        CorpusError: no word is frequent enough.
    """

    def sentences() -> Iterator[list[str]]:
        for language, token_files in files.items():
            for file in token_files:
                column = file.languages.index(language)
                for fields in tsv.read(file.path, len(file.languages)):
                    yield fields[column].split()

    learned = _train(
        FastText if settings.subwords else Word2Vec, sentences,
        f"languages {', '.join(files)}: no word occurs {settings.min_count} times; give more text, or lower "
        "embeddings.vectors.min_count",
        settings, seed, vector_size=settings.dim, max_final_vocab=settings.max_words,
    )  # fmt: skip
    LOG.info("vectors of %d words in %s", len(learned), ", ".join(files))
    with atomic(output) as partial:
        learned.save_word2vec_format(str(partial), binary=True)


def train_subword_vectors(
    *,
    stores: Mapping[str, Sequence[Path]],
    vocabulary: Path,
    languages: Sequence[str],
    model: ModelConfig,
    settings: Skipgram,
    seed: int,
    output: Path,
) -> None:
    """Save a model whose input embeddings are skip-gram vectors and whose other weights are random.

    The vectors are centered and scaled to the size of the random ones that they replace. Subwords that never occur keep
    their random vectors.

    Args:
        stores: language -> its text.
        seed: of all weights and of the sampling; with one thread the vectors are a function of it.

    Raises:
        CorpusError: there is no text.
    """
    vocab = Vocabulary.read(vocabulary)
    vocab.check_symbols("skip-gram vectors")
    opened = {language: [TokenStore.open(path, vocab.digest) for path in paths] for language, paths in stores.items()}
    columns = [(store, store.languages.index(language)) for language, shards in opened.items() for store in shards]

    def sentences() -> Iterator[list[str]]:
        for store, column in columns:
            for record in range(len(store)):
                yield [str(id_) for id_ in store.sentence(column, record).tolist()]

    empty = (
        f"languages {', '.join(stores)}: no piece occurs {settings.min_count} times; give more text, or lower "
        "skipgram.min_count"
    )
    learned = _train(Word2Vec, sentences, empty, settings, seed, vector_size=model.dim)
    torch.manual_seed(seed)
    transformer = Transformer(model, len(vocab), len(languages))
    with torch.no_grad():
        table, rows = transformer.embeddings.weight, torch.tensor([int(key) for key in learned.index_to_key])
        scale = float(table[rows].std()) / float(learned.vectors.std())
        table[rows] = torch.from_numpy(learned.vectors - learned.vectors.mean(axis=0)) * scale
    LOG.info("vectors of %d of %d subwords; all other weights are random", len(learned), len(vocab))
    trained = {"languages": sorted(languages), "objectives": ["skipgram"]}
    data = [vocab.digest, [store.digest for store, _ in columns]]
    metadata = checkpoint.make_metadata(trained, {"skipgram": to_dict(settings)}, seed, vocab, data)
    checkpoint.save(output, transformer, metadata)


def _train(
    architecture: type[Word2Vec],
    sentences: Callable[[], Iterator[list[str]]],
    empty: str,
    settings: Skipgram,
    seed: int,
    **sizes: int,
) -> KeyedVectors:
    """Train vectors with gensim; raise ``CorpusError`` with the message ``empty`` where no word is frequent enough."""
    corpus = RepeatableCorpus(sentences)
    model = architecture(
        sg=1, window=settings.window, negative=settings.negative, sample=settings.sample, min_count=settings.min_count,
        epochs=settings.epochs, workers=settings.threads, seed=seed, **sizes,
    )  # fmt: skip
    model.build_vocab(corpus)
    if not model.wv.index_to_key:
        raise CorpusError(empty)
    model.train(corpus, total_examples=model.corpus_count, epochs=model.epochs)
    return model.wv
