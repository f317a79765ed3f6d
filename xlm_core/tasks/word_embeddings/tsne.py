"""A map of words: the input embeddings of several models, laid out in the plane by t-SNE, translations named together.

The picture shows what the eye can take in; the number beside it is measured on the vectors themselves. It is the mean
rank of a translation: among all shown words of another language, ordered by cosine, how far down a word's translation
stands, 1 being the first, over all words and all ordered pairs of languages.

Letters: N meanings, K languages, D dimensions.
"""

from collections.abc import Mapping, Sequence
from itertools import permutations
from pathlib import Path

import numpy as np
from sklearn.manifold import TSNE

from xlm_core import tsv
from xlm_core.errors import CorpusError
from xlm_core.io import write_json
from xlm_core.tasks.word_embeddings.fasttext import InputEmbeddings, LearnedWords
from xlm_core.tasks.word_embeddings.muse import cosine


def place(
    *,
    models: Mapping[str, Path],
    vocabulary: Path,
    languages: Sequence[str],
    dictionaries: Sequence[Path],
    texts: Mapping[str, Path],
    n_words: int,
    perplexity: float,
    seed: int,
    output: Path,
) -> None:
    """Write where the words of some meanings stand on the map of each model; the same from run to run.

    Args:
        models: run -> its model.
        vocabulary: of all models.
        languages: K of them; the first one's words have their translations in all others.
        dictionaries: from the first language to each other one, as records.
        texts: language -> vectors of the words of its text: of other words the models have never learned anything.
        n_words: meanings that are shown, drawn at random.
        perplexity: of t-SNE, about how many neighbors a word keeps near.
        seed: of the draw and of t-SNE.
        output: JSON: languages, words (N, K), and per run the positions (N, K, 2) and the mean rank.

    Raises:
        CorpusError: fewer meanings than asked for, or too few for the perplexity.
    """
    spaces = {run: InputEmbeddings.read(path, vocabulary) for run, path in models.items()}
    has = {language: LearnedWords.read(path).knows for language, path in texts.items()}
    first, *others = languages
    tables = [
        [(word, its) for word, its in tsv.read(path, 2) if has[first](word, first) and has[other](its, other)]
        for path, other in zip(dictionaries, others, strict=True)
    ]
    known = next(iter(spaces.values())).knows
    meanings = [words for words in translated(tables) if all(map(known, words, languages))]
    if len(meanings) < n_words or n_words * len(languages) <= perplexity:
        raise CorpusError(
            f"{', '.join(map(str, dictionaries))}: {len(meanings)} words have a translation in each language that is "
            f"spelled differently, stands in its text (embeddings.vectors.min_count) and can be written with pieces; "
            f"expected {n_words}, and more than {perplexity} words in all, the perplexity; change embeddings.figure"
        )
    chosen = np.sort(np.random.default_rng(seed).choice(len(meanings), n_words, replace=False))
    words = [meanings[number] for number in chosen]
    maps = {}
    for run, space in spaces.items():
        vectors = np.stack(
            [space.of(column, one) for column, one in zip(zip(*words, strict=True), languages, strict=True)]
        )
        maps[run] = {"positions": positions(vectors, perplexity, seed).tolist(), "mean_rank": mean_rank(vectors)}
    write_json(output, {"languages": list(languages), "words": words, "maps": maps})


def translated(tables: Sequence[Sequence[Sequence[str]]]) -> list[tuple[str, ...]]:
    """Each word of the first language with its first translation in each table; no two words of a meaning are alike.

    No word is used for two meanings.
    """
    first: list[dict[str, str]] = []
    for table in tables:
        first.append({})
        for source, target in table:
            first[-1].setdefault(source, target)
    found, used = [], set[str]()
    for source in first[0]:
        words = (source, *(table.get(source, source) for table in first))
        if len(set(words)) == len(words) and not used & set(words):
            found.append(words)
            used |= set(words)
    return found


def positions(vectors: np.ndarray, perplexity: float, seed: int) -> np.ndarray:
    """Places (N, K, 2) in the plane of vectors (K, N, D), near where their cosines are high."""
    n_languages, n_words, dim = vectors.shape
    tsne = TSNE(perplexity=perplexity, metric="cosine", init="random", method="exact", random_state=seed, n_jobs=1)
    found = tsne.fit_transform(vectors.reshape(-1, dim).astype(np.float64))
    return found.reshape(n_languages, n_words, 2).transpose(1, 0, 2)


def mean_rank(vectors: np.ndarray) -> float:
    """Mean rank of the translation among the N words of another language, for vectors (K, N, D).

    Of equal cosines the other word counts as nearer: what cannot tell words apart has the worst rank.
    """
    ranks = []
    for one, other in permutations(range(len(vectors)), 2):
        similarity = cosine(vectors[one], vectors[other])  # (N, N)
        ranks.append((similarity >= np.diag(similarity)[:, None]).sum(axis=1).mean())
    return float(np.mean(ranks))
