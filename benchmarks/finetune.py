"""The speed of fine-tuning a classifier beside ``transformers``.

    python benchmarks/finetune.py                     # 6 layers x 256; on a GPU XLM-15's shape
    python benchmarks/finetune.py --precision bfloat16 --batch 32 --output finetune.json
    python benchmarks/finetune.py --quick             # within two minutes

Both make updates of the same batches of pairs of sentences, in the same precision and with the same threads: the batch
is copied to the GPU, forward, backward, clipping, AdamW. ``transformers`` is ``XLMForSequenceClassification`` with its
defaults. The programs take turns in one process, so a machine that slows down slows both. The median of the turns
counts. On a GPU the peak memory of each program is printed: model, optimizer and an update.
"""

import argparse
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from pretrain import (
    N_BATCHES,
    N_LANGUAGES,
    OPTIM,
    PRECISIONS,
    SHAPES,
    Shape,
    add_precision,
    added_bytes,
    name_of,
    our_config,
    parse_quick,
    take_turns,
    their_config,
    their_step,
)
from torch import Tensor
from transformers import XLMForSequenceClassification

from xlm_core.data.batch import Batch, PackedSequences, sentence_batch
from xlm_core.history import ObjectiveKey
from xlm_core.model.device import compile_layers
from xlm_core.model.heads import Classifier
from xlm_core.model.transformer import Transformer
from xlm_core.text.special_symbols import N_SPECIAL
from xlm_core.train.distributed import DistributedContext
from xlm_core.train.loop import MicroBatch, train_step
from xlm_core.train.losses import LossModule, classification_loss, freeze_unused_layers
from xlm_core.train.optimization import make_optimizer
from xlm_core.train.state import TrainState

N_CLASSES, DROPOUT = 3, 0.1
SHORTEST, LONGEST = 20, 62  # tokens of a pair, without the symbols around it
ClassifierUpdate = Callable[[Batch, Tensor], None]


def main() -> None:
    """Measure and print, and write what was measured where that is wanted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=SHAPES, default="xlm15" if torch.cuda.is_available() else "small")
    parser.add_argument("--batch", type=int, default=8, help="pairs")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--output", type=Path, help="JSON")
    add_precision(parser)
    arguments = parse_quick(parser, shape="small" if torch.cuda.is_available() else "microworld", turns=1)
    torch.set_num_threads(arguments.threads)
    results = {name: measure(arguments, name) for name in arguments.precision}
    if arguments.output:
        arguments.output.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def measure(arguments: argparse.Namespace, precision: str) -> dict[str, float | str]:
    """Updates per second of both programs."""
    shape, dtype, device = SHAPES[arguments.shape], PRECISIONS[precision], DistributedContext().device
    examples = [random_examples(shape, arguments.batch, seed) for seed in range(N_BATCHES)]
    if device.type == "cuda":
        examples = [(batch.pinned(), labels.pin_memory()) for batch, labels in examples]

    def make_all(update: ClassifierUpdate) -> None:
        for batch, labels in examples:
            update(batch.to(device), labels.to(device, non_blocking=True))

    programs = {
        "ours": partial(make_all, our_update(shape, dtype, device)),
        "transformers": partial(make_all, their_update(shape, dtype, device)),
    }
    peaks = {name: added_bytes(work, device) for name, work in programs.items()}
    seconds = take_turns(programs, arguments.turns, device)
    speed = {name: len(examples) / median for name, median in seconds.items()}
    where = f"{name_of(device)}, {torch.get_num_threads()} threads, torch {torch.__version__}"
    print(f"{arguments.shape}, {arguments.batch} pairs, {precision}, {where}")
    for name, value in speed.items():
        memory = f"   {peaks[name] / 1e9:.2f} GB" if device.type == "cuda" else ""
        print(
            f"  {name:24s}{value:10,.1f} updates/s   ours is {speed['ours'] / value:5.2f} x as fast{memory}", flush=True
        )
    return {
        "shape": arguments.shape,
        "device": name_of(device),
        **{f"{name}_updates_per_s": value for name, value in speed.items()},
        **{f"{name}_peak_bytes": value for name, value in peaks.items()},
    }


def random_examples(shape: Shape, n_rows: int, seed: int) -> tuple[Batch, Tensor]:
    """Rows of random pieces and their classes."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(SHORTEST, min(LONGEST, shape.seq_len - 2) + 1, n_rows)
    words = PackedSequences(rng.integers(N_SPECIAL, shape.vocabulary, lengths.sum()), lengths)
    return sentence_batch(words, 0), torch.from_numpy(rng.integers(0, N_CLASSES, n_rows))


def our_update(shape: Shape, dtype: torch.dtype, device: torch.device) -> ClassifierUpdate:
    """One update of our classifier, as fine-tuning makes it."""
    encoder = Transformer(our_config(shape, DROPOUT), shape.vocabulary, N_LANGUAGES)
    freeze_unused_layers(encoder, pools=True)
    model = Classifier(encoder, N_CLASSES, DROPOUT).to(device).train()
    compile_layers(encoder.layers, "auto", device)
    state, processes = TrainState(model, make_optimizer(model, OPTIM)), DistributedContext()
    loss = LossModule(classification_loss, model, precision=dtype)

    def update(batch: Batch, labels: Tensor) -> None:
        n_rows, n_tokens = batch.tokens.shape[0], batch.tokens.numel()
        part = MicroBatch(ObjectiveKey("classification"), n_rows, n_tokens, 0, lambda: loss(batch, labels))
        train_step(state, [part], n_rows, OPTIM, processes)

    return update


def their_update(shape: Shape, dtype: torch.dtype, device: torch.device) -> ClassifierUpdate:
    """One update of the library's classifier."""
    config = their_config(shape, DROPOUT)
    config.num_labels = N_CLASSES
    model = XLMForSequenceClassification(config).to(device).train()
    step = their_step(model, {})

    def update(batch: Batch, labels: Tensor) -> None:
        with torch.autocast(device.type, dtype=dtype, enabled=dtype != torch.float32):
            loss = model(batch.tokens, langs=batch.languages, lengths=batch.lengths, labels=labels).loss
        step(loss)

    return update


if __name__ == "__main__":
    main()
