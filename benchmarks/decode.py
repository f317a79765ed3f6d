"""The speed of greedy decoding beside ``transformers``, and beside our own without memory.

    python benchmarks/decode.py                                # 3 layers x 128 and 6 layers x 512, 2 threads
    python benchmarks/decode.py --shape base --sentences 64 --output decode.json
    python benchmarks/decode.py --quick                        # within two minutes

All translate the same batch of sentences of different lengths, each into a translation as long as itself: it ends there
and nowhere else. The library's model is BART, an encoder and a decoder of the same form, with random weights and a
cache of keys and values; a sentence that has ended stays in its batch until all have. Ours without memory computes all
translations again for each token, as training does. The programs take turns in one process, so a machine that slows
down slows all. The median of the turns counts. On a GPU float32 is multiplied as TF32, and what each program adds at
its peak to the memory of the models is printed.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from pretrain import added_bytes, name_of, parse_quick, take_turns
from torch import Tensor
from transformers import BartConfig, BartForConditionalGeneration, LogitsProcessor, LogitsProcessorList

from xlm_core.config import ModelConfig
from xlm_core.data.batch import Batch, PackedSequences, sentence_batch, target_batch
from xlm_core.model.decoding import greedy_search
from xlm_core.model.device import select_device
from xlm_core.model.encoder_decoder import EncoderDecoder
from xlm_core.model.transformer import Transformer
from xlm_core.text.special_symbols import EOS, N_SPECIAL, PAD

N_ENDS = 2  # </s> a </s>


class Shape(NamedTuple):
    """What decodes; the feed-forward network is four times as wide as the model."""

    n_layers: int
    dim: int
    n_heads: int
    vocabulary: int


SHAPES = {"microworld": Shape(3, 128, 4, 2000), "base": Shape(6, 512, 8, 32_000)}


def main() -> None:
    """Measure and print, and write what was measured where that is wanted."""
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    results = {name: measure(arguments, name) for name in arguments.shape}
    if arguments.output:
        arguments.output.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=SHAPES, nargs="+", default=list(SHAPES))
    parser.add_argument("--sentences", type=int, default=64, help="of the batch")
    parser.add_argument("--shortest", type=int, default=5, help="tokens of the shortest sentence")
    parser.add_argument("--longest", type=int, default=60, help="tokens of the longest; the others lie evenly between")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--output", type=Path, help="JSON")
    shape = "base" if torch.cuda.is_available() else "microworld"
    return parse_quick(parser, shape=[shape], sentences=16, longest=30, turns=1)


def measure(arguments: argparse.Namespace, name: str) -> dict[str, float | str]:
    """Tokens per second of all programs."""
    shape = SHAPES[name]
    device = select_device()
    rng = np.random.default_rng(0)
    lengths = np.linspace(arguments.shortest, arguments.longest, arguments.sentences).astype(np.int64)
    words = PackedSequences(rng.integers(N_SPECIAL, shape.vocabulary, lengths.sum()), lengths)
    source, limits = sentence_batch(words, 0).to(device), torch.from_numpy(lengths).to(device)
    programs = {
        "ours": ours(shape, limits),
        "transformers": theirs(shape, limits),
        "ours_without_memory": without_memory(shape, limits),
    }
    works = {program: lambda work=work: work(source) for program, work in programs.items()}
    peaks = {program: added_bytes(work, device) for program, work in works.items()}
    seconds = take_turns(works, arguments.turns, device)
    speed = {program: words.tokens.size / median for program, median in seconds.items()}
    print(f"{name}, {name_of(device)}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    for program, value in speed.items():
        memory = f"   {peaks[program] / 1e9:.2f} GB" if device.type == "cuda" else ""
        print(
            f"  {program:24s}{value:12,.0f} tokens/s   ours is {speed['ours'] / value:5.2f} x as fast{memory}",
            flush=True,
        )
    return {"device": name_of(device), **{f"{program}_tokens_per_s": value for program, value in speed.items()}}


def translator(shape: Shape, limits: Tensor) -> EncoderDecoder:
    """Ours, with random weights; it never ends a sentence by itself."""
    config = ModelConfig(
        dim=shape.dim,
        n_layers=shape.n_layers,
        n_heads=shape.n_heads,
        feedforward_dim=4 * shape.dim,
        max_positions=int(limits.max()) + N_ENDS,
    )
    torch.manual_seed(0)
    encoder, decoder = (Transformer(config, shape.vocabulary, 1, reads) for reads in (False, True))
    with torch.no_grad():
        decoder.output_bias[EOS] = -1e9
    return EncoderDecoder(encoder, decoder).to(limits.device).eval()


def ours(shape: Shape, limits: Tensor) -> Callable[[Batch], object]:
    """Our decoding."""
    model = translator(shape, limits)
    return lambda source: greedy_search(model, source, 0, limits)


def without_memory(shape: Shape, limits: Tensor) -> Callable[[Batch], object]:
    """The same translations, each token by the model as it is trained; the source is read once."""
    model = translator(shape, limits)

    @torch.inference_mode()
    def decode(source: Batch) -> None:
        read, said = model.encode(source), np.zeros((len(limits), 0), dtype=np.int64)
        for _ in range(int(limits.max())):
            target = target_batch(PackedSequences.from_lists(said.tolist()), 0).to(limits.device)
            states = model.decoder(target, causal=True, source=read)[:, -1]
            scores = model.decoder.predict(states)[:, N_SPECIAL:]
            said = np.concatenate([said, scores.argmax(dim=-1, keepdim=True).cpu().numpy() + N_SPECIAL], axis=1)

    return decode


class EndAt(LogitsProcessor):
    """Ends each sentence at its limit, and not before."""

    def __init__(self, limits: Tensor) -> None:
        self._limits = limits

    def __call__(self, said: Tensor, scores: Tensor) -> Tensor:
        """``scores`` (B, V) of what may follow what was ``said`` (B, T), the start symbol included."""
        ends = said.shape[1] > self._limits
        scores[:, EOS] = torch.where(ends, torch.inf, -torch.inf)
        return scores


def theirs(shape: Shape, limits: Tensor) -> Callable[[Batch], object]:
    """The library's decoding."""
    longest = int(limits.max()) + N_ENDS
    sizes = {"d_model": shape.dim, "vocab_size": shape.vocabulary, "max_position_embeddings": longest}
    for half in ("encoder", "decoder"):
        sizes |= {f"{half}_layers": shape.n_layers, f"{half}_attention_heads": shape.n_heads}
        sizes[f"{half}_ffn_dim"] = 4 * shape.dim
    symbols = {"pad_token_id": PAD, "bos_token_id": EOS, "eos_token_id": EOS, "decoder_start_token_id": EOS}
    torch.manual_seed(0)
    config = BartConfig(**sizes, **symbols, forced_eos_token_id=None)
    model = BartForConditionalGeneration(config).to(limits.device).eval()
    ends = LogitsProcessorList([EndAt(limits)])

    def decode(source: Batch) -> None:
        mask = torch.arange(source.tokens.shape[1], device=limits.device) < source.lengths[:, None]
        outputs = model.generate(
            source.tokens,
            attention_mask=mask.long(),
            num_beams=1,
            do_sample=False,
            max_new_tokens=longest - 1,
            logits_processor=ends,
        )
        assert outputs.shape[1] == longest, "all sentences are translated to their ends"

    return decode


if __name__ == "__main__":
    main()
