"""The peak memory of an update beside the size of the vocabulary and of the batch.

    python benchmarks/memory.py
    python benchmarks/memory.py --vocabulary 95000 --tokens 16384 --output memory.json

A token is predicted at nearly every position, as in CLM: the scores of all predictions, (tokens, vocabulary) in
float32, would be the largest tensor by far. Each figure comes from a process of its own and is what its peak adds to
what it held after an update with a few tokens, that is, beside the model and the optimizer. ``transformers`` makes the
same update. It is left out, and said so, where four times the scores would not fit into half of the memory.
"""

import argparse
import json
import multiprocessing
import os
from pathlib import Path

import torch
from fresh import held_bytes, peak_bytes
from pretrain import Shape, our_update, random_batch, their_update

from xlm_core.config import Masking
from xlm_core.train.distributed import DistributedContext

SEQ_LEN, FEW_ROWS = 256, 2
FLOAT_BYTES = 4
NEARLY_ALL = Masking(mask_prob=0.999)


def main() -> None:
    """Measure and print, and write what was measured where that is wanted."""
    arguments = parse()
    results = []
    print(f"{'vocabulary':>10s} {'tokens':>7s} {'all scores':>11s} {'ours':>9s} {'transformers':>13s}")
    for vocabulary in arguments.vocabulary:
        for n_tokens in arguments.tokens:
            scores = FLOAT_BYTES * vocabulary * n_tokens
            row = {"vocabulary": vocabulary, "tokens": n_tokens, "scores_gb": scores / 1e9}
            row["ours_gb"] = in_fresh_process("ours", vocabulary, n_tokens) / 1e9
            fits = 4 * scores < total_memory() / 2
            row["transformers_gb"] = in_fresh_process("transformers", vocabulary, n_tokens) / 1e9 if fits else None
            results.append(row)
            theirs = f"{row['transformers_gb']:10.2f} GB" if fits else "     too large"
            sizes = f"{vocabulary:10,d} {n_tokens:7,d} {scores / 1e9:8.2f} GB"
            print(f"{sizes} {row['ours_gb']:6.2f} GB {theirs}", flush=True)
    if arguments.output:
        arguments.output.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vocabulary", type=int, nargs="+", default=[8000, 32_000, 95_000])
    parser.add_argument("--tokens", type=int, nargs="+", default=[4096, 16_384], help=f"multiples of {SEQ_LEN}")
    parser.add_argument("--output", type=Path, help="JSON")
    return parser.parse_args()


def total_memory() -> int:
    """Bytes of the device that trains."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_properties(0).total_memory
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def in_fresh_process(program: str, vocabulary: int, n_tokens: int) -> int:
    """What ``peak_of_update`` gives in a new process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(peak_of_update, (program, vocabulary, n_tokens))


def peak_of_update(program: str, vocabulary: int, n_tokens: int) -> int:
    """Bytes that an update holds at its peak, beside what is always held."""
    shape = Shape(n_layers=2, dim=256, n_heads=4, vocabulary=vocabulary, n_rows=n_tokens // SEQ_LEN, seq_len=SEQ_LEN)
    few = Shape(n_layers=2, dim=256, n_heads=4, vocabulary=vocabulary, n_rows=FEW_ROWS, seq_len=SEQ_LEN)
    device, dtype = DistributedContext().device, torch.float32
    make_update = our_update if program == "ours" else their_update
    update = make_update(shape, 0.1, dtype, device)
    update(random_batch(few, 0, NEARLY_ALL).to(device))
    batch = random_batch(shape, 1, NEARLY_ALL).to(device)
    if device.type == "cuda":
        held = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        update(batch)
        return torch.cuda.max_memory_allocated() - held
    held = held_bytes()
    update(batch)
    return peak_bytes() - held


if __name__ == "__main__":
    main()
