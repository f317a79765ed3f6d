"""t-SNE map of words: the input embeddings of several models in the plane, words and their translations.

Beside each map stands the mean rank of translations, measured on the vectors themselves: among all shown words of
another language, ordered by cosine, the rank of a word's translation, 1 being the nearest, averaged over all words and
all ordered pairs of languages.

Shapes: N meanings, K languages, D dimensions.
"""

from collections.abc import Mapping, Sequence
from itertools import permutations
from pathlib import Path

import numpy as np
from sklearn.manifold import TSNE

from xlm_core import tsv
from xlm_core.config import AlignmentFigure
from xlm_core.errors import CorpusError
from xlm_core.io import write_json
from xlm_core.tasks.word_embeddings.vectors import InputEmbeddings, WordEmbeddings, cosine


def project(
    *,
    figure: AlignmentFigure,
    models: Mapping[str, Path],
    vocabulary: Path,
    dictionaries: Sequence[Path],
    texts: Mapping[str, Path],
    output: Path,
) -> None:
    """Write the positions of the words of some meanings on the map of each model; the same from run to run.

    Args:
        figure: how many meanings are drawn at random, in which languages: the dictionaries translate words of the
            first one into each other one.
        models: run -> its model.
        vocabulary: of all models.
        dictionaries: from the first language to each other one, as records.
        texts: language -> vectors of the words of its text: other words the models have never seen.
        output: JSON: languages, words (N, K), and per run the positions (N, K, 2) and the mean rank.

    Raises:
        CorpusError: fewer meanings than asked for, or too few for the perplexity.
    """
    languages = figure.languages
    spaces = {run: InputEmbeddings(path, vocabulary) for run, path in models.items()}
    meanings = _covered_meanings(dictionaries, languages, texts, next(iter(spaces.values())))
    if len(meanings) < figure.n_words or figure.n_words * len(languages) <= figure.perplexity:
        raise CorpusError(
            f"{', '.join(map(str, dictionaries))}: {len(meanings)} words have a translation in each language that is "
            f"spelled differently, stands in its text (embeddings.vectors.min_count) and can be written with pieces; "
            f"expected {figure.n_words}, and more than {figure.perplexity} words in all, the perplexity; change "
            "embeddings.alignment_figure"
        )
    drawn = np.sort(np.random.default_rng(figure.seed).choice(len(meanings), figure.n_words, replace=False))
    words = [meanings[index] for index in drawn]
    columns = list(zip(languages, zip(*words, strict=True), strict=True))
    maps = {}
    for run, space in spaces.items():
        vectors = np.stack([space.vectors_of(column, language) for language, column in columns])
        positions = tsne(vectors, figure.perplexity, figure.seed)
        maps[run] = {"positions": positions.tolist(), "mean_rank": mean_rank(vectors)}
    write_json(output, {"languages": list(languages), "words": words, "maps": maps})


def _covered_meanings(
    dictionaries: Sequence[Path], languages: Sequence[str], texts: Mapping[str, Path], space: InputEmbeddings
) -> list[tuple[str, ...]]:
    """Read the meanings whose words occur in the texts of all languages and can be written with subwords."""
    covers = {language: WordEmbeddings.read(path).covers for language, path in texts.items()}
    first, *others = languages
    tables = [
        [(a, b) for a, b in tsv.read(path, 2) if covers[first](a, first) and covers[other](b, other)]
        for path, other in zip(dictionaries, others, strict=True)
    ]
    return [words for words in translated(tables) if all(map(space.covers, words, languages))]


def translated(tables: Sequence[Sequence[tuple[str, str]]]) -> list[tuple[str, ...]]:
    """Join each word of the first language with its first translation in each table.

    The words of a meaning are all different, and no word is used for two meanings.
    """
    first_translations = [dict(reversed(table)) for table in tables]
    meanings, used = [], set[str]()
    for source in dict.fromkeys(source for source, _ in tables[0]):
        words = (source, *(table.get(source, source) for table in first_translations))
        if len(set(words)) == len(words) and not used & set(words):
            meanings.append(words)
            used |= set(words)
    return meanings


def tsne(vectors: np.ndarray, perplexity: float, seed: int) -> np.ndarray:
    """Embed vectors (K, N, D) in the plane (N, K, 2), near where their cosines are high."""
    n_languages, n_words, dim = vectors.shape
    model = TSNE(perplexity=perplexity, metric="cosine", init="random", method="exact", random_state=seed, n_jobs=1)
    positions: np.ndarray = model.fit_transform(vectors.reshape(-1, dim).astype(np.float64))
    return positions.reshape(n_languages, n_words, 2).transpose(1, 0, 2)


def mean_rank(vectors: np.ndarray) -> float:
    """Average the rank of the translation among the N words of another language, for vectors (K, N, D).

    Of equal cosines the other word counts as nearer: what cannot tell words apart has the worst rank.
    """
    ranks = []
    for source, target in permutations(vectors, 2):
        similarity = cosine(source, target)  # (N, N)
        ranks.append((similarity >= np.diag(similarity)[:, None]).sum(axis=1).mean())
    return float(np.mean(ranks))
