"""How an update of back-translation shares its time between generating and learning.

    python benchmarks/back_translation.py                      # 3 layers x 128 and 6 layers x 512, 2 threads

Sentences are translated greedily by the model itself, each into one as long as itself, which then is the source of a
training update: loss, gradient and a step of Adam. Both parts take turns on the same batch. The median of the turns
counts.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from decode import N_ENDS, SHAPES, translator
from pretrain import name_of, parse_quick, take_turns

from xlm_core.config import Optim
from xlm_core.data.batch import PackedSequences, sentence_batch
from xlm_core.data.objective_batches import translation_batch
from xlm_core.model.decoding import greedy_search
from xlm_core.model.device import select_device
from xlm_core.text.special_symbols import N_SPECIAL
from xlm_core.train.losses import LossModule, translation_loss
from xlm_core.train.optimization import make_optimizer

LANGUAGES = (0, 0)


def main() -> None:
    """Measure and print, and write what was measured where that is wanted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=SHAPES, nargs="+", default=list(SHAPES))
    parser.add_argument("--tokens", type=int, default=1000, help="of the batch")
    parser.add_argument("--shortest", type=int, default=4, help="tokens of the shortest sentence")
    parser.add_argument("--longest", type=int, default=30, help="tokens of the longest; the others lie evenly between")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--output", type=Path, help="JSON")
    arguments = parse_quick(parser, shape=["base" if torch.cuda.is_available() else "microworld"], turns=1)
    torch.set_num_threads(arguments.threads)
    results = {name: measure(arguments, name) for name in arguments.shape}
    if arguments.output:
        arguments.output.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def measure(arguments: argparse.Namespace, name: str) -> dict[str, float]:
    """Seconds of both parts of an update."""
    shape, device = SHAPES[name], select_device()
    n_sentences = 2 * arguments.tokens // (arguments.shortest + arguments.longest)
    lengths = np.linspace(arguments.shortest, arguments.longest, n_sentences).astype(np.int64)
    words = PackedSequences(np.random.default_rng(0).integers(N_SPECIAL, shape.vocabulary, lengths.sum()), lengths)
    limits = torch.from_numpy(lengths).to(device)
    model = translator(shape, limits)
    loss = LossModule(translation_loss, model)
    optimizer = make_optimizer(model, Optim(learning_rate=1e-9, warmup_updates=0, max_updates=1), shard=False)
    source = sentence_batch(words, LANGUAGES[0]).to(device)

    def generate() -> list[list[int]]:
        return greedy_search(model.eval(), source, LANGUAGES[1], limits)

    made = PackedSequences.from_lists(generate())
    batch = translation_batch(made, words, LANGUAGES).to(device)

    def learn() -> None:
        model.train()
        optimizer.zero_grad()
        loss(batch).loss_sum.backward()
        optimizer.step()

    learn()
    medians = take_turns({"generating": generate, "learning": learn}, arguments.turns, device)
    print(f"{name}, {n_sentences} sentences of {arguments.shortest} to {arguments.longest} tokens and {N_ENDS} ends, ")
    print(f"  {name_of(device)}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    for part, value in medians.items():
        share = value / sum(medians.values())
        print(f"  {part:12s}{1000 * value:8.1f} ms per update{100 * share:6.0f} % of its time", flush=True)
    return {f"{part}_seconds": value for part, value in medians.items()}


if __name__ == "__main__":
    main()
