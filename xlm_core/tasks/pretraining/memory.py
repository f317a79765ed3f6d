"""Sizes of a training before any data is read: micro-batches of an update, memory, and errors where they do not fit."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from xlm_core.config import Compute, ModelConfig, Pretraining, TranslationTraining
from xlm_core.errors import ConfigError, TrainingError
from xlm_core.model.device import resolve_dtype
from xlm_core.model.heads import MAX_SCORES
from xlm_core.model.transformer import Transformer

LOG = logging.getLogger(__name__)
MEMORY_SHARE = 0.85  # of a GPU that the tensors of a plan may take


def estimate_memory(
    model: Transformer, pretraining: Pretraining, compute: Compute, n_processes: int, device: torch.device
) -> dict[str, int]:
    """Estimate roughly, in bytes, the tensors that one process holds on ``device`` while it trains ``model``.

    Activations are what the backward pass reads of each layer, token by token, as if every token were predicted. On a
    GPU those are inputs of the linear layers, the attention and GELU in the precision of products, inputs of the
    normalizations in float32 and one byte for each dropout; beside the weights their copies in half precision, beside
    the gradients the embeddings' one in the current micro-batch. On a CPU everything is counted as float32, and the
    attention weights, which a GPU computes again, are kept. What Python, PyTorch, its allocator and CUDA take for
    themselves comes on top, and on several GPUs what NCCL takes.
    """
    config, on_gpu = model.config, device.type == "cuda"
    n_tokens, n_embedded = micro_batch_size(pretraining), model.embeddings.weight.numel()
    n_weights = sum(parameter.numel() for parameter in model.parameters())
    width = resolve_dtype(compute.precision, device).itemsize
    if on_gpu:
        of_layer = width * (6 * config.dim + 2 * config.feedforward_dim) + 10 * config.dim
    else:
        of_layer = 4 * (14 * config.dim + 2 * config.feedforward_dim + 3 * config.n_heads * pretraining.seq_len)
    inputs = 4 * config.n_layers * config.dim
    kept = inputs + of_layer if compute.activation_checkpointing else config.n_layers * of_layer
    n_scores = min(n_tokens * model.vocab_size, max(MAX_SCORES, model.vocab_size))
    return {
        "weights": (4 + width if on_gpu and width < 4 else 4) * n_weights,
        "gradients": 4 * (n_weights + n_embedded if on_gpu else n_weights),
        "optimizer": 4 * (2 * n_weights // (n_processes if compute.zero_stage1 else 1)),
        "activations": n_tokens * kept,
        "scores": 4 * (2 if on_gpu else 3) * n_scores,
    }


def fitting_micro_batch(
    model: Transformer, pretraining: Pretraining, compute: Compute, n_processes: int, device: torch.device, memory: int
) -> int | None:
    """Return the largest ``micro_batch_tokens`` that ``estimate_memory`` expects to fit; None if none does.

    It is ``batch_tokens`` divided by a power of two, takes at most ``MEMORY_SHARE`` of ``memory`` (bytes), and leaves
    each process a micro-batch.
    """
    n_batches = 1
    while (size := -(-pretraining.batch_tokens // n_batches)) >= pretraining.seq_len:
        smaller = pretraining.model_copy(update={"micro_batch_tokens": size})
        needed = sum(estimate_memory(model, smaller, compute, n_processes, device).values())
        if n_batches >= n_processes and needed <= MEMORY_SHARE * memory:
            return size
        n_batches *= 2
    return None


def log_memory(
    model: Transformer, pretraining: Pretraining, compute: Compute, n_processes: int, device: torch.device
) -> None:
    """Log what a process will hold; on a GPU beside its memory, with sizes that fit it better where some do."""
    estimate = estimate_memory(model, pretraining, compute, n_processes, device)
    needed = sum(estimate.values())
    shown = ", ".join(f"{name} {n_bytes / 1e9:.2g}" for name, n_bytes in estimate.items())
    LOG.info("about %.2g GB of tensors per process (%s)", needed / 1e9, shown)
    if device.type != "cuda":
        return
    card = torch.cuda.get_device_properties(device)
    LOG.info("%s has %.3g GB", card.name, card.total_memory / 1e9)
    is_too_much = needed > card.total_memory
    if is_too_much or needed < card.total_memory / 3:
        size = fitting_micro_batch(model, pretraining, compute, n_processes, device, card.total_memory)
        if size is None:
            LOG.warning("no micro_batch_tokens fits; set compute.activation_checkpointing, or train a smaller model")
        elif size != pretraining.micro_batch_tokens:
            level = logging.WARNING if is_too_much else logging.INFO
            LOG.log(
                level,
                "micro_batch_tokens: %d would fit, with other batches than %d",
                size,
                pretraining.micro_batch_tokens,
            )


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
