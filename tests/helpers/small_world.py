"""A small language model and what it is trained on, for the tests of pretraining."""

import numpy as np
import pytest

from xlm_core.config import Compute, ModelConfig, Optim, Pretraining
from xlm_core.data.token_store import TokenStoreWriter
from xlm_core.io import write_json
from xlm_core.text.special_symbols import N_SPECIAL, SPECIAL
from xlm_core.text.vocabulary import Vocabulary

N_TOKENS = 64
MODEL = ModelConfig(dim=16, n_layers=2, n_heads=2, feedforward_dim=32, max_positions=24)
COMPUTE = Compute(precision="float32")  # so that sums in another order show, and nothing else
SETTINGS = Pretraining(
    seq_len=12,
    max_pair_tokens=24,
    batch_tokens=240,
    micro_batch_tokens=120,
    optim=Optim(learning_rate=0.01, warmup_updates=4, max_updates=12),
    eval_interval=4,
    max_eval_tokens=100,
)


def write_store(path, languages, sentences, vocabulary):
    with TokenStoreWriter(path, languages, vocabulary) as writer:
        for columns in sentences:
            writer.add(columns)
    return path


@pytest.fixture(scope="session")
def world(tmp_path_factory) -> dict:
    """The data arguments of ``pretrain``: German is English with every id moved by 20, in two shards."""
    folder = tmp_path_factory.mktemp("world")
    path = folder / "vocabulary.json"
    pieces = [*SPECIAL, *(f"▁{number}" for number in range(N_SPECIAL, N_TOKENS))]
    counts = [0] * N_SPECIAL + list(range(1, N_TOKENS - N_SPECIAL + 1))
    write_json(path, {"pieces": pieces, "counts": counts, "models": [], "offsets": [], "languages": {}})
    vocabulary = Vocabulary.read(path)
    rng = np.random.default_rng(0)
    english = [rng.integers(N_SPECIAL, N_SPECIAL + 20, rng.integers(2, 8)) for _ in range(120)]
    pairs = [(sentence + 20, sentence) for sentence in english]

    def store(name, part):
        return write_store(folder / name, ("de", "en"), pairs[part], vocabulary)

    shards = [store("a", slice(0, 50)), store("b", slice(50, 100))]
    valid = store("valid", slice(100, 120))
    return {
        "monolingual": {"de": shards, "en": shards},
        "parallel": {"de-en": shards},
        "monolingual_valid": {"de": [valid], "en": [valid]},
        "parallel_valid": {"de-en": [valid]},
        "vocabulary": path,
    }
