"""A small language model and what it is trained on, for the tests of pretraining."""

from xlm_core.config import Compute, ModelConfig, Optim, Pretraining
from xlm_core.data.store import StoreWriter

N_TOKENS = 64
MODEL = ModelConfig(dim=16, n_layers=2, n_heads=2, feedforward_dim=32, max_positions=24)
COMPUTE = Compute(precision="float32")  # so that sums in another order show, and nothing else
SETTINGS = Pretraining(
    seq_len=12,
    max_pair_tokens=24,
    tokens_per_update=240,
    tokens_per_batch=120,
    optim=Optim(learning_rate=0.01, warmup_updates=4, max_updates=12),
    evaluate_every=4,
    max_eval_tokens=100,
)


def write_store(path, languages, sentences, vocabulary):
    with StoreWriter(path, languages, vocabulary) as writer:
        for columns in sentences:
            writer.add(columns)
    return path
