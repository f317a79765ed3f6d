"""How well vectors of words are aligned across languages (paper, section 5.5 and Table 5).

Every row of the table is measured on the same words: those that all rows have vectors for, and that occur in the text
of their language. What share of the dictionary each row alone has vectors for is a column. The setting "all words" is
the paper's; "spelled differently" leaves out the pairs of words that are spelled alike, which one vocabulary for all
languages aligns by construction, whatever it has learned. ``docs/embeddings.md`` defines all measures.

Letters: P pairs of words, Q words that are looked up, M candidates, D dimensions.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import cdist
from scipy.stats import pearsonr, spearmanr

from xlm_core import digests, results, tsv
from xlm_core.config import WORD_SETTINGS, Refinement
from xlm_core.errors import CorpusError
from xlm_core.languages import sides
from xlm_core.metrics import sample_statistics
from xlm_core.metrics.sample_statistics import SampleStatistics
from xlm_core.results import Result, ResultContext
from xlm_core.tasks.word_embeddings import muse
from xlm_core.tasks.word_embeddings.fasttext import InputEmbeddings, LearnedWords, Words

MUSE, CONCAT = "muse", "concat"  # rows that are no runs
DEPTHS = (1, 5)  # of the lists in which translations are looked for
SIGNATURE = "vectors:raw|word:mean of pieces|items:known to every row|candidates:frequent words and all translations"
BLOCK = 512  # words that are compared with all others at once
N_LEAST = 3  # pairs that a correlation takes
N_FIELDS = {"dictionary": 2, "similarity": 3}  # of a record


class Measure(NamedTuple):
    """A measured number, and on how many items."""

    value: float
    n: int


@dataclass(frozen=True)
class EmbeddingSpace:
    """A row of the table in one direction: vectors of the words of two languages that can be compared."""

    source: Words
    target: Words
    direction: str

    def knows(self, pair: Sequence[str]) -> bool:
        """Whether there are vectors for the words of a pair, which further fields may follow."""
        return all(words.knows(*one) for words, *one in zip(self._both, pair, sides(self.direction), strict=False))

    def of(self, sources: Sequence[str], targets: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Vectors (n, D) and (m, D) of known words of either language."""
        first, second = zip(self._both, (sources, targets), sides(self.direction), strict=True)
        return first[0].of(*first[1:]), second[0].of(*second[1:])

    @property
    def _both(self) -> tuple[Words, Words]:
        return self.source, self.target


@dataclass(frozen=True)
class Direction:
    """Two languages, and all rows of the table in them.

    spaces        row -> its vectors
    text          the words that occur in the text of both languages
    sources       the most frequent words of the source that every row knows
    targets       likewise: among them translations are looked for
    n_neighbors   of CSLS
    """

    spaces: Mapping[str, EmbeddingSpace]
    text: EmbeddingSpace
    sources: Sequence[str]
    targets: Sequence[str]
    n_neighbors: int

    def common(self, pairs: Sequence[Sequence[str]]) -> list[Sequence[str]]:
        """The pairs that occur in the text and that every row knows."""
        return [pair for pair in pairs if all(space.knows(pair) for space in (self.text, *self.spaces.values()))]


def score(
    *,
    rows: Sequence[str],
    models: Mapping[str, Path],
    vocabulary: Path,
    vectors: Mapping[str, Path],
    concat: Path | None,
    lists: Mapping[str, Mapping[str, Path]],
    refinement: Refinement,
    n_candidates: int,
    config: str,
    context: ResultContext,
    output: Path,
    kept: Path,
) -> None:
    """Write every measure of every row and direction, as results of the table "embeddings".

    Args:
        rows: of the table: "muse", "concat", or names of ``models``.
        models: run -> its model, whose input embeddings are scored.
        vocabulary: of the models.
        vectors: language -> vectors of its words, learned on its text alone.
        concat: vectors learned on the text of all languages together; None where there is no such row.
        lists: "dictionary" and "similarity": direction -> records of ``xlm_core.text.formats.dictionary``.
        refinement: of MUSE's alignment; its ``neighbors`` are also those of CSLS.
        n_candidates: most frequent words of a language that are candidates.
        config: digest of the settings of the baselines.
        context: of the results, whose systems and settings are filled in.
        output: JSON lines.
        kept: the items: the cosine of each pair of words, of every row, direction and setting; see ``column_of``.

    Raises:
        CorpusError: of a list of words there are too few that every row knows.
    """
    learned = {language: LearnedWords.read(path) for language, path in vectors.items()}
    embeddings = {run: InputEmbeddings.read(path, vocabulary) for run, path in models.items()}
    shared: dict[str, Words] = {**embeddings, **({CONCAT: LearnedWords.read(concat)} if concat else {})}
    origins = {run: (words.config, words.data) for run, words in embeddings.items()}
    result = partial(Result, **vars(context), signature=SIGNATURE)
    found, of_pairs = [], {}
    for direction in dict.fromkeys(key for files in lists.values() for key in files):
        at = _direction(direction, rows, learned, shared, refinement, n_candidates)
        for kind, path in ((kind, files[direction]) for kind, files in lists.items() if direction in files):
            for row, setting, metric, measure in _measures(at, rows, kind, path):
                cell = {"system": row, "setting": setting, "column": direction, "metric": metric}
                of_row, of_data = origins.get(row, (config, ""))
                found.append(
                    result(
                        **cell,
                        **measure._asdict(),
                        config_digest=of_row,
                        data_digest=digests.of_value([digests.of_file(path), of_data]),
                    )
                )
        if direction in lists["dictionary"]:
            of_pairs |= _cosines(at, rows, lists["dictionary"][direction])
    results.write(found, output)
    sample_statistics.write(kept, of_pairs)


def column_of(row: str, direction: str, setting: str) -> str:
    """What the cosines of a row's pairs are called among the items."""
    return f"{row}, {direction}, {setting}"


def _cosines(at: Direction, rows: Sequence[str], path: Path) -> dict[str, SampleStatistics]:
    """The cosine of each pair of words of a dictionary, by row and setting."""
    pairs, found = list(tsv.read(path, N_FIELDS["dictionary"])), {}
    for setting in WORD_SETTINGS:
        common = at.common(_wanted(pairs, setting))
        for row in rows:
            cosines = cosines_of(at.spaces[row], common)
            found[column_of(row, at.text.direction, setting)] = SampleStatistics("mean", cosines[:, None])
    return found


def _wanted(pairs: Sequence[Sequence[str]], setting: str) -> list[Sequence[str]]:
    """The pairs of words that count in a setting."""
    return [pair for pair in pairs if setting == WORD_SETTINGS[0] or pair[0] != pair[1]]


def _direction(
    direction: str,
    rows: Sequence[str],
    learned: Mapping[str, LearnedWords],
    shared: Mapping[str, Words],
    refinement: Refinement,
    n_candidates: int,
) -> Direction:
    """The vectors of all rows in one direction."""
    source, target = (learned[language] for language in sides(direction))
    spaces = {row: EmbeddingSpace(shared[row], shared[row], direction) for row in rows if row != MUSE}
    if MUSE in rows:
        rotated = source.vectors @ muse.align(source, target, refinement)
        spaces[MUSE] = EmbeddingSpace(LearnedWords(source.words, rotated), target, direction)
    frequent = []
    for number, words in enumerate((source, target)):
        every = [(space.source, space.target)[number] for space in spaces.values()]
        language = sides(direction)[number]
        frequent.append([w for w in words.words[:n_candidates] if all(one.knows(w, language) for one in every)])
    return Direction(spaces, EmbeddingSpace(source, target, direction), *frequent, refinement.neighbors)


def _measures(at: Direction, rows: Sequence[str], kind: str, path: Path) -> Iterator[tuple[str, str, str, Measure]]:
    """Row, setting, metric, and what was measured on a list of words."""
    pairs = list(tsv.read(path, N_FIELDS[kind]))
    for setting in WORD_SETTINGS:
        wanted = _wanted(pairs, setting)
        common = at.common(wanted)
        if len(common) < N_LEAST:
            raise CorpusError(
                f"{path}, {setting}: every row knows the words of {len(common)} of {len(wanted)} pairs, expected "
                f"{N_LEAST} or more; give more text, or lower embeddings.vectors.min_count"
            )
        for row in rows:
            space = at.spaces[row]
            if kind == "similarity":
                found = agreement(space, common)
            else:
                n_known = sum(space.knows(pair) for pair in wanted)
                coverage = Measure(100 * n_known / len(wanted), len(wanted))
                found = {**distances(space, common), **lookup(space, common, at), "coverage": coverage}
            yield from ((row, setting, metric, measure) for metric, measure in found.items())


def cosines_of(space: EmbeddingSpace, pairs: Sequence[Sequence[str]]) -> np.ndarray:
    """The cosine (P,) of the words of each pair."""
    source, target = space.of([pair[0] for pair in pairs], [pair[1] for pair in pairs])
    return (muse.normalized(source) * muse.normalized(target)).sum(axis=1)


def distances(space: EmbeddingSpace, pairs: Sequence[Sequence[str]]) -> dict[str, Measure]:
    """Mean cosine and mean L2 distance of the words of P pairs; and that distance by the one of all with all."""
    source, target = space.of([pair[0] for pair in pairs], [pair[1] for pair in pairs])
    cosines = cosines_of(space, pairs)
    l2 = float(np.linalg.norm(source - target, axis=1).mean())
    return {
        "cosine": Measure(float(cosines.mean()), len(pairs)),
        "L2": Measure(l2, len(pairs)),
        "relative L2": Measure(l2 / _mean_distance(source, target), len(pairs)),
    }


def _mean_distance(source: np.ndarray, target: np.ndarray) -> float:
    """The mean L2 distance of all vectors (N, D) from all vectors (M, D)."""
    sums = (cdist(source[start : start + BLOCK], target).sum() for start in range(0, len(source), BLOCK))
    return float(sum(sums)) / (len(source) * len(target))


def lookup(space: EmbeddingSpace, pairs: Sequence[Sequence[str]], at: Direction) -> dict[str, Measure]:
    """How often one of a word's translations is among its nearest 1 or 5 candidates, in percent, by cosine and by CSLS.

    The candidates are the frequent words of the target language and all translations of the dictionary.
    """
    translations: dict[str, set[str]] = {}
    for source, target in pairs:
        translations.setdefault(source, set()).add(target)
    candidates = list(dict.fromkeys([*at.targets, *(target for _, target in pairs)]))
    place = {word: number for number, word in enumerate(candidates)}
    right = [[place[word] for word in words] for words in translations.values()]
    queries, among = space.of(list(translations), candidates)
    frequent, _ = space.of(at.sources, candidates[:1])
    of_queries = muse.nearness(queries, among, at.n_neighbors)
    of_candidates = muse.nearness(among, frequent, at.n_neighbors)
    hits: Counter[str] = Counter()
    for part in (slice(start, start + BLOCK) for start in range(0, len(queries), BLOCK)):
        similarity = muse.cosine(queries[part], among)
        for by, scores in (("", similarity), (" CSLS", muse.csls(similarity, of_queries[part], of_candidates))):
            hits.update({f"P@{depth}{by}": n_found(scores, right[part], depth) for depth in DEPTHS})
    return {metric: Measure(100 * n / len(right), len(right)) for metric, n in hits.items()}


def n_found(scores: np.ndarray, right: Sequence[Sequence[int]], depth: int) -> int:
    """How many rows of ``scores`` (Q, M) have one of their ``right`` columns among the ``depth`` highest.

    Of equal scores the one further left counts as higher.
    """
    highest = np.argsort(-scores, axis=1, kind="stable")[:, :depth].tolist()
    return sum(bool(set(few) & set(some)) for few, some in zip(highest, right, strict=True))


def agreement(space: EmbeddingSpace, rated: Sequence[Sequence[str]]) -> dict[str, Measure]:
    """Correlations of cosines with people's ratings: by ranks, by values, and the harmonic mean of both (SemEval's).

    The harmonic mean of numbers of which one is not positive is 0.
    """
    first, second, ratings = zip(*rated, strict=True)
    source, target = space.of(first, second)
    cosines = (muse.normalized(source) * muse.normalized(target)).sum(axis=1)
    values = [float(rating) for rating in ratings]
    by_rank, by_value = (float(measure(cosines, values).statistic) for measure in (spearmanr, pearsonr))
    both = 2 * by_rank * by_value / (by_rank + by_value) if min(by_rank, by_value) > 0 else 0.0
    found = {"Spearman": by_rank, "Pearson": by_value, "harmonic": both}
    return {name: Measure(value, len(rated)) for name, value in found.items()}
