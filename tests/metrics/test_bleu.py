"""Scores are those of the sacreBLEU command line."""

import json
import subprocess
import sys

import pytest

from xlm_core.metrics import bleu

HYPOTHESES = ["The cat sat on the mat.", "A dog, barking, ran past us yesterday!", ""]
REFERENCES = ["The cat sat on a mat.", "A barking dog ran past us yesterday!", "Nothing was said of it."]


@pytest.mark.parametrize(
    ("score", "options"),
    [
        (bleu.bleu, ["-m", "bleu"]),
        (bleu.tokenized_bleu, ["-m", "bleu", "--tokenize", "none", "--force"]),
        (bleu.chrf, ["-m", "chrf"]),
    ],
)
def test_scores_and_signatures_are_those_of_the_command_line(tmp_path, score, options):
    for name, lines in (("hypotheses", HYPOTHESES), ("references", REFERENCES)):
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines))
    command = [sys.executable, "-m", "sacrebleu", tmp_path / "references", "-i", tmp_path / "hypotheses", *options]
    run = subprocess.run([*command, "--width", "10"], capture_output=True, text=True, check=True)
    expected = json.loads(run.stdout)
    scores = score(HYPOTHESES, REFERENCES)
    assert scores.value == pytest.approx(expected["score"], abs=1e-9)
    assert scores.signature == expected["signature"]
