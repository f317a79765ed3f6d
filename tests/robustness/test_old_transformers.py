"""Exported folders in an older version of ``transformers``.

python -m venv old && old/bin/pip install torch 'transformers==4.50.*' sacremoses
OLD_TRANSFORMERS=old/bin/python pytest -m robustness tests/robustness/test_old_transformers.py
"""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from small_model import CONFIG, write_model, write_vocabulary
from transformers import AutoModelForMaskedLM
from transformers_folders import KINDS, write_config, write_tokenizer
from transformers_folders import write_model as write_theirs

from xlm_core.cli import main
from xlm_core.config import Text
from xlm_core.interop.convert import import_huggingface
from xlm_core.model import checkpoint
from xlm_core.model.heads import ClassificationHead
from xlm_core.tasks.classification.predict import ClassificationPipeline
from xlm_core.tasks.inference import SentenceEncoder, embed, fill_mask

pytestmark = pytest.mark.robustness

SENTENCES = ["the cat", "a dog .", "The cat sees"]
PROGRAM = """
import json, sys
import torch, transformers
from transformers import AutoModel, AutoTokenizer, pipeline
encoder, classifier, sentences, texts = json.loads(sys.argv[1])
tokenizer = AutoTokenizer.from_pretrained(encoder)
model, report = AutoModel.from_pretrained(encoder, output_loading_info=True)
inputs = tokenizer(sentences, return_tensors="pt", padding=True)
with torch.no_grad():
    states = model(**inputs).last_hidden_state[:, 0].tolist()
fill = pipeline("fill-mask", model=encoder)
filled = fill(texts.replace("<mask>", fill.tokenizer.mask_token))[0]
said = pipeline("text-classification", model=classifier, top_k=None)({"text": sentences[0], "text_pair": sentences[1]})
print(json.dumps({"version": transformers.__version__, "states": states, "filled": [filled["token"], filled["score"]],
                  "said": {item["label"]: item["score"] for item in said}, "length": tokenizer.model_max_length,
                  "missing": sorted(report["missing_keys"])}))
"""


@pytest.fixture(scope="module")
def interpreter() -> str:
    path = os.environ.get("OLD_TRANSFORMERS")
    if not path:
        pytest.skip("OLD_TRANSFORMERS does not name a Python with an older version of transformers")
    return path


@pytest.mark.parametrize("model_type", ["xlm", *KINDS])
def test_an_old_version_has_our_numbers(tmp_path: Path, interpreter: str, model_type: str) -> None:
    """Of raw text: states, the best piece for a mask, probabilities of classes, and the longest input."""
    if model_type == "xlm":
        words = write_vocabulary(tmp_path, Text(tokenization="none"))
        path = write_model(tmp_path / "model.safetensors", words)
    else:
        write_tokenizer(KINDS[model_type], tmp_path / "theirs")
        write_config(model_type, tmp_path / "theirs")
        write_theirs(AutoModelForMaskedLM, tmp_path / "theirs")
        import_huggingface(tmp_path / "theirs", ["en", "fr"], tmp_path)
        path, words = tmp_path / "model.safetensors", tmp_path / "vocabulary.json"
    model, metadata = checkpoint.load(path)
    torch.manual_seed(0)
    head = ClassificationHead(CONFIG.dim, 3, 0.1)
    metadata |= {"labels": ["a", "b", "c"], "max_tokens": 20}
    checkpoint.save(tmp_path / "classifier", model, metadata, head=head)
    for name, file in (("encoder", path), ("classes", tmp_path / "classifier")):
        files = [str(file), "--vocabulary", str(words), "--language", "en"]
        main(["export-huggingface", *files, "--output", str(tmp_path / name)])
    masked = "the <mask> sees a dog ."
    given = json.dumps([str(tmp_path / "encoder"), str(tmp_path / "classes"), SENTENCES, masked])
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ended = subprocess.run(
        [interpreter, "-c", PROGRAM, given], capture_output=True, text=True, check=True, env=environment
    )
    theirs = json.loads(ended.stdout.splitlines()[-1])
    encoder = SentenceEncoder(path, words, "en", "cpu")
    states = embed(encoder, [[sentence] for sentence in SENTENCES], "first").numpy()
    assert np.abs(states - np.array(theirs["states"])).max() <= 1e-5
    ((piece, probability),) = fill_mask(encoder, masked, 1, str)[0]
    if encoder.vocabulary.pieces[theirs["filled"][0]] == piece:  # it may propose a special symbol
        assert theirs["filled"][1] == pytest.approx(probability, abs=1e-5)
    ours = ClassificationPipeline(tmp_path / "classifier", words, "en", "cpu").classify([SENTENCES[:2]])[0]
    assert theirs["said"] == pytest.approx(ours.probabilities, abs=1e-5)
    assert theirs["length"] == model.config.max_positions
    assert {*theirs["missing"]} <= {"pooler.dense.bias", "pooler.dense.weight"}  # which language models do not have
