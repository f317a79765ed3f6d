"""The measures of word embeddings against numbers by hand, and what is measured on which words."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from xlm_core import results
from xlm_core.config import Refinement
from xlm_core.errors import CorpusError
from xlm_core.metrics import sample_statistics
from xlm_core.results import ResultContext
from xlm_core.tasks.word_embeddings import evaluate
from xlm_core.tasks.word_embeddings.evaluate import EmbeddingSpace
from xlm_core.tasks.word_embeddings.vectors import WordEmbeddings

ENGLISH = {"dog": [1.0, 0.0], "cat": [0.0, 2.0], "bus": [3.0, 4.0]}
FRENCH = {"chien": [0.0, 1.0], "chat": [0.0, 1.0], "bus": [3.0, 4.0]}
PAIRS = [["dog", "chien"], ["cat", "chat"], ["bus", "bus"]]


def words(vectors: dict) -> WordEmbeddings:
    return WordEmbeddings(tuple(vectors), np.array(list(vectors.values())))


SPACE = EmbeddingSpace(words(ENGLISH), words(FRENCH), ("en", "fr"))


def values(measures: dict) -> dict:
    return {metric: measure.value for metric, measure in measures.items()}


def test_distances_by_hand():
    measured = values(evaluate.distances(SPACE, PAIRS))
    distances = [math.sqrt(2), 1.0, 0.0]  # of the pairs; then of all words from all
    rows = [[math.sqrt(2), math.sqrt(2), math.hypot(2, 4)], [1, 1, math.hypot(3, 2)], [math.hypot(3, 3)] * 2 + [0]]
    assert measured["cosine"] == pytest.approx((0 + 1 + 1) / 3)
    assert measured["L2"] == pytest.approx(sum(distances) / 3)
    assert measured["relative L2"] == pytest.approx(np.mean(distances) / np.mean(rows))


def test_a_word_with_several_translations_is_looked_up_once():
    precision = evaluate.translation_precision(
        SPACE, [*PAIRS, ["dog", "bus"]], list(ENGLISH), list(FRENCH), n_neighbors=2
    )
    assert {measure.n for measure in precision.values()} == {3}
    # dog: bus (0.6) before chien and chat (0); cat: chien and chat alike, the first counts as higher; bus: itself.
    assert values(precision)["P@1"] == pytest.approx(100 * 2 / 3) and values(precision)["P@5"] == 100


def test_n_correct_of_a_matrix_by_hand():
    scores = np.array([[3.0, 2.0, 1.0], [1.0, 1.0, 0.0], [0.0, 0.0, 5.0]])
    right = [[1], [1, 2], [2]]
    assert [evaluate.n_correct(scores, right, depth) for depth in (1, 2, 3)] == [1, 3, 3]


def test_agreement_is_scipy_s_and_the_harmonic_mean():
    rated = [
        ["dog", "chien", "1"],
        ["cat", "chat", "4"],
        ["bus", "bus", "3.5"],
        ["dog", "bus", "3"],
        ["bus", "chat", "2"],
    ]
    cosines = [0, 1, 1, 0.6, 0.8]
    correlations = values(evaluate.similarity_correlations(SPACE, rated))
    ratings = [1, 4, 3.5, 3, 2]
    assert correlations["Spearman"] == pytest.approx(spearmanr(cosines, ratings).statistic)
    assert correlations["Pearson"] == pytest.approx(np.corrcoef(cosines, ratings)[0, 1])
    rank, value = correlations["Spearman"], correlations["Pearson"]
    assert correlations["harmonic"] == pytest.approx(2 * rank * value / (rank + value))
    opposed = [[*pair, str(-float(rating))] for *pair, rating in rated]
    assert values(evaluate.similarity_correlations(SPACE, opposed))["harmonic"] == 0


def scored(folder: Path, pairs: list, together: dict) -> list[results.Result]:
    (folder / "en-fr.tsv").write_text("".join("\t".join(pair) + "\n" for pair in pairs))
    evaluate.score(
        systems=["muse", "concat"],
        monolingual={"en": words(ENGLISH), "fr": words(FRENCH)},
        shared={"concat": words(together)},
        word_lists={"dictionary": {"en-fr": folder / "en-fr.tsv"}},
        refinement=Refinement(rounds=0),
        n_candidates=10,
        baseline_digest="c",
        context=ResultContext("embeddings", "", "", 0, None, "x"),
        output=folder / "r.jsonl",
        statistics=folder / "statistics.json",
    )
    return results.read([folder / "r.jsonl"])


def test_all_rows_are_measured_on_what_every_row_knows(tmp_path):
    """Concat lacks "mouse" no more than MUSE does, but MUSE alone lacks no "chat" of the others."""
    pairs = [*PAIRS, ["dog", "chat"], ["cat", "chien"], ["cat", "bus"], ["bus", "souris"]]
    together = {**ENGLISH, **FRENCH}
    results = {(result.system, result.setting, result.metric): result for result in scored(tmp_path, pairs, together)}
    assert {result.n for key, result in results.items() if key[1:] == ("all words", "cosine")} == {6}
    assert {result.n for key, result in results.items() if key[1:] == ("spelled differently", "cosine")} == {5}
    assert results["muse", "all words", "coverage"].value == pytest.approx(100 * 6 / 7)
    kept = sample_statistics.read(tmp_path / "statistics.json")
    for (system, setting, metric), result in results.items():
        if metric == "cosine":
            assert kept[f"{system}, en-fr, {setting}"].score == pytest.approx(result.value)
            assert len(kept[f"{system}, en-fr, {setting}"].statistics) == result.n
    del together["chat"]
    results = {(result.system, result.setting, result.metric): result for result in scored(tmp_path, pairs, together)}
    assert {result.n for key, result in results.items() if key[1:] == ("all words", "cosine")} == {4}
    coverage = [results[row, "all words", "coverage"].value for row in ("muse", "concat")]
    assert coverage == pytest.approx([100 * 6 / 7, 100 * 4 / 7])


def test_too_few_words_are_refused(tmp_path):
    with pytest.raises(CorpusError, match="spelled differently: every row knows the words of 2 of 2 pairs, expected 3"):
        scored(tmp_path, PAIRS, {**ENGLISH, **FRENCH})
