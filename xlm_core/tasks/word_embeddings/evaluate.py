"""Evaluation of cross-lingual word embeddings (paper, section 5.5 and Table 5).

All systems are measured on the same words: those that every system has vectors for and that occur in the text of their
language. The share of the dictionary that a system covers is a separate column. The setting "all words" is the
paper's; "spelled differently" leaves out pairs of words that are spelled alike, which one vocabulary for all languages
aligns by construction. ``docs/embeddings.md`` defines all measures.

Shapes: P pairs of words, Q words that are looked up, M candidates, D dimensions.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import cdist
from scipy.stats import pearsonr, spearmanr

from xlm_core import digests, results, tsv
from xlm_core.config import WORD_SETTINGS, Refinement
from xlm_core.config.tables import word_pair_column
from xlm_core.errors import CorpusError
from xlm_core.languages import sides
from xlm_core.metrics import sample_statistics
from xlm_core.metrics.sample_statistics import SampleStatistics
from xlm_core.results import Result, ResultContext
from xlm_core.tasks.word_embeddings import vectors
from xlm_core.tasks.word_embeddings.vectors import EmbeddingTable, InputEmbeddings, WordEmbeddings

MUSE = "muse"  # a system that is no run
DEPTHS = (1, 5)  # of precision at k
SIGNATURE = "vectors:raw|word:mean of pieces|items:known to every row|candidates:frequent words and all translations"
MIN_PAIRS = 3  # for a correlation
N_FIELDS = {"dictionary": 2, "similarity": 3}  # of a record
WordPair = Sequence[str]  # source word and target word; a rating may follow


class Measure(NamedTuple):
    """A number and how many words or pairs it was measured on."""

    value: float
    n: int


@dataclass(frozen=True)
class EmbeddingSpace:
    """Comparable vectors of the words of two languages."""

    source: EmbeddingTable
    target: EmbeddingTable
    languages: tuple[str, ...]

    def covers(self, pair: WordPair) -> bool:
        """Return whether both words of a pair have vectors."""
        return self.source.covers(pair[0], self.languages[0]) and self.target.covers(pair[1], self.languages[1])

    def vectors_of(self, sources: Sequence[str], targets: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return vectors (n, D) and (m, D) of covered words of either language."""
        return self.source.vectors_of(sources, self.languages[0]), self.target.vectors_of(targets, self.languages[1])

    def cosines(self, pairs: Sequence[WordPair]) -> np.ndarray:
        """Compute the cosine (P,) of the words of each pair."""
        source, target = self.vectors_of([pair[0] for pair in pairs], [pair[1] for pair in pairs])
        cosines: np.ndarray = (vectors.normalize(source) * vectors.normalize(target)).sum(axis=1)
        return cosines


class BilingualSpaces:
    """The embedding spaces of all systems in one direction.

    spaces       system -> its space
    text         the words that occur in the text of both languages
    sources      the most frequent words of the source that every system covers
    targets      the same of the target: candidates of the word translation
    n_neighbors  of CSLS
    """

    def __init__(
        self,
        direction: str,
        systems: Sequence[str],
        monolingual: Mapping[str, WordEmbeddings],
        shared: Mapping[str, EmbeddingTable],
        refinement: Refinement,
        n_candidates: int,
    ) -> None:
        """Collect the spaces of all ``systems``, and align MUSE's."""
        languages = sides(direction)
        source, target = (monolingual[language] for language in languages)
        tables = {system: (table, table) for system, table in shared.items()}
        if MUSE in systems:
            rotated = WordEmbeddings(source.words, source.vectors @ vectors.align(source, target, refinement))
            tables[MUSE] = (rotated, target)
        self.spaces = {system: EmbeddingSpace(*tables[system], languages) for system in systems}
        self.text, self.n_neighbors = EmbeddingSpace(source, target, languages), refinement.neighbors
        self.sources = _covered(source.words[:n_candidates], languages[0], [tables[system][0] for system in systems])
        self.targets = _covered(target.words[:n_candidates], languages[1], [tables[system][1] for system in systems])

    def measures(self, kind: str, path: Path) -> Iterator[tuple[str, str, dict[str, Measure], np.ndarray]]:
        """Yield system, setting, the measures of a list of words, and the cosine (P,) of each pair.

        Raises:
            CorpusError: every system covers too few words of the list.
        """
        pairs = list(tsv.read(path, N_FIELDS[kind]))
        for setting in WORD_SETTINGS:
            wanted = [pair for pair in pairs if setting == WORD_SETTINGS[0] or pair[0] != pair[1]]
            common = [pair for pair in wanted if all(s.covers(pair) for s in (self.text, *self.spaces.values()))]
            if len(common) < MIN_PAIRS:
                raise CorpusError(
                    f"{path}, {setting}: every row knows the words of {len(common)} of {len(wanted)} pairs, expected "
                    f"{MIN_PAIRS} or more; give more text, or lower embeddings.vectors.min_count"
                )
            for system, space in self.spaces.items():
                if kind == "similarity":
                    measures = similarity_correlations(space, common)
                else:
                    measures = distances(space, common)
                    measures |= translation_precision(space, common, self.sources, self.targets, self.n_neighbors)
                    measures["coverage"] = Measure(100 * sum(map(space.covers, wanted)) / len(wanted), len(wanted))
                yield system, setting, measures, space.cosines(common)


def score(
    *,
    systems: Sequence[str],
    monolingual: Mapping[str, WordEmbeddings],
    shared: Mapping[str, EmbeddingTable],
    word_lists: Mapping[str, Mapping[str, Path]],
    refinement: Refinement,
    n_candidates: int,
    baseline_digest: str,
    context: ResultContext,
    output: Path,
    statistics: Path,
) -> None:
    """Write every measure of every system and direction.

    Args:
        systems: "muse", or a name of ``shared``.
        monolingual: language -> vectors of its words, learned on its text alone, which MUSE aligns.
        shared: system -> vectors of the words of all languages: input embeddings of the models of runs, and "concat",
            vectors learned on the text of all languages together.
        word_lists: "dictionary" and "similarity": direction -> records of ``xlm_core.text.formats.dictionary``.
        refinement: of MUSE's alignment; CSLS has the same number of ``neighbors``.
        n_candidates: most frequent words of a language that are candidates.
        baseline_digest: of the settings of "muse" and "concat".
        context: of the results, whose systems and settings are filled in.
        output: JSON lines.
        statistics: ``word_pair_column`` -> the cosine of each pair of the dictionary.

    Raises:
        CorpusError: every system covers too few words of a list.
    """
    models = {system: table for system, table in shared.items() if isinstance(table, InputEmbeddings)}
    origins = {run: (model.config_digest, model.data_digest) for run, model in models.items()}
    measured: list[Result] = []
    cosines: dict[str, SampleStatistics] = {}
    for direction in dict.fromkeys(key for paths in word_lists.values() for key in paths):
        spaces = BilingualSpaces(direction, systems, monolingual, shared, refinement, n_candidates)
        for kind, path in ((kind, paths[direction]) for kind, paths in word_lists.items() if direction in paths):
            for system, setting, measures, pair_cosines in spaces.measures(kind, path):
                config_digest, data_digest = origins.get(system, (baseline_digest, ""))
                measured += [
                    Result(
                        **vars(context) | {"system": system, "setting": setting}, column=direction, metric=metric,
                        value=measure.value, n=measure.n, config_digest=config_digest,
                        data_digest=digests.of_value([digests.of_file(path), data_digest]), signature=SIGNATURE,
                    )
                    for metric, measure in measures.items()
                ]  # fmt: skip
                if kind == "dictionary":
                    column = word_pair_column(system, direction, setting)
                    cosines[column] = SampleStatistics("mean", pair_cosines[:, None])
    results.write(measured, output)
    sample_statistics.write(statistics, cosines)


def _covered(words: Sequence[str], language: str, tables: Sequence[EmbeddingTable]) -> list[str]:
    """Select the words for which all of ``tables`` have vectors."""
    return [word for word in words if all(table.covers(word, language) for table in tables)]


def distances(space: EmbeddingSpace, pairs: Sequence[WordPair]) -> dict[str, Measure]:
    """Average cosine and L2 distance over P pairs, and divide the latter by the mean L2 distance of all with all."""
    source, target = space.vectors_of([pair[0] for pair in pairs], [pair[1] for pair in pairs])
    l2 = float(np.linalg.norm(source - target, axis=1).mean())
    blocks = (source[start : start + vectors.BLOCK] for start in range(0, len(source), vectors.BLOCK))
    mean_l2 = float(sum(cdist(block, target).sum() for block in blocks)) / (len(source) * len(target))
    return {
        "cosine": Measure(float(space.cosines(pairs).mean()), len(pairs)),
        "L2": Measure(l2, len(pairs)),
        "relative L2": Measure(l2 / mean_l2, len(pairs)),
    }


def translation_precision(
    space: EmbeddingSpace,
    pairs: Sequence[WordPair],
    frequent_sources: Sequence[str],
    frequent_targets: Sequence[str],
    n_neighbors: int,
) -> dict[str, Measure]:
    """Compute precision at 1 and 5 of word translation, in percent, by cosine and by CSLS.

    A word counts as right where one of its translations is among the nearest candidates, which are the frequent words
    of the target language and all translations of the dictionary.
    """
    translations: dict[str, set[str]] = {}
    for source, target in (pair[:2] for pair in pairs):
        translations.setdefault(source, set()).add(target)
    candidates = list(dict.fromkeys([*frequent_targets, *(pair[1] for pair in pairs)]))
    column_of = {word: column for column, word in enumerate(candidates)}
    right = [[column_of[word] for word in words] for words in translations.values()]
    queries, targets = space.vectors_of(list(translations), candidates)
    frequent, _ = space.vectors_of(frequent_sources, candidates[:1])
    of_queries = vectors.csls_neighborhood(queries, targets, n_neighbors)
    of_targets = vectors.csls_neighborhood(targets, frequent, n_neighbors)
    hits: Counter[str] = Counter()
    for block, similarity in vectors.cosine_blocks(queries, targets):
        for suffix, scores in (("", similarity), (" CSLS", vectors.csls(similarity, of_queries[block], of_targets))):
            hits.update({f"P@{depth}{suffix}": n_correct(scores, right[block], depth) for depth in DEPTHS})
    return {metric: Measure(100 * n / len(right), len(right)) for metric, n in hits.items()}


def n_correct(scores: np.ndarray, right: Sequence[Sequence[int]], depth: int) -> int:
    """Count the rows of ``scores`` (Q, M) that have one of their ``right`` columns among the ``depth`` highest.

    Of equal scores the one further left counts as higher.
    """
    highest = np.argsort(-scores, axis=1, kind="stable")[:, :depth].tolist()
    return sum(bool(set(nearest) & set(columns)) for nearest, columns in zip(highest, right, strict=True))


def similarity_correlations(space: EmbeddingSpace, rated: Sequence[WordPair]) -> dict[str, Measure]:
    """Correlate cosines with human ratings: ranks, values, and the harmonic mean of both (SemEval's).

    The harmonic mean is 0 where one of the correlations is not positive.
    """
    cosines, ratings = space.cosines(rated), [float(pair[2]) for pair in rated]
    spearman, pearson = (float(correlate(cosines, ratings).statistic) for correlate in (spearmanr, pearsonr))
    harmonic = 2 * spearman * pearson / (spearman + pearson) if min(spearman, pearson) > 0 else 0.0
    correlations = {"Spearman": spearman, "Pearson": pearson, "harmonic": harmonic}
    return {name: Measure(value, len(rated)) for name, value in correlations.items()}
