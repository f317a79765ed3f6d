"""A model that begins with another one's weights: every row by hand, and the states of what both have."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers_folders import write_tokenizer

from xlm_core.config import ModelConfig, Text
from xlm_core.data.batch import EncoderInput
from xlm_core.errors import CheckpointError
from xlm_core.model.transfer import LANGUAGES, POSITIONS, check_shape, transfer_languages, transfer_pieces
from xlm_core.model.transformer import Transformer
from xlm_core.text import bpe, vocabulary
from xlm_core.text.special_symbols import EOS, MASK, N_SPECIAL, PAD, SPECIAL, UNK
from xlm_core.text.vocabulary import Vocabulary

CONFIG = ModelConfig(dim=8, n_layers=1, n_heads=2, feedforward_dim=16, max_positions=10)


def published(folder, pieces, codes, languages=("en",)):
    """A vocabulary of fastBPE with these pieces after the special symbols."""
    (folder / "codes").write_text("".join(f"{code}\n" for code in codes))
    return Vocabulary.from_codes((*SPECIAL, *pieces), [0] * (N_SPECIAL + len(pieces)), folder / "codes", languages)


@pytest.fixture
def old(tmp_path):
    """Words are cut into letters, but for "the"."""
    return published(tmp_path, ["a@@", "a", "b@@", "b", "the"], ["t h 3", "th e</w> 2"])


@pytest.fixture
def weights(old):
    """Rows of pieces are their ids and the squares of these, their biases the negative ids."""
    ids = torch.arange(float(len(old)))
    return {"embeddings.weight": torch.stack([ids, ids**2], dim=1), "output_bias": -ids, "other": torch.ones(3)}


def test_rows_of_pieces_are_copied_or_the_mean_of_their_parts_or_drawn(old, weights, tmp_path):
    a_, a, b_, b, the = range(N_SPECIAL, len(old))
    parts = {"the": [the], "ab": [a_, b], "ba@@": [b_, a], "a@@": [a_], "aza": [a_, a], "z": [], "aab": [a_, a_, b]}
    new = published(tmp_path, parts, ["a b</w> 9"], ("en", "sw"))
    result = transfer_pieces(weights, old, new, seed=0)
    for name in ("embeddings.weight", "output_bias"):
        table = weights[name]
        expected = torch.stack([table[ids].mean(dim=0) for ids in parts.values() if ids])
        known = [number for number, ids in enumerate(parts.values(), N_SPECIAL) if ids]
        assert torch.allclose(result[name][known], expected)
        assert torch.equal(result[name][:N_SPECIAL], table[:N_SPECIAL])
        assert torch.equal(result[name][N_SPECIAL], table[the])
        assert result[name].shape == (len(new), *table.shape[1:])
    assert torch.equal(result["other"], weights["other"])
    drawn = result["embeddings.weight"][N_SPECIAL + list(parts).index("z")]
    again, other = (transfer_pieces(weights, old, new, seed)["embeddings.weight"] for seed in (0, 1))
    assert torch.equal(drawn, again[N_SPECIAL + list(parts).index("z")])
    assert not torch.equal(drawn, other[N_SPECIAL + list(parts).index("z")])


def test_drawn_rows_have_mean_and_deviation_of_the_old_pieces_without_special_symbols(old, tmp_path):
    letters = [chr(0x4E00 + number) for number in range(4000)]
    new, size = published(tmp_path, letters, []), len(old)
    torch.manual_seed(0)
    embeddings = torch.randn(size, 3) * torch.tensor([0.1, 1.0, 5.0]) + torch.tensor([0.0, 2.0, -7.0])
    embeddings[:N_SPECIAL] = 1000
    drawn = transfer_pieces({"embeddings.weight": embeddings, "output_bias": torch.zeros(size)}, old, new, seed=3)
    rows, text = drawn["embeddings.weight"][N_SPECIAL:], embeddings[N_SPECIAL:]
    assert torch.allclose(rows.mean(0), text.mean(0), atol=0.2)
    assert torch.allclose(rows.std(0), text.std(0), rtol=0.05)


def test_equal_strings_of_another_mark_of_words_are_other_pieces(old, weights, tmp_path):
    """Of sentencepiece "b" is within a word and "▁ab" begins one; of fastBPE "b" ends one: all are cut anew."""
    sample, model = tmp_path / "sample", tmp_path / "model"
    sample.write_text("ab abb ba\n" * 50)
    bpe.learn(sample, model, size=N_SPECIAL + 6, character_coverage=1.0)
    vocabulary.build(["sw"], [model], [sample], tmp_path / "new.json")
    new = Vocabulary.read(tmp_path / "new.json")
    table = weights["embeddings.weight"]
    rows = dict(zip(new.pieces, transfer_pieces(weights, old, new, 0)["embeddings.weight"], strict=True))
    a_, _, _, b, _ = range(N_SPECIAL, len(old))
    assert torch.allclose(rows["▁ab"], table[[a_, b]].mean(dim=0))
    assert torch.equal(rows["b"], table[b]) and torch.equal(rows["</s>"], table[EOS])


def test_the_text_of_pieces_is_prepared_as_that_of_the_old_vocabulary(old, weights, tmp_path):
    new = published(tmp_path, ["Ab", "Á"], [])
    assert transfer_pieces(weights, replace(old, text=Text(moses="published")), new, 0)["output_bias"][
        N_SPECIAL:
    ].tolist() == pytest.approx([-(N_SPECIAL + 1.5), -(N_SPECIAL + 1.0)])


def test_special_symbols_keep_their_roles(tmp_path):
    write_tokenizer("wordpiece", tmp_path / "bert")
    bert = Vocabulary.from_tokenizer(tmp_path / "bert", ["en"])
    new = published(tmp_path, ["the"], [])
    table = torch.arange(float(len(bert)))
    rows = transfer_pieces({"embeddings.weight": table[:, None], "output_bias": table}, bert, new, 0)["output_bias"]
    roles = {PAD: "[PAD]", UNK: "[UNK]", MASK: "[MASK]", EOS: "[CLS]"}  # XLM's first symbol is what BERT classifies by
    assert {id_: bert.pieces[int(rows[id_])] for id_ in roles} == roles


def test_the_same_vocabulary_in_other_languages_changes_nothing(old, weights):
    other = replace(old, model_of={"de": 0, "sw": 0})
    assert other.digest != old.digest
    assert transfer_pieces(weights, old, other, 0) is weights


def test_separate_pieces_of_each_language_are_refused(old, weights):
    separate = replace(old, models=old.models * 2, offsets=(0, 0), pieces=(*old.pieces[:-1], "new"))
    with pytest.raises(CheckpointError, match=r"separate pieces of each language cannot be exchanged; .*shared"):
        transfer_pieces(weights, old, separate, 0)


def test_rows_of_languages_are_copied_or_the_mean_of_all():
    table = torch.tensor([[1.0, 2.0], [3.0, 6.0]])
    weights = {LANGUAGES: table, POSITIONS: torch.zeros(4, 2), "other": torch.ones(1)}
    result = transfer_languages(weights, ["de", "en"], ["bg", "de", "en", "fr"], has_embeddings=True)
    assert result[LANGUAGES].tolist() == [[2.0, 4.0], [1.0, 2.0], [3.0, 6.0], [2.0, 4.0]]
    assert result["other"] is weights["other"] and result[POSITIONS] is weights[POSITIONS]


@pytest.mark.parametrize(("known", "languages"), [(["en"], ["de", "en"]), (["de", "en"], ["en"])])
def test_a_language_that_both_models_have_has_the_same_states(known, languages):
    """Of a model of one language, which has no language embeddings, and one of two; and the other way round."""
    torch.manual_seed(0)
    old = Transformer(CONFIG, 30, len(known)).eval()
    new = Transformer(CONFIG, 30, len(languages)).eval()
    has_embeddings = new.language_embeddings is not None
    new.load_state_dict(transfer_languages(old.state_dict(), known, languages, has_embeddings=has_embeddings))
    tokens, positions = torch.tensor([[1, 20, 21, 1]]), torch.arange(4)[None]

    def states(model, language):
        ids = torch.full_like(tokens, language)
        return model(EncoderInput(tokens, positions, ids, torch.tensor([4]), True))

    with torch.no_grad():
        before, after = states(old, known.index("en")), states(new, languages.index("en"))
    np.testing.assert_allclose(before, after, atol=1e-6)


def test_another_shape_is_refused_by_the_names_of_its_keys(tmp_path):
    other = CONFIG.model_copy(update={"n_layers": 3, "language_embeddings": False, "dropout": 0.5})
    with pytest.raises(CheckpointError, match=r"a model of n_layers: 3, language_embeddings: False; expected n_layer"):
        check_shape(other, CONFIG, tmp_path / "model")
    check_shape(CONFIG.model_copy(update={"dropout": 0.5}), CONFIG, tmp_path / "model")
