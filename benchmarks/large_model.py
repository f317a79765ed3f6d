"""Memory and speed of a model of the size of XLM-R base: read from a folder of transformers, and fine-tuned on a CPU.

    python benchmarks/large_model.py

The folder has random weights in float32 and is written first. Reading it ends with a model file of this program.
Each figure comes from a process of its own; memory is the peak of the whole process, PyTorch included.
"""

import argparse
import json
import multiprocessing
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from fresh import peak_bytes

from xlm_core.config import Optim, to_dict
from xlm_core.data.batch import PackedSequences, sentence_batch
from xlm_core.interop import huggingface
from xlm_core.model import checkpoint
from xlm_core.model.device import resolve_dtype
from xlm_core.model.heads import Classifier
from xlm_core.text.special_symbols import SpecialSymbols
from xlm_core.train.losses import classification_loss
from xlm_core.train.optimization import make_optimizer

SYMBOLS = SpecialSymbols(pad=1, unk=3, mask=250001, begin=0, end=2, between=[2, 2], special=[0, 1, 2, 3, 250001])
SIZES = {
    "vocab_size": 250002, "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12,
    "intermediate_size": 3072, "max_position_embeddings": 514,
}  # fmt: skip


def main() -> None:
    """Measure and print, and write what was measured where that is wanted."""
    arguments = parse()
    sizes = SIZES | {"vocab_size": arguments.vocabulary, "num_hidden_layers": arguments.layers}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        in_fresh_process(write_folder, folder, sizes)
        results = {"read": in_fresh_process(read_folder, folder)}
        results["finetune"] = in_fresh_process(finetune, folder, arguments)
    for what, measured in results.items():
        print(f"{what:10s}" + "".join(f"{key} {value:10.2f}   " for key, value in measured.items()))
    if arguments.output:
        arguments.output.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vocabulary", type=int, default=SIZES["vocab_size"])
    parser.add_argument("--layers", type=int, default=SIZES["num_hidden_layers"])
    parser.add_argument("--updates", type=int, default=10)
    parser.add_argument("--batch", type=int, default=8, help="examples of 32 to 64 tokens")
    parser.add_argument("--precision", choices=["auto", "float32", "bfloat16"], default="auto")
    parser.add_argument("--output", type=Path, help="JSON")
    return parser.parse_args()


def in_fresh_process(function: Any, *arguments: Any) -> Any:
    """Call a function in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def write_folder(folder: Path, sizes: dict[str, int]) -> None:
    """Write an XLM-R with random weights as transformers does."""
    from transformers import XLMRobertaConfig, XLMRobertaForMaskedLM

    XLMRobertaForMaskedLM(XLMRobertaConfig(**sizes, type_vocab_size=1, pad_token_id=1)).save_pretrained(folder)


def read_folder(folder: Path) -> dict[str, float]:
    """Read the folder and write our model."""
    start = time.perf_counter()
    model = huggingface.import_model(folder).model
    checkpoint.save(folder / "ours", model, {"languages": ["en"], "symbols": to_dict(SYMBOLS)})
    return {"seconds": time.perf_counter() - start, "peak_gb": peak_bytes() / 1e9}


def finetune(folder: Path, arguments: argparse.Namespace) -> dict[str, float]:
    """Fine-tune our model on random examples."""
    encoder, _ = checkpoint.load(folder / "ours")
    loaded = peak_bytes() / 1e9
    classifier = Classifier(encoder, 3, 0.1).train()
    optimizer = make_optimizer(classifier, Optim(learning_rate=1e-5, warmup_updates=0, max_updates=arguments.updates))
    rng, precision = np.random.default_rng(0), resolve_dtype(arguments.precision, torch.device("cpu"))
    n_tokens, seconds = 0, 0.0
    for update in range(arguments.updates + 1):  # the first one is not counted
        lengths = rng.integers(32, 65, arguments.batch)
        words = PackedSequences(rng.integers(4, encoder.vocab_size - 1, lengths.sum()), lengths)
        start = time.perf_counter()
        loss = classification_loss(
            classifier, sentence_batch(words, 0, SYMBOLS), torch.from_numpy(rng.integers(0, 3, len(lengths))), precision
        )
        (loss.loss_sum / loss.count).backward()
        optimizer.step()
        optimizer.zero_grad()
        if update:
            n_tokens += int(lengths.sum()) + 2 * len(lengths)
            seconds += time.perf_counter() - start
    return {"loaded_gb": loaded, "peak_gb": peak_bytes() / 1e9, "tokens_per_s": n_tokens / seconds}


if __name__ == "__main__":
    main()
