"""Scores of a translator: what is kept of them gives sacreBLEU's command the same number."""

import subprocess
import sys

import pytest
from small_translator import DIRECTION, pairs, write_translator

from xlm_core import results
from xlm_core.config import DecodingConfig
from xlm_core.errors import ConfigError
from xlm_core.metrics import sample_statistics
from xlm_core.results import ResultContext
from xlm_core.tasks.inference import detokenize
from xlm_core.tasks.translation import evaluate
from xlm_core.tasks.translation.evaluate import LINES

GREEDY = DecodingConfig()
CONTEXT = ResultContext("supervised_mt", "s", "en-de", 0, None, "c0de")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A translator, its vocabulary, and a raw test set, in which one sentence has no words and one unknown ones."""
    folder = tmp_path_factory.mktemp("scores")
    rows = [[detokenize(german, "de"), detokenize(english, "en")] for german, english in pairs(30, seed=2)]
    rows += [["nichts", "\u200b"], ["ameise & hund", "ant & dog"]]
    test = folder / "test.tsv"
    test.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
    return {**dict(zip(("model", "vocabulary"), write_translator(folder), strict=True)), "test": test}


@pytest.fixture
def scored(files, tmp_path):
    """Results and kept lines of a search."""

    def run(decoding=GREEDY, direction=DIRECTION):
        kept = {part: tmp_path / f"{part}.txt" for part in LINES}
        evaluate.score(
            **files, direction=direction, decoding=decoding, micro_batch_tokens=100, context=CONTEXT, column="MLM",
            outputs={**kept, "results": tmp_path / "results.jsonl", "statistics": tmp_path / "statistics.json"},
        )  # fmt: skip
        return results.read([tmp_path / "results.jsonl"]), kept

    return run


def by_command(references, hypotheses, *options):
    command = [sys.executable, "-m", "sacrebleu", references, "-i", hypotheses, "--score-only", "-w", "4", *options]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_the_kept_files_give_the_command_the_same_scores(scored):
    results, kept = scored()
    scores = {result.metric: result.value for result in results}
    assert scores["BLEU"] > 50
    assert scores["BLEU"] == pytest.approx(by_command(kept["references"], kept["hypotheses"]), abs=1e-4)
    tokenized = by_command(kept["tokenized_references"], kept["tokenized_hypotheses"], "--tokenize", "none", "--force")
    assert scores["tokenized BLEU"] == pytest.approx(tokenized, abs=1e-4)
    assert scores["chrF"] == pytest.approx(by_command(kept["references"], kept["hypotheses"], "-m", "chrf"), abs=1e-4)


def test_the_kept_items_give_the_same_score(scored):
    results, kept = scored()
    (bleu,) = [result.value for result in results if result.metric == "BLEU"]
    of_directions = sample_statistics.read(kept["hypotheses"].parent / "statistics.json")
    assert {direction: statistics.score for direction, statistics in of_directions.items()} == {
        "-".join(DIRECTION): pytest.approx(bleu)
    }


def test_lines_stay_aligned_and_what_has_no_words_is_counted(scored, files):
    results, kept = scored()
    rows = [line.split("\t") for line in files["test"].read_text(encoding="utf-8").splitlines()]
    lines = {part: path.read_text(encoding="utf-8").split("\n")[:-1] for part, path in kept.items()}
    assert {len(texts) for texts in lines.values()} == {len(rows)} == {result.n for result in results}
    assert lines["sources"] == [english for _, english in rows]
    assert lines["references"] == [german for german, _ in rows]
    assert lines["hypotheses"][30] == "" and [result.warnings for result in results] == [["1 empty translations"]] * 3


def test_the_signature_says_how_it_was_searched(scored):
    greedy = {result.metric: result.signature for result in scored()[0]}
    beam = {result.metric: result.signature for result in scored(DecodingConfig(beam_size=3, length_penalty=0.6))[0]}
    assert greedy["BLEU"].startswith("BLEU nrefs:1|case:mixed") and greedy["BLEU"].endswith(", greedy")
    assert beam["chrF"].endswith(", beam of 3, length penalty 0.6")


def test_a_direction_that_was_not_trained_is_refused(scored):
    with pytest.raises(ConfigError, match="the model was trained for en-de"):
        scored(direction=("de", "en"))
