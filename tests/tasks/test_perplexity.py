"""Perplexity against sums by hand, and its three units."""

import math
from pathlib import Path

import numpy as np
import pytest
import sentencepiece
import torch
from hypothesis import given
from hypothesis import strategies as st
from token_stores import make_store

from xlm_core import results
from xlm_core.config import ModelConfig
from xlm_core.data.batch import IGNORE
from xlm_core.data.blocks import TokenStream
from xlm_core.data.token_store import TokenStoreWriter
from xlm_core.errors import CorpusError, StoreError
from xlm_core.metrics import sample_statistics
from xlm_core.model import checkpoint
from xlm_core.model.transformer import Transformer
from xlm_core.results import ResultContext
from xlm_core.tasks import perplexity
from xlm_core.text import vocabulary as vocabularies
from xlm_core.text.special_symbols import EOS, N_SPECIAL, SPECIAL, UNK
from xlm_core.text.vocabulary import Vocabulary

MODEL = ModelConfig(dim=16, n_layers=1, n_heads=2, feedforward_dim=32, max_positions=16, language_embeddings=True)
PIECES = ("▁a", "b", "▁ça", "▁", "▁नेपाल")  # ids from 14
TEXT = [[14, 15], [16], [14, 14, 18]]  # ab, ça, a a नेपाल


@pytest.fixture
def vocab() -> Vocabulary:
    return Vocabulary((*SPECIAL, *PIECES), np.zeros(N_SPECIAL + len(PIECES), dtype=np.int64), (b"",), (0,), {"ne": 0})


@pytest.fixture
def model(tmp_path: Path, vocab: Vocabulary) -> Path:
    torch.manual_seed(0)
    metadata = {"vocabulary": vocab.digest, "languages": ["en", "ne"], "config": "c", "data": "d"}
    checkpoint.save(tmp_path / "model", Transformer(MODEL, len(vocab), 2), metadata)
    vocab.write(tmp_path / "vocabulary.json")
    return tmp_path / "model"


def store(path: Path, sentences: list[list[int]], vocab: Vocabulary, language: str = "ne") -> Path:
    with TokenStoreWriter(path, (language,), vocab) as writer:
        for sentence in sentences:
            writer.add((sentence,))
    return path


def score(model: Path, stores: list[Path], seq_len: int = 5, language: str = "ne") -> dict[str, results.Result]:
    perplexity.score(
        model=model,
        vocabulary=model.parent / "vocabulary.json",
        test=stores,
        language=language,
        seq_len=seq_len,
        context=ResultContext("perplexity", "little", "clm", 0, None, "c0de"),
        output=model.parent / "results.jsonl",
        statistics=model.parent / "statistics.json",
    )
    return {result.metric: result for result in results.read([model.parent / "results.jsonl"])}


def nats_by_hand(path: Path, windows: list[list[int]]) -> float:
    """Minus the log-probabilities of all tokens of the windows but their first."""
    transformer, _ = checkpoint.load(path)
    total = 0.0
    for window in windows:
        batch = perplexity.clm_batch(np.array([window]), 1)
        with torch.inference_mode():
            hidden = transformer.eval()(batch, True)  # (1, T, D)
            scores = hidden @ transformer.embeddings.weight.T + transformer.output_bias
            logs = scores.log_softmax(-1)[0, :-1]
        total -= logs[torch.arange(len(window) - 1), torch.tensor(window[1:])].sum().item()
    return total


def test_the_loss_is_that_of_every_piece_and_every_end_in_its_window(tmp_path: Path, model: Path, vocab: Vocabulary):
    results = score(model, [store(tmp_path / "a", TEXT[:2], vocab), store(tmp_path / "b", TEXT[2:], vocab)])
    windows = [[EOS, 14, 15, EOS, 16], [EOS, EOS, 14, 14, 18], [EOS, EOS]]
    bits = nats_by_hand(model, windows) / math.log(2)
    n_words = 5 + 3  # ab, ça, a, a, नेपाल, and three ends
    n_bytes = len(b"ab\n") + len("ça\n".encode()) + len("a a नेपाल\n".encode())
    assert results[perplexity.PER_WORD].value == pytest.approx(2 ** (bits / n_words), rel=1e-4)
    assert results[perplexity.PER_PIECE].value == pytest.approx(2 ** (bits / 9), rel=1e-4)
    assert results[perplexity.PER_BYTE].value == pytest.approx(bits / n_bytes, rel=1e-4)
    kept = sample_statistics.read(model.parent / "statistics.json")["ne"]
    assert kept.statistics[:, 1].tolist() == [2, 2, 4]  # words of each sentence, its end included
    assert kept.score == pytest.approx(results[perplexity.PER_WORD].value)
    assert {
        (result.n, result.column, result.system, result.setting, *result.warnings) for result in results.values()
    } == {(8, "ne", "little", "clm")}


def test_units_by_hand():
    assert perplexity.normalize(8 * math.log(2), n_words=2, n_pieces=4, n_bytes=8) == pytest.approx(
        {"perplexity per word": 16.0, "perplexity per piece": 4.0, "bits per byte": 1.0}
    )


@given(sentences=st.lists(st.lists(st.integers(14, 99), max_size=7), min_size=1, max_size=9), seq_len=st.integers(2, 9))
def test_every_token_is_predicted_once_and_in_order(sentences, seq_len):
    stream = TokenStream([(make_store(sentences), (0,))])
    batches = list(perplexity.blocks(stream.tokens_at(np.arange(len(stream))), seq_len, 0))
    labels = np.concatenate([batch.labels.numpy().ravel() for batch in batches])
    assert labels[labels != IGNORE].tolist() == [token for sentence in sentences for token in (*sentence, EOS)]
    assert max(batch.tokens.shape[1] for batch in batches) <= seq_len


def test_unknown_characters_are_counted_and_told(tmp_path: Path, model: Path, vocab: Vocabulary):
    results = score(model, [store(tmp_path / "a", [[17, UNK]], vocab)])
    assert {tuple(result.warnings) for result in results.values()} == {("1 unknown pieces, of no bytes",)}
    assert {result.n for result in results.values()} == {2}
    bits = results[perplexity.PER_BYTE].value  # of one byte
    assert results[perplexity.PER_WORD].value == pytest.approx(2 ** (bits / 2))
    assert results[perplexity.PER_PIECE].value == pytest.approx(2 ** (bits / 3))


def test_bytes_are_those_of_the_text(tmp_path: Path):
    """Any text that the encoding was learned on has as many bytes as its lines have."""
    lines = ["le chien dort .", "ça va ?", "नेपाल एक देश हो"] * 20
    (tmp_path / "sample").write_text("\n".join(lines))
    sentencepiece.SentencePieceTrainer.train(
        input=str(tmp_path / "sample"), model_prefix=str(tmp_path / "m"), vocab_size=60, model_type="bpe",
        character_coverage=1.0, normalization_rule_name="identity", pad_id=2, unk_id=3, bos_id=0, eos_id=1,
        user_defined_symbols=[], control_symbols=list(SPECIAL[4:]), minloglevel=2,
    )  # fmt: skip
    vocabularies.build(["ne"], [tmp_path / "m.model"], [tmp_path / "sample"], tmp_path / "v.json")
    vocab = Vocabulary.read(tmp_path / "v.json")
    for line, ids in zip(lines, vocab.encode(lines, "ne"), strict=True):
        tokens = np.array([*ids, EOS])
        ((_, n_words),) = perplexity.sentence_nll(np.zeros(len(tokens)), tokens, vocab)
        assert (n_words, vocab.n_bytes[tokens].sum()) == (len(line.split()) + 1, len(f"{line}\n".encode()))
        assert UNK not in tokens


def test_bytes_in_the_published_form():
    vocab = Vocabulary(
        (*SPECIAL, "go@@", "es", "@@"), np.zeros(N_SPECIAL + 3, dtype=np.int64), (b"",), (0,), {"en": 0}, "fastbpe"
    )
    assert vocab.n_bytes[N_SPECIAL:].tolist() == [2, 3, 0]
    assert not vocab.n_bytes[:N_SPECIAL].any()


def test_no_text_is_refused(tmp_path: Path, model: Path, vocab: Vocabulary):
    with pytest.raises(CorpusError, match="test text of 'ne': found no sentence"):
        score(model, [store(tmp_path / "a", [], vocab)])


def test_another_language_is_refused(tmp_path: Path, model: Path, vocab: Vocabulary):
    with pytest.raises(StoreError, match="found hi, expected 'ne'"):
        score(model, [store(tmp_path / "a", TEXT, vocab, language="hi")])
