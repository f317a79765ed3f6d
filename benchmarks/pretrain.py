"""Training speed of our Transformer beside that of ``transformers.XLMWithLMHeadModel``, in the same process.

Both make the same MLM updates: forward, backward, clipping, Adam. They take turns, so that a machine that slows down
slows both, and the median of the turns counts. Prints tokens per second of both and their ratio:

    python benchmarks/pretraining.py
    python benchmarks/pretraining.py --dim 1024 --layers 12 --heads 8 --vocabulary 95000 --seq-len 256

The library projects the vocabulary at every position, as most users train it; we project it where a token is hidden.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from transformers import XLMConfig, XLMWithLMHeadModel

from xlm_core.config import Masking, ModelConfig, Optim
from xlm_core.data.batch import Batch
from xlm_core.data.masking import weights
from xlm_core.model.transformer import Transformer
from xlm_core.objectives import mlm_batch, token_loss
from xlm_core.text.vocabulary import EOS, N_SPECIAL, PAD
from xlm_core.train.loop import Part, make_update
from xlm_core.train.optimizer import make_optimizer
from xlm_core.train.state import TrainState

OPTIM = Optim(learning_rate=1e-4, warmup_updates=0, max_updates=1)
N_LANGUAGES = 4


def main() -> None:
    """Measure and print."""
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    batch = random_batch(arguments).to(device)
    steps = {"xlm_core": our_update(arguments, batch, device), "transformers": their_update(arguments, batch, device)}
    for step in steps.values():  # warm-up
        measure(step, device)
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(arguments.turns):
        for name, step in steps.items():
            seconds[name].append(measure(step, device))
    speed = {name: batch.tokens.numel() / statistics.median(values) for name, values in seconds.items()}
    for name, value in speed.items():
        print(f"{name:14s}{value:12.0f} tokens/s")
    print(f"{'ratio':14s}{speed['xlm_core'] / speed['transformers']:12.2f}")


def parse() -> argparse.Namespace:
    """The command line; the defaults are the size of the embedded configuration."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    defaults = {"dim": 64, "layers": 4, "heads": 4, "vocabulary": 2000, "seq-len": 64, "batch-tokens": 2048}
    for name, value in {**defaults, "threads": 1, "turns": 15}.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--dropout", type=float, default=0.1)
    return parser.parse_args()


def random_batch(arguments: argparse.Namespace) -> Batch:
    """An MLM batch of random pieces."""
    rng = np.random.default_rng(0)
    shape = (arguments.batch_tokens // arguments.seq_len, arguments.seq_len)
    window = rng.integers(N_SPECIAL, arguments.vocabulary, shape)
    window[:, 0] = EOS
    return mlm_batch(window, 0, weights(np.ones(arguments.vocabulary), 0.5), Masking(), rng)


def our_update(arguments: argparse.Namespace, batch: Batch, device: torch.device) -> Callable[[], object]:
    """One update of our model."""
    config = ModelConfig(
        dim=arguments.dim,
        n_layers=arguments.layers,
        n_heads=arguments.heads,
        feedforward_dim=4 * arguments.dim,
        dropout=arguments.dropout,
        attention_dropout=arguments.dropout,
        max_positions=arguments.seq_len,
    )
    model = Transformer(config, arguments.vocabulary, N_LANGUAGES).to(device).train()
    state = TrainState(model, make_optimizer(model, OPTIM))
    part = Part("mlm", batch.n_predicted, batch.tokens.numel(), lambda: token_loss(model, batch, causal=False))
    return lambda: make_update(state, [part], OPTIM.learning_rate, OPTIM.clip_norm)


def their_update(arguments: argparse.Namespace, batch: Batch, device: torch.device) -> Callable[[], object]:
    """One update of the library's model, in the same precision and with the same optimizer."""
    config = XLMConfig(
        vocab_size=arguments.vocabulary,
        emb_dim=arguments.dim,
        n_layers=arguments.layers,
        n_heads=arguments.heads,
        dropout=arguments.dropout,
        attention_dropout=arguments.dropout,
        n_langs=N_LANGUAGES,
        max_position_embeddings=arguments.seq_len,
        pad_index=PAD,
    )
    model = XLMWithLMHeadModel(config).to(device).train()
    optimizer = make_optimizer(model, OPTIM)
    halved = device.type == "cuda" and torch.cuda.is_bf16_supported()

    def update() -> None:
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=halved):
            loss = model(batch.tokens, langs=batch.languages, lengths=batch.lengths, labels=batch.labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), OPTIM.clip_norm)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return update


def measure(step: Callable[[], object], device: torch.device) -> float:
    """Seconds of one update."""
    start = time.perf_counter()
    step()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
