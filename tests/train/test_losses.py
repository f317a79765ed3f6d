import numpy as np
import pytest
import torch
from token_stores import make_store
from torch.nn import functional

from xlm_core.config import Masking, ModelConfig
from xlm_core.data.batch import IGNORE
from xlm_core.data.buckets import LengthBucketedDataset
from xlm_core.data.masking import MaskSampler
from xlm_core.data.objective_batches import CAUSAL, TranslationBatch, clm_batch, mlm_batch, tlm_batch
from xlm_core.model import heads
from xlm_core.model.device import resolve_dtype
from xlm_core.model.encoder_decoder import EncoderDecoder
from xlm_core.model.heads import Classifier
from xlm_core.model.transformer import Transformer
from xlm_core.text.special_symbols import EOS, MASK, PAD
from xlm_core.train.losses import classification_loss, freeze_unused_layers, token_loss, translation_loss

N_TOKENS = 40
MASKS = MaskSampler(np.ones(N_TOKENS), Masking(mask_prob=0.3))
WINDOW = np.array([[EOS, 20, 21, 22, EOS, 23, 24, 25], [EOS, 26, 27, EOS, 28, 29, 30, 31]])
PAIRS = LengthBucketedDataset(
    [(make_store([[20, 21], [22]], [[30], [31]]), (0, 1))],
    max_tokens=16,
    max_positions=16,
    micro_batch_tokens=14,
    seed=(0,),
    name="pairs",
)


def model(dropout=0.0):
    torch.manual_seed(0)
    shape = {"dim": 32, "n_layers": 2, "n_heads": 4, "feedforward_dim": 64, "max_positions": 16}
    return Transformer(ModelConfig(**shape, dropout=dropout, attention_dropout=dropout), N_TOKENS, 2)


def batches(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "clm": clm_batch(WINDOW, 1),
        "mlm": mlm_batch(WINDOW, 1, MASKS, rng),
        "tlm": tlm_batch(PAIRS, 0, (0, 1), MASKS, np.random.default_rng(seed)),
    }


def test_clm_predicts_the_next_token():
    batch = batches()["clm"]
    assert batch.tokens.tolist() == WINDOW.tolist()
    assert batch.labels.tolist() == [[20, 21, 22, EOS, 23, 24, 25, IGNORE], [26, 27, EOS, 28, 29, 30, 31, IGNORE]]
    assert batch.languages.unique().tolist() == [1]


def test_mlm_predicts_what_it_hides():
    batch = batches()["mlm"]
    hidden = batch.labels != IGNORE
    assert len(batch.predicted) == 4  # 0.3 of 12 pieces, rounded up
    assert (batch.tokens[hidden] == MASK).any()
    assert torch.equal(torch.where(hidden, batch.labels, batch.tokens), torch.from_numpy(WINDOW))


def test_tlm_keeps_the_languages_of_the_pair():
    """The shorter pair comes first; the second pair of this batch begins with its second sentence."""
    batch = batches()["tlm"]
    tokens = torch.where(batch.labels == IGNORE, batch.tokens, batch.labels)
    assert tokens.tolist() == [[EOS, 22, EOS, EOS, 31, EOS, PAD], [EOS, 30, EOS, EOS, 20, 21, EOS]]
    assert batch.languages.tolist() == [[0, 0, 0, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0, 0]]
    assert batch.positions.tolist() == [[0, 1, 2, 0, 1, 2, 0], [0, 1, 2, 0, 1, 2, 3]]
    assert batch.lengths.tolist() == [6, 7]
    assert not batch.is_full


@pytest.mark.parametrize("objective", ["clm", "mlm", "tlm"])
def test_the_loss_is_the_summed_cross_entropy_of_the_labelled_positions(objective):
    ours, batch = model().eval(), batches()[objective]
    with torch.no_grad():
        tally = token_loss(ours, batch, CAUSAL[objective])
    scores = ours.predict(ours(batch, CAUSAL[objective]))
    expected = functional.cross_entropy(scores.flatten(0, 1), batch.labels.flatten(), reduction="sum")
    assert tally.loss_sum.item() == pytest.approx(expected.item(), rel=1e-5)
    assert tally.count == (batch.labels != IGNORE).sum() == len(batch.predicted)
    assert tally.n_correct == (scores.argmax(-1) == batch.labels).sum()


def test_chunks_change_neither_the_loss_nor_the_gradient(monkeypatch):
    results = []
    for limit in (1 << 26, 3 * N_TOKENS):
        monkeypatch.setattr(heads, "MAX_SCORES", limit)
        ours = model()
        tally = token_loss(ours, batches()["clm"], causal=True)
        tally.loss_sum.backward()
        results.append((tally, [parameter.grad for parameter in ours.parameters()]))
    (whole, expected), (chunked, gradients) = results
    assert chunked.loss_sum.item() == pytest.approx(whole.loss_sum.item(), rel=1e-5)
    assert (chunked.count, chunked.n_correct) == (whole.count, whole.n_correct)
    for ours, theirs in zip(gradients, expected, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-4)


def test_classification_scores_the_first_state():
    classifier = Classifier(model(), 3, dropout=0.5).eval()
    labels = torch.tensor([2, 0])
    tally = classification_loss(classifier, batches()["tlm"], labels)
    first = classifier.encoder(batches()["tlm"])[:, 0]
    expected = functional.cross_entropy(classifier.head.classes(first), labels, reduction="sum")
    assert tally.loss_sum.item() == pytest.approx(expected.item(), rel=1e-5)
    assert tally.count == 2


def with_all_parts(is_decoder=False):
    parts = {"n_segments": 2, "prediction_transform": True, "pooler": True}
    return Transformer(model().config.model_copy(update=parts), N_TOKENS, 2, is_decoder)


def loss_of(name):
    """A module all of whose layers are there, and its loss; what the loss does not reach is frozen."""
    if name in CAUSAL:
        encoder = with_all_parts()
        freeze_unused_layers(encoder, predicts=True)
        return encoder, token_loss(encoder, batches()[name], CAUSAL[name])
    if name.startswith("translation"):
        translator, batch = EncoderDecoder(with_all_parts(), with_all_parts(is_decoder=True)), batches()["clm"]
        if name.endswith("shared"):
            translator.decoder.embeddings = translator.encoder.embeddings
        freeze_unused_layers(translator.encoder)
        freeze_unused_layers(translator.decoder, predicts=True)
        return translator, translation_loss(translator, TranslationBatch(batch, batch))
    classifier = Classifier(with_all_parts(), 3 if name == "classification" else 1, dropout=0.0)
    freeze_unused_layers(classifier.encoder, pools=True)
    return classifier, classification_loss(classifier, batches()["tlm"], torch.tensor([2, 0]))


TRANSFORM = [f"prediction_transform.{layer}" for layer in ("0.weight", "0.bias", "2.weight", "2.bias")]
PREDICTION, POOLER = ["output_bias", *TRANSFORM], ["pooler.weight", "pooler.bias"]
OF_TRANSLATOR = [f"encoder.{name}" for name in PREDICTION + POOLER] + [f"decoder.{name}" for name in POOLER]
OF_CLASSIFIER = [f"encoder.{name}" for name in PREDICTION]
UNREACHED = {
    **dict.fromkeys(CAUSAL, POOLER),
    **dict.fromkeys(("translation", "translation, shared"), OF_TRANSLATOR),
    **dict.fromkeys(("classification", "regression"), OF_CLASSIFIER),
}


@pytest.mark.parametrize("name", UNREACHED)
def test_a_loss_reaches_every_weight_that_is_trained(name):
    """Several processes would wait forever for the gradient of one that it does not reach."""
    module, loss = loss_of(name)
    loss.loss_sum.backward()
    without_gradient = {name for name, parameter in module.named_parameters() if parameter.grad is None}
    frozen = {name for name, parameter in module.named_parameters() if not parameter.requires_grad}
    assert without_gradient == frozen == set(UNREACHED[name])


@pytest.mark.parametrize("objective", ["clm", "mlm", "tlm"])
def test_each_objective_learns(objective):
    ours = model(dropout=0.1).train()
    optimizer = torch.optim.Adam(ours.parameters(), 0.01)
    for update in range(60):
        optimizer.zero_grad()
        tally = token_loss(ours, batches(update)[objective], CAUSAL[objective])
        (tally.loss_sum / tally.count).backward()
        optimizer.step()
    ours.eval()
    losses = [token_loss(ours, batches(seed)[objective], CAUSAL[objective]).detach() for seed in range(100, 110)]
    assert sum(losses[1:], start=losses[0]).mean_loss < 0.3


@pytest.mark.parametrize(
    ("device", "question", "has_bfloat16", "expected"),
    [
        ("cpu", "_is_avx512_bf16_supported", False, torch.float32),
        ("cpu", "_is_avx512_bf16_supported", True, torch.bfloat16),
        ("cuda", "is_bf16_supported", False, torch.float32),
        ("cuda", "is_bf16_supported", True, torch.bfloat16),
    ],
)
def test_auto_is_what_the_hardware_multiplies_in(monkeypatch, device, question, has_bfloat16, expected):
    monkeypatch.setattr(getattr(torch, device), question, lambda **_: has_bfloat16)
    assert resolve_dtype("auto", torch.device(device)) == expected
    assert resolve_dtype("float32", torch.device(device)) == torch.float32
    assert resolve_dtype("bfloat16", torch.device(device)) == torch.bfloat16
