"""Pretraining: from token stores to an encoder (paper, sections 3 and 5.1)."""

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from xlm_core import digests
from xlm_core.config import ModelConfig, Pretraining, plain
from xlm_core.data.batch import Batch
from xlm_core.data.sampling import Mixture
from xlm_core.errors import ConfigError
from xlm_core.files import atomic
from xlm_core.model import weights
from xlm_core.model.transformer import Transformer
from xlm_core.objectives import CAUSAL, MAX_SCORES, token_loss
from xlm_core.tally import Tally
from xlm_core.tasks.sources import Corpora, Cut, Source, Stores, mixture, validation_batches
from xlm_core.text.vocabulary import Vocabulary
from xlm_core.train.log import LOG_NAME
from xlm_core.train.loop import Part, Rhythm, train
from xlm_core.train.optimizer import make_optimizer
from xlm_core.train.state import TrainState, resume

LOG = logging.getLogger(__name__)
LINES_PER_EVALUATION = 10  # lines of the log between two evaluations
FLOAT_BYTES = 4


def initialize(*, vocabulary: Path, languages: Sequence[str], model: ModelConfig, seed: int, output: Path) -> None:
    """Save a model with random weights: the baseline without pretraining, and where every pretraining begins."""
    words = Vocabulary.read(vocabulary)
    transformer = _initialized(model, words, languages, seed)
    weights.save(output, transformer, _about(model, None, words, languages, [], seed, None))


def pretrain(
    *,
    monolingual: Stores,
    parallel: Stores,
    monolingual_valid: Stores,
    parallel_valid: Stores,
    vocabulary: Path,
    languages: Sequence[str],
    objectives: Sequence[str],
    model: ModelConfig,
    pretraining: Pretraining,
    save_minutes: float,
    n_threads: int,
    seed: int,
    code: str,
    output: Path,
    history: Path,
    work: Path,
) -> None:
    """Train a model with ``objectives`` and save it.

    A killed training goes on where it was when it is started again with the same settings, data and ``code`` (a
    digest); on a CPU its result is, bit for bit, that of a training that was never killed. It keeps checkpoints, log
    and TensorBoard files in a folder of its own in ``work``. ``output`` is the model's file, ``history`` the log as
    JSON lines. ``monolingual`` leads from languages to stores that hold them in any column, ``parallel`` from pairs to
    stores; ``languages`` are all those of the model.

    Raises:
        ConfigError: sizes do not fit together, or there is no text for an objective.
        CorpusError: the training text of a language or a pair is empty.
        StoreError: a store is damaged or was built with another vocabulary.
        CheckpointError: all checkpoints are damaged.
        TrainingError: the loss was not finite for too long, or the process was asked to end.
    """
    _check_sizes(model, pretraining)
    torch.set_num_threads(n_threads)
    words = Vocabulary.read(vocabulary)
    transformer = _initialized(model, words, languages, seed)
    _tell_plan(transformer, pretraining, objectives)
    training = Corpora.open(monolingual, parallel, words.digest)
    validation = Corpora.open(monolingual_valid, parallel_valid, words.digest)
    data = [training.digests, validation.digests]
    about = _about(model, pretraining, words, languages, objectives, seed, data)
    run = digests.of_value([about["config"], about["data"], code, seed])
    cut = _cut(model, pretraining, words.counts, seed)
    source = Source(training, objectives, languages, cut)
    measured = validation_batches(validation, objectives, languages, cut, pretraining.max_eval_tokens)
    draws = mixture(training, objectives, pretraining.alpha, seed)
    _train(transformer, source, draws, measured, pretraining, save_minutes, run, work / run)
    weights.save(output, transformer, about)
    with atomic(history) as partial:
        shutil.copyfile(work / run / LOG_NAME, partial)


def _initialized(model: ModelConfig, vocabulary: Vocabulary, languages: Sequence[str], seed: int) -> Transformer:
    torch.manual_seed(seed)
    return Transformer(model, len(vocabulary), len(languages))


def _about(
    model: ModelConfig,
    pretraining: Pretraining | None,
    vocabulary: Vocabulary,
    languages: Sequence[str],
    objectives: Sequence[str],
    seed: int,
    data: Any,
) -> dict[str, Any]:
    """What the model's file says about it.

    "config" and "data" are digests of what it depends on besides its code and its seed.
    """
    shown = {"languages": sorted(languages), "objectives": list(objectives)}
    settings = {"model": plain(model), "pretraining": pretraining and plain(pretraining)}
    return {
        **shown,
        "seed": seed,
        "vocabulary": vocabulary.digest,
        "config": digests.of_value({**shown, **settings}),
        "data": digests.of_value([vocabulary.digest, data]),
    }


def score(model: Transformer, batches: Sequence[tuple[str, Batch]]) -> dict[str, Tally]:
    """The loss of ``model`` on named batches, summed by name; the part of a name before its dot is the objective."""
    device = model.output_bias.device
    was_training = model.training
    model.eval()
    tallies: dict[str, Tally] = {}
    with torch.inference_mode():
        for name, batch in batches:
            tally = token_loss(model, batch.to(device), CAUSAL[name.partition(".")[0]])
            tallies[name] = tallies[name] + tally if name in tallies else tally
    model.train(was_training)
    return tallies


def parts_per_update(pretraining: Pretraining) -> int:
    """Micro-batches of an update: as few as keep each within ``tokens_per_batch``.

    They share ``tokens_per_update`` evenly, so that an update is of the same size whatever fits into memory.
    """
    return -(-pretraining.tokens_per_update // pretraining.tokens_per_batch)


def memory_bytes(model: Transformer, batch_tokens: int, seq_len: int) -> int:
    """A rough estimate of the tensors of training: weights, gradients, Adam's two moments, and activations.

    What Python, PyTorch and its allocator take for themselves comes on top.

    Of each layer what the backward pass reads is counted, float by float and token by token: inputs of the linear
    layers, of the normalizations, of GELU and of the dropouts, and the attention weights where they are kept.
    """
    config = model.config
    n_weights = sum(parameter.numel() for parameter in model.parameters())
    per_token = config.n_layers * (14 * config.dim + 2 * config.feedforward_dim + 3 * config.n_heads * seq_len)
    scores = min(batch_tokens * model.n_tokens, MAX_SCORES)
    return FLOAT_BYTES * (4 * n_weights + batch_tokens * per_token + 3 * scores)


def _check_sizes(model: ModelConfig, pretraining: Pretraining) -> None:
    """Refuse sizes that do not fit together."""
    if pretraining.seq_len > model.max_positions:
        raise ConfigError(
            f"pretraining.seq_len is {pretraining.seq_len}, but the model has {model.max_positions} positions; "
            f"lower it or raise model.max_positions"
        )
    batch_tokens = pretraining.tokens_per_update // parts_per_update(pretraining)
    if pretraining.seq_len > batch_tokens:
        raise ConfigError(
            f"pretraining.seq_len is {pretraining.seq_len}, but a batch has {batch_tokens} tokens; "
            f"lower it or raise pretraining.tokens_per_batch and tokens_per_update"
        )


def _tell_plan(model: Transformer, pretraining: Pretraining, objectives: Sequence[str]) -> None:
    """Log what the run will cost, before any data is read."""
    LOG.info("%d parameters", sum(parameter.numel() for parameter in model.parameters()))
    n_parts = parts_per_update(pretraining)
    batch_tokens = pretraining.tokens_per_update // n_parts
    n_bytes = memory_bytes(model, batch_tokens, pretraining.seq_len)
    LOG.info(
        "%s: %d updates of %d tokens in %d batches each, %.3g tokens in all; about %.2g GB of tensors",
        "+".join(objectives),
        pretraining.optim.max_updates,
        pretraining.tokens_per_update,
        n_parts,
        pretraining.optim.max_updates * pretraining.tokens_per_update,
        n_bytes / 1e9,
    )


def _cut(model: ModelConfig, pretraining: Pretraining, counts: np.ndarray, seed: int) -> Cut:
    """How the training text becomes batches."""
    return Cut(
        seq_len=pretraining.seq_len,
        max_pair_tokens=pretraining.max_pair_tokens,
        max_positions=model.max_positions,
        batch_tokens=pretraining.tokens_per_update // parts_per_update(pretraining),
        masking=pretraining.masking,
        counts=counts,
        seed=seed,
        place="training",
    )


def _train(
    model: Transformer,
    source: Source,
    draws: Mixture,
    validation: Sequence[tuple[str, Batch]],
    pretraining: Pretraining,
    save_minutes: float,
    digest: str,
    folder: Path,
) -> None:
    """Train ``model`` on the batches of ``source`` that ``draws`` names; afterwards it is on the CPU."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device).train()
    state = TrainState(model, make_optimizer(model, pretraining.optim))
    resume(folder, state, digest)
    n_parts = parts_per_update(pretraining)

    def part(number: int) -> Part:
        draw = draws.at(number)
        batch = source.batch(draw, number)
        causal = CAUSAL[draw.objective]
        n_tokens = int(batch.lengths.sum())
        return Part(draw.objective, batch.n_predicted, n_tokens, lambda: token_loss(model, batch.to(device), causal))

    train(
        state,
        lambda update: [part(number) for number in range(update * n_parts, (update + 1) * n_parts)],
        lambda: score(model, validation),
        optim=pretraining.optim,
        rhythm=Rhythm(
            evaluate_every=pretraining.evaluate_every,
            log_every=max(1, pretraining.evaluate_every // LINES_PER_EVALUATION),
            patience=pretraining.patience,
            save_minutes=save_minutes,
        ),
        folder=folder,
        digest=digest,
        keep_best=pretraining.patience > 0,
    )
    model.cpu().eval()
