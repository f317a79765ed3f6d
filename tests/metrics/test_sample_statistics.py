"""Scores from summed statistics, against the scores themselves."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sacrebleu.metrics import BLEU
from scipy import stats
from sklearn import metrics

from xlm_core.errors import CorpusError
from xlm_core.metrics import sample_statistics
from xlm_core.metrics.bleu import bleu, bleu_statistics
from xlm_core.metrics.sample_statistics import SampleStatistics

WORDS = st.lists(st.sampled_from(["the", "dog", "sleeps", "a", "cat", "."]), max_size=9).map(" ".join)
PAIRS = st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=6)


def test_means_by_hand():
    three = np.array([[1.0], [0.0], [1.0]])
    assert SampleStatistics("mean", three).score == pytest.approx(2 / 3)
    assert SampleStatistics("percent", three).score == pytest.approx(200 / 3)
    assert SampleStatistics("percent", three).scores(np.array([[3.0, 0, 0], [0, 2, 1]])).tolist() == pytest.approx(
        [100, 100 / 3]
    )


def test_perplexity_by_hand():
    two = SampleStatistics("perplexity", np.array([[np.log(8.0), 1.0], [np.log(2.0), 1.0]]))
    assert two.score == pytest.approx(4)
    assert two.scores(np.array([[2.0, 0], [0, 2]])).tolist() == pytest.approx([8, 2])


@given(pairs=PAIRS)
def test_bleu_of_statistics_is_bleu(pairs: list[tuple[str, str]]):
    hypotheses, references = map(list, zip(*pairs, strict=True))
    expected = bleu(hypotheses, references).value
    assert bleu_statistics(hypotheses, references).score == pytest.approx(expected)


@given(pairs=PAIRS, seed=st.integers(0, 99))
def test_bleu_of_a_sample_is_that_of_its_sentences(pairs: list[tuple[str, str]], seed: int):
    drawn = np.random.default_rng(seed).integers(0, len(pairs), len(pairs))
    hypotheses, references = map(list, zip(*(pairs[number] for number in drawn), strict=True))
    counts = np.bincount(drawn, minlength=len(pairs)).astype(float)[None, :]
    sample_scores = bleu_statistics(*map(list, zip(*pairs, strict=True))).scores(counts)
    assert sample_scores == pytest.approx([BLEU().corpus_score(hypotheses, [references]).score])


@given(pairs=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=2, max_size=20))
def test_yes_and_no_as_scikit_learn_judges_them(pairs: list[tuple[int, int]]):
    labels, predictions = np.array(pairs).T
    statistics = sample_statistics.confusion_counts(labels, predictions)
    assert SampleStatistics("f1", statistics).score == pytest.approx(
        100 * metrics.f1_score(labels, predictions, zero_division=0.0)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of labels that are all the same
        expected = 100 * metrics.matthews_corrcoef(labels, predictions)
    assert SampleStatistics("matthews", statistics).score == pytest.approx(expected)


@given(pairs=st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=2, max_size=20))
def test_correlation_is_that_of_scipy(pairs: list[tuple[int, int]]):
    x, y = np.array(pairs, dtype=float).T
    correlation = SampleStatistics("pearson", sample_statistics.moment_sums(x, y)).score
    same = np.ptp(x) == 0 or np.ptp(y) == 0
    assert correlation == (0 if same else pytest.approx(100 * stats.pearsonr(x, y).statistic, abs=1e-6))


def test_statistics_are_read_as_they_were_written(tmp_path: Path):
    sample_statistics.write(
        tmp_path / "statistics.json", {"en": SampleStatistics("percent", np.array([[True], [False]]))}
    )
    (restored,) = sample_statistics.read(tmp_path / "statistics.json").values()
    assert (restored.metric, restored.statistics.tolist()) == ("percent", [[1.0], [0.0]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1", "does not hold sample statistics"),
        ("[]", "does not hold sample statistics"),
        ('{"en": {"metric": "mean"}}', "does not hold sample statistics"),
        ('{"en": {"metric": "mean", "statistics": []}}', "expected one row for each of one or more items"),
        ('{"en": {"metric": "mean", "statistics": [[1], [1, 2]]}}', "does not hold sample statistics"),
        ('{"en": {"metric": "median", "statistics": [[1]]}}', "metric 'median', expected one of mean, percent"),
    ],
)
def test_what_is_no_file_of_statistics_is_refused(tmp_path: Path, text: str, message: str):
    (tmp_path / "statistics.json").write_text(text)
    with pytest.raises(CorpusError, match=message):
        sample_statistics.read(tmp_path / "statistics.json")
