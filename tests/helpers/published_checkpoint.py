"""A small checkpoint in the published layout, made from a model of the ``transformers`` library."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import XLMConfig, XLMWithLMHeadModel

from xlm_core.data.batch import Batch, from_arrays
from xlm_core.text.special_symbols import SPECIAL

PIECES = (*SPECIAL, *(f"p{number}" for number in range(26)))
N_TOKENS = 30  # of the 40 pieces: the vocabulary's file is longer than the embeddings

Checkpoint = dict[str, Any]


def their_model(*, n_languages: int = 2, causal: bool = False, seed: int = 0) -> XLMWithLMHeadModel:
    """An independent implementation with random weights, biases and norms included."""
    torch.manual_seed(seed)
    config = XLMConfig(
        vocab_size=N_TOKENS,
        emb_dim=16,
        n_layers=2,
        n_heads=4,
        n_langs=n_languages,
        max_position_embeddings=12,
        causal=causal,
        lang2id={code: number for number, code in enumerate(["en", "fr", "hi"][:n_languages])},
    )
    model = XLMWithLMHeadModel(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) / 4)
    return model


def original_checkpoint(model: XLMWithLMHeadModel, prefix: str = "module.") -> Checkpoint:
    """What XLM would have saved, with all kinds of values that such files hold."""
    weights = {prefix + name.removeprefix("transformer."): tensor for name, tensor in model.state_dict().items()}
    return {
        "epoch": 3,
        "best_metrics": {"valid_en_mlm_ppl": np.float64(7.5)},
        "model": weights,
        "dico_id2word": dict(enumerate(PIECES)),
        "dico_word2id": {piece: number for number, piece in enumerate(PIECES)},
        "dico_counts": dict.fromkeys(PIECES, 1),
        "params": {
            "emb_dim": 16,
            "n_layers": 2,
            "n_heads": 4,
            "n_words": N_TOKENS,
            "dropout": 0.1,
            "attention_dropout": 0,
            "gelu_activation": True,
            "sinusoidal_embeddings": False,
            "asm": False,
            "n_langs": 2,
            "lgs": "en-fr",
            "lang2id": {"en": 0, "fr": 1},
            "id2lang": {0: "en", 1: "fr"},
            "mlm_steps": [("en", None), ("fr", None), ("en", "fr")],
            "clm_steps": [],
            "mask_scores": np.linspace(0, 1, len(PIECES)),
            "pred_probs": torch.tensor([0.8, 0.1, 0.1]),
            "is_slurm_job": np.bool_(False),
        },
    }


def saved(path: Path, content: Checkpoint, *, zipped: bool = True) -> Path:
    """The file; not ``zipped`` is how PyTorch wrote in the days of XLM."""
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    return path


def inputs() -> Batch:
    """Three rows of several lengths and two languages."""
    tokens = np.random.default_rng(0).integers(14, N_TOKENS, (3, 9))
    return from_arrays(tokens, np.arange(9), np.arange(9) // 5, np.array([9, 6, 2]))


def their_scores(model: XLMWithLMHeadModel, batch: Batch) -> torch.Tensor:
    """Scores (B, T, V)."""
    with torch.no_grad():
        return model(batch.tokens, langs=batch.languages, lengths=batch.lengths).logits
