"""Training speed beside ``transformers``, and beside the fastest matrix product of the machine.

    python benchmarks/pretrain.py                                        # 6 layers x 256; on a GPU XLM-15's shape
    python benchmarks/pretrain.py --shape microworld --threads 1
    python benchmarks/pretrain.py --precision bfloat16 --output speed.json --profile
    python benchmarks/pretrain.py --objectives mlm tlm                   # full windows, and pairs of many widths
    python benchmarks/pretrain.py --quick                                # within two minutes

Both make updates of the same shapes, in the same precision and with the same threads: the batch is copied to the GPU,
forward, backward, clipping, AdamW. The programs take turns in one process, each with the same few batches; so a machine
that slows down slows both. The median of the turns counts. ``transformers`` has its defaults: it projects the
vocabulary at every position, where we project it where a token is hidden; its optimizer is PyTorch's AdamW with its
defaults. On a GPU the peak memory of each program is printed: model, optimizer and an update. Padding counts as no
token.

The fraction of the ceiling is the rate of floating-point operations that our update *needs*, by this formula, in which
a matrix product of (n, m) and (m, k) counts 2nmk, and a backward pass twice its forward pass:

    3 x tokens x layers x (6 dim^2 + 4 x seq_len x dim)                        queries, keys, values; attention
  + 3 x (tokens x (layers - 1) + predicted) x 2 x (dim^2 + 2 dim feedforward)  the rest of a layer
  + 3 x predicted x 2 x dim x vocabulary

(the rest of the last layer is needed, and computed, where a token is predicted only) divided by the rate of the fastest
of some large square products in the same precision, measured between the turns.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import XLMConfig, XLMWithLMHeadModel

from xlm_core.config import Masking, ModelConfig, Optim
from xlm_core.data.batch import Batch, PackedSequences, from_arrays
from xlm_core.data.masking import MaskSampler
from xlm_core.data.objective_batches import concat_pairs, mlm_batch
from xlm_core.history import ObjectiveKey
from xlm_core.model.device import compile_layers
from xlm_core.model.transformer import Transformer
from xlm_core.text.special_symbols import EOS, N_SPECIAL, PAD
from xlm_core.train.distributed import DistributedContext
from xlm_core.train.loop import MicroBatch, train_step
from xlm_core.train.losses import LossModule, token_loss
from xlm_core.train.optimization import make_optimizer
from xlm_core.train.state import TrainState

OPTIM = Optim(learning_rate=1e-4, warmup_updates=0, max_updates=1)
N_LANGUAGES, N_BATCHES, N_SYMBOLS = 4, 4, 4  # a pair has four end symbols
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class Shape:
    """What is trained; the feed-forward network is four times as wide as the model."""

    n_layers: int
    dim: int
    n_heads: int
    vocabulary: int
    n_rows: int
    seq_len: int

    @property
    def n_tokens(self) -> int:
        """Of a batch."""
        return self.n_rows * self.seq_len

    def operations(self, batch: Batch) -> float:
        """Floating-point operations of an update; ``seq_len`` of the formula is the width of the batch."""
        n_tokens, n_predicted, width = int(batch.lengths.sum()), len(batch.predicted), batch.tokens.shape[1]
        attention = self.n_layers * n_tokens * (6 * self.dim**2 + 4 * width * self.dim)
        rest = (n_tokens * (self.n_layers - 1) + n_predicted) * 2 * (self.dim**2 + 2 * self.dim * 4 * self.dim)
        return 3 * (attention + rest + n_predicted * 2 * self.dim * self.vocabulary)


SHAPES = {
    "small": Shape(n_layers=6, dim=256, n_heads=8, vocabulary=8000, n_rows=16, seq_len=256),
    "microworld": Shape(n_layers=4, dim=64, n_heads=4, vocabulary=2000, n_rows=16, seq_len=64),
    "xlm15": Shape(n_layers=12, dim=1024, n_heads=8, vocabulary=95_000, n_rows=64, seq_len=256),
}
Update = Callable[[Batch], None]


def main() -> None:
    """Measure and print, and write what was measured where that is wanted."""
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    results = {name: measure(arguments, name) for name in arguments.precision}
    if arguments.output:
        arguments.output.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=SHAPES, default="xlm15" if torch.cuda.is_available() else "small")
    parser.add_argument("--objectives", choices=["mlm", "tlm"], nargs="+", default=["mlm"])
    add_precision(parser)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--profile", action="store_true", help="also print where our time goes")
    parser.add_argument("--output", type=Path, help="JSON")
    return parse_quick(parser, shape="small" if torch.cuda.is_available() else "microworld", turns=1)


def add_precision(parser: argparse.ArgumentParser) -> None:
    """Add ``--precision``; on a GPU the faster one is the first."""
    names = sorted(PRECISIONS, reverse=not torch.cuda.is_available())
    parser.add_argument("--precision", choices=PRECISIONS, nargs="+", default=names)


def parse_quick(parser: argparse.ArgumentParser, **quick: Any) -> argparse.Namespace:
    """Read the command line; with ``--quick`` options have other defaults."""
    parser.add_argument("--quick", action="store_true", help="a smaller trial that ends within two minutes")
    if parser.parse_args().quick:
        parser.set_defaults(**quick)
    return parser.parse_args()


def measure(arguments: argparse.Namespace, precision: str) -> dict[str, float | str]:
    """Tokens per second of all programs, and what they mean."""
    shape, dtype, device = SHAPES[arguments.shape], PRECISIONS[precision], DistributedContext().device
    makers = {"mlm": random_batch, "tlm": random_pairs}
    batches = [makers[name](shape, seed) for seed in range(N_BATCHES) for name in arguments.objectives]
    if device.type == "cuda":
        batches = [batch.pinned() for batch in batches]
    updates = {"ours": our_update} | their_updates(device)
    programs, peaks = {}, {}
    for name, make_update in updates.items():
        update = make_update(shape, arguments.dropout, dtype, device)
        programs[name] = lambda update=update: [update(batch.to(device)) for batch in batches]
        peaks[name] = added_bytes(programs[name], device)
    rates = []
    seconds = take_turns(programs, arguments.turns, device, lambda: rates.append(matmul_rate(dtype, device)))
    n_tokens = sum(int(batch.lengths.sum()) for batch in batches)
    operations = sum(map(shape.operations, batches))
    speed = {name: n_tokens / median for name, median in seconds.items()}
    fraction = operations / n_tokens * speed["ours"] / max(rates)
    where = f"{name_of(device)}, {torch.get_num_threads()} threads, torch {torch.__version__}"
    print(f"{arguments.shape}, {'+'.join(arguments.objectives)}, {precision}, {where}")
    for name, value in speed.items():
        memory = f"   {peaks[name] / 1e9:.2f} GB" if device.type == "cuda" else ""
        print(f"  {name:24s}{value:12,.0f} tokens/s   ours is {speed['ours'] / value:5.2f} x as fast{memory}")
    at_most = f"{max(rates) / 1e9:.0f} Gflop/s at most"
    print(f"  {operations / len(batches) / 1e9:.1f} Gflop per update, {at_most}: {100 * fraction:.0f} %", flush=True)
    if arguments.profile:
        profile(programs["ours"], device)
    return {
        "shape": arguments.shape,
        "device": name_of(device),
        **{f"{name}_tokens_per_s": value for name, value in speed.items()},
        "ratio": speed["ours"] / speed["transformers"],
        "fraction_of_ceiling": fraction,
        "ceiling_gflop_per_s": max(rates) / 1e9,
        **{f"{name}_peak_bytes": value for name, value in peaks.items()},
    }


def take_turns(
    programs: Mapping[str, Callable[[], object]],
    n_turns: int,
    device: torch.device,
    between: Callable[[], object] = lambda: None,
) -> dict[str, float]:
    """The median of the seconds of each program; they take turns, with ``between`` after each."""
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(n_turns):
        for name, work in programs.items():
            seconds[name].append(timed(work, device))
        between()
    return {name: statistics.median(times) for name, times in seconds.items()}


def added_bytes(work: Callable[[], object], device: torch.device) -> int:
    """The most that ``work`` adds to the memory of the GPU; on a CPU, where it is not counted, zero."""
    if device.type != "cuda":
        work()
        return 0
    held = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    work()
    return torch.cuda.max_memory_allocated(device) - held


def random_batch(shape: Shape, seed: int, masking: Masking = Masking()) -> Batch:  # noqa: B008 - it is frozen
    """An MLM batch of random pieces; the number of hidden ones is always the same."""
    rng = np.random.default_rng(seed)
    window = rng.integers(N_SPECIAL, shape.vocabulary, (shape.n_rows, shape.seq_len))
    window[:, 0] = EOS
    return mlm_batch(window, 0, MaskSampler(np.ones(shape.vocabulary), masking), rng)


def random_pairs(shape: Shape, seed: int) -> Batch:
    """A TLM batch of random pairs of similar lengths, as training puts them together; each has another width."""
    rng = np.random.default_rng(seed)
    width = int(rng.integers(shape.seq_len // 3, shape.seq_len + 1))
    total = rng.integers(width - width // 8, width + 1, shape.n_tokens // width) - N_SYMBOLS
    halves = (total // 2, total - total // 2)
    first, second = (PackedSequences(rng.integers(N_SPECIAL, shape.vocabulary, n.sum()), n) for n in halves)
    tokens, positions, is_second, lengths = concat_pairs(first, second)
    inputs, labels = MaskSampler(np.ones(shape.vocabulary), Masking()).mask(tokens, rng)
    return from_arrays(inputs, positions, is_second.astype(np.int64), lengths, labels)


def our_config(shape: Shape, dropout: float) -> ModelConfig:
    """Our description of the model."""
    return ModelConfig(
        dim=shape.dim,
        n_layers=shape.n_layers,
        n_heads=shape.n_heads,
        feedforward_dim=4 * shape.dim,
        dropout=dropout,
        attention_dropout=dropout,
        max_positions=shape.seq_len,
    )


def our_update(shape: Shape, dropout: float, dtype: torch.dtype, device: torch.device) -> Update:
    """One update of our model, as pretraining makes it."""
    model = Transformer(our_config(shape, dropout), shape.vocabulary, N_LANGUAGES).to(device).train()
    compile_layers(model.layers, "auto", device)
    state = TrainState(model, make_optimizer(model, OPTIM))
    loss, processes = LossModule(token_loss, model, precision=dtype), DistributedContext()

    def update(batch: Batch) -> None:
        part = MicroBatch(
            ObjectiveKey("mlm"), len(batch.predicted), batch.tokens.numel(), 0, lambda: loss(batch, False)
        )
        train_step(state, [part], part.count, OPTIM, processes)

    return update


def their_updates(device: torch.device) -> dict[str, Callable[..., Update]]:
    """What makes the updates of the library with its defaults, and on a GPU also with all that it offers to be fast."""
    if device.type != "cuda":
        return {"transformers": their_update}
    return {"transformers": their_update, "transformers_compiled": partial(their_update, is_fast=True)}


def their_config(shape: Shape, dropout: float) -> XLMConfig:
    """The library's description of the same model."""
    return XLMConfig(
        vocab_size=shape.vocabulary,
        emb_dim=shape.dim,
        n_layers=shape.n_layers,
        n_heads=shape.n_heads,
        dropout=dropout,
        attention_dropout=dropout,
        n_langs=N_LANGUAGES,
        max_position_embeddings=shape.seq_len,
        pad_index=PAD,
    )


def their_update(
    shape: Shape, dropout: float, dtype: torch.dtype, device: torch.device, is_fast: bool = False
) -> Update:
    """One update of the library's model, with ``is_fast`` compiled and with the fused optimizer."""
    model = XLMWithLMHeadModel(their_config(shape, dropout)).to(device).train()
    forward = torch.compile(model) if is_fast else model
    step = their_step(model, {"fused": True} if is_fast else {})

    def update(batch: Batch) -> None:
        with torch.autocast(device.type, dtype=dtype, enabled=dtype != torch.float32):
            loss = forward(
                batch.tokens, langs=batch.languages, position_ids=batch.positions, lengths=batch.lengths,
                labels=batch.labels,
            ).loss  # fmt: skip
        step(loss)

    return update


def their_step(model: nn.Module, settings: dict[str, bool]) -> Callable[[torch.Tensor], None]:
    """Backward pass, clipping and PyTorch's AdamW."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=OPTIM.learning_rate, **settings)

    def step(loss: torch.Tensor) -> None:
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), OPTIM.max_grad_norm)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


def timed(work: Callable[[], object], device: torch.device) -> float:
    """Seconds that ``work`` takes."""
    start = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def matmul_rate(dtype: torch.dtype, device: torch.device) -> float:
    """Floating-point operations per second of the fastest of some square products."""
    rates = []
    for size in (4096, 8192) if device.type == "cuda" else (1024, 2048):
        left, right = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
        torch.mm(left, right)
        rates.append(2 * size**3 / min(timed(lambda a=left, b=right: torch.mm(a, b), device) for _ in range(5)))
    return max(rates)


def profile(work: Callable[[], object], device: torch.device) -> None:
    """Where the time of our updates goes, and on a GPU whether the host waits for it ("cudaStreamSynchronize")."""
    with torch.profiler.profile() as profiler:
        work()
        if device.type == "cuda":
            torch.cuda.synchronize()
    key = "self_cuda_time_total" if device.type == "cuda" else "self_cpu_time_total"
    print(profiler.key_averages().table(sort_by=key, row_limit=25, max_name_column_width=48))


def name_of(device: torch.device) -> str:
    """The hardware."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU ({torch.backends.cpu.get_cpu_capability()})"


if __name__ == "__main__":
    main()
