"""Sizes of a training before any data is read: micro-batches of an update, memory, and errors where they do not fit."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from xlm_core.config import Compute, ModelConfig, Pretraining, TranslationTraining
from xlm_core.errors import ConfigError, TrainingError
from xlm_core.model.heads import MAX_SCORES
from xlm_core.model.transformer import Transformer

FLOAT_BYTES = 4


def estimate_memory(model: Transformer, pretraining: Pretraining, compute: Compute, n_processes: int) -> dict[str, int]:
    """Estimate roughly, in bytes, the tensors that one process holds while it trains ``model``.

    Of each layer what the backward pass reads is counted, float by float and token by token: inputs of the linear
    layers, of the normalizations, of GELU and of the dropouts, and the attention weights, which a CPU keeps and a GPU
    computes again. Half precision is not counted as a saving, because weights and sums stay in float32. What Python,
    PyTorch and its allocator take for themselves comes on top.
    """
    config = model.config
    n_tokens = micro_batch_size(pretraining)
    n_weights = sum(parameter.numel() for parameter in model.parameters())
    weights_of_token = 3 * config.n_heads * pretraining.seq_len if not torch.cuda.is_available() else 0
    of_layer = 14 * config.dim + 2 * config.feedforward_dim + weights_of_token
    kept = config.n_layers * config.dim + of_layer if compute.activation_checkpointing else config.n_layers * of_layer
    moments = 2 * n_weights // (n_processes if compute.zero_stage1 else 1)
    scores = 3 * min(n_tokens * model.vocab_size, max(MAX_SCORES, model.vocab_size))
    n_floats = {
        "weights": n_weights, "gradients": n_weights, "optimizer": moments, "activations": n_tokens * kept,
        "scores": scores,
    }  # fmt: skip
    return {name: FLOAT_BYTES * n for name, n in n_floats.items()}


def micro_batches_per_update(training: Pretraining | TranslationTraining) -> int:
    """Count the micro-batches of an update, over all processes: as few as keep each within ``micro_batch_tokens``.

    They share ``batch_tokens`` evenly, so that an update is of the same size whatever fits into memory.
    """
    return -(-training.batch_tokens // training.micro_batch_tokens)


def micro_batch_size(training: Pretraining | TranslationTraining) -> int:
    """Compute the tokens of a micro-batch, padding counted."""
    return training.batch_tokens // micro_batches_per_update(training)


def check_sizes(model: ModelConfig, pretraining: Pretraining, n_processes: int) -> None:
    """Refuse sizes that do not fit together.

    Raises:
        ConfigError: the model has too few positions, a batch too few tokens, or an update too few batches.
    """
    for limit, owner, remedy in (
        (model.max_positions, "the model has {} positions", "model.max_positions"),
        (micro_batch_size(pretraining), "a batch has {} tokens", "pretraining.micro_batch_tokens and batch_tokens"),
    ):
        if pretraining.seq_len > limit:
            raise ConfigError(
                f"pretraining.seq_len is {pretraining.seq_len}, but {owner.format(limit)}; lower it or raise {remedy}"
            )
    check_processes("pretraining", pretraining, micro_batches_per_update(pretraining), n_processes)


def check_processes(
    section: str, training: Pretraining | TranslationTraining, n_batches: int, n_processes: int
) -> None:
    """Refuse updates of fewer micro-batches than there are processes; ``section`` of the configuration has the sizes.

    Raises:
        ConfigError: a process would have nothing to do.
    """
    if n_batches < n_processes:
        raise ConfigError(
            f"{section}.batch_tokens ({training.batch_tokens}) is {n_batches} batches of at most "
            f"{section}.micro_batch_tokens ({training.micro_batch_tokens}) tokens, but there are {n_processes} "
            f"processes; expected one for each: raise batch_tokens, lower micro_batch_tokens, or lower "
            f"compute.gpus, compute.processes or (in pretraining) compute.nodes"
        )


@contextmanager
def memory_errors(pretraining: Pretraining) -> Iterator[None]:
    """Turn lack of memory within the block into an error that says what to do.

    Raises:
        TrainingError: a tensor did not fit into memory.
    """
    try:
        yield
    except (torch.OutOfMemoryError, RuntimeError) as error:
        # On a CPU PyTorch raises a plain RuntimeError, which its text alone tells apart.
        if not isinstance(error, torch.OutOfMemoryError) and "can't allocate memory" not in str(error):
            raise
        raise TrainingError(
            f"out of memory with pretraining.micro_batch_tokens at {pretraining.micro_batch_tokens}; set it to "
            f"{pretraining.micro_batch_tokens // 2}: an update keeps its {pretraining.batch_tokens} tokens, in more "
            f"batches; or set compute.activation_checkpointing ({str(error).splitlines()[0]})"
        ) from error
