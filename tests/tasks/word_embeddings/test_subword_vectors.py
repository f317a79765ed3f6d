"""Vectors of pieces: what occurs in the same places becomes alike, in a model whose other weights are random."""

import numpy as np
import pytest
import torch
from small_world import MODEL, write_store

from xlm_core.config import Skipgram
from xlm_core.model import checkpoint
from xlm_core.tasks.pretraining.train import init_random_model
from xlm_core.tasks.word_embeddings import skipgram
from xlm_core.text import bpe, vocabulary
from xlm_core.text.special_symbols import N_SPECIAL
from xlm_core.text.vocabulary import Vocabulary

# Words of one list stand in the same places, those of another in others.
ALIKE = ["red", "green", "blue"]
PLACES = [("the {} car drives", ALIKE), ("a house {} here", ["stands", "waits", "burns"])]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Vocabulary and model, by seed."""
    folder = tmp_path_factory.mktemp("skipgram")
    rng = np.random.default_rng(0)
    lines = [pattern.format(rng.choice(words)) for _ in range(600) for pattern, words in PLACES]
    sample, model, path = (folder / name for name in ("text", "model", "vocabulary.json"))
    sample.write_text("".join(f"{line}\n" for line in lines))
    bpe.learn(sample, model, size=90, character_coverage=1.0)
    vocabulary.build(["de", "en"], [model] * 2, [sample] * 2, path)
    vocab = Vocabulary.read(path)
    store = write_store(folder / "store", ("en",), [(ids,) for ids in vocab.encode(lines, "en")], vocab)

    def train(seed):
        output = folder / f"{seed}.safetensors"
        skipgram.train_subword_vectors(
            stores={"en": [store]},
            vocabulary=path,
            languages=["de", "en"],
            model=MODEL,
            settings=Skipgram(),
            seed=seed,
            output=output,
        )
        return checkpoint.load(output)

    return path, vocab, train


def test_what_occurs_in_the_same_places_becomes_alike(trained):
    _, vocab, train = trained
    vectors = train(0)[0].embeddings.weight.detach()

    def cosine(first, second):
        rows = [vocab.pieces.index(f"▁{word}") for word in (first, second)]
        return float(torch.cosine_similarity(vectors[rows[0]], vectors[rows[1]], dim=0))

    alike = [cosine(left, right) for left in ALIKE for right in ALIKE if left < right]
    unlike = [cosine(left, "stands") for left in ALIKE]
    assert min(alike) > max(unlike) + 0.2


def test_the_other_weights_are_those_of_a_random_model_and_the_vectors_have_their_size(trained, tmp_path):
    path, vocab, train = trained
    model, metadata = train(0)
    init_random_model(
        vocabulary=path, languages=["de", "en"], model=MODEL, seed=0, output=tmp_path / "random.safetensors"
    )
    random, _ = checkpoint.load(tmp_path / "random.safetensors")
    for name, value in random.state_dict().items():
        assert torch.equal(model.state_dict()[name], value) == (name != "embeddings.weight"), name
    assert metadata["objectives"] == ["skipgram"] and metadata["vocabulary"] == vocab.digest
    assert torch.equal(model.embeddings.weight[:N_SPECIAL], random.embeddings.weight[:N_SPECIAL])
    sizes = [encoder.embeddings.weight[N_SPECIAL:].std().item() for encoder in (model, random)]
    assert sizes[0] == pytest.approx(sizes[1], rel=0.3)


def test_a_seed_gives_the_same_vectors_again_and_another_seed_others(trained):
    _, _, train = trained
    first, again, other = (train(seed)[0].embeddings.weight for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)
