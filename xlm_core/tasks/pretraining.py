"""Pretraining: from token stores to an encoder (paper, sections 3 and 5.1)."""

import logging
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from xlm_core.config import Masking, ModelConfig, Pretraining
from xlm_core.data.batch import Batch
from xlm_core.errors import ConfigError
from xlm_core.files import atomic
from xlm_core.model import weights
from xlm_core.model.transformer import Transformer
from xlm_core.objectives import CAUSAL, MAX_SCORES, token_loss
from xlm_core.tally import Tally
from xlm_core.tasks.sources import (
    VALIDATION_SEED,
    Corpora,
    Cut,
    Monolingual,
    Parallel,
    Source,
    mixture,
    validation_batches,
)
from xlm_core.text.vocabulary import Vocabulary
from xlm_core.train.loop import Part, Rhythm, train
from xlm_core.train.optimizer import make_optimizer
from xlm_core.train.state import TrainState, resume

LOG = logging.getLogger(__name__)
LINES_PER_EVALUATION = 10  # lines of the log between two evaluations
FLOAT_BYTES = 4


def pretrain(
    *,
    monolingual: Monolingual,
    parallel: Parallel,
    monolingual_valid: Monolingual,
    parallel_valid: Parallel,
    vocabulary: Path,
    languages: Sequence[str],
    objectives: Sequence[str],
    model: ModelConfig,
    pretraining: Pretraining,
    seed: int,
    digest: str,
    output: Path,
    history: Path,
    work: Path,
) -> None:
    """Train a model with ``objectives`` and save it; without objectives, save it as it was initialized.

    A killed training goes on where it was when it is started again with the same ``work`` and ``digest``; on a CPU
    the result is the same, bit for bit, as that of a training that was never killed.

    Args:
        monolingual: language -> training stores, each with the column of that language.
        parallel: pair -> training stores.
        monolingual_valid: as ``monolingual``, for validation.
        parallel_valid: as ``parallel``, for validation.
        vocabulary: the vocabulary that the stores were built with.
        languages: all languages of the model.
        objectives: of "clm", "mlm" and "tlm".
        model: its shape.
        pretraining: batches, optimization, evaluations.
        seed: of the weights, the batches and the dropout.
        digest: of everything that the result depends on.
        output: the model's file.
        history: the log as JSON lines, for the curves.
        work: folder of checkpoints, log and TensorBoard files, which no other run uses.

    Raises:
        ConfigError: sizes do not fit together, or there is no text for an objective.
        CorpusError: the training text of a language or pair is empty.
        StoreError: a store is damaged or was built with another vocabulary.
        CheckpointError: the checkpoints in ``work`` are of another run, or damaged.
        TrainingError: the loss was not finite for too long, or the process was asked to end.
    """
    _check_sizes(model, pretraining)
    torch.set_num_threads(pretraining.n_threads)
    torch.manual_seed(seed)
    words = Vocabulary.read(vocabulary)
    transformer = Transformer(model, len(words), len(languages))
    _tell_plan(transformer, pretraining, objectives)
    if objectives:
        training = Corpora.open(monolingual, parallel, words.digest)
        validation = Corpora.open(monolingual_valid, parallel_valid, words.digest)
        counts = np.array(words.counts)
        _train(transformer, training, validation, counts, languages, objectives, pretraining, seed, digest, work)
    about = {
        "languages": sorted(languages),
        "vocabulary": words.digest,
        "objectives": list(objectives),
        "seed": seed,
        "digest": digest,
    }
    weights.save(output, transformer, about)
    with atomic(history) as partial:
        if objectives:
            shutil.copyfile(work / "log.jsonl", partial)
        else:
            partial.touch()


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
    """A rough estimate of what training needs at most: weights, gradients, Adam's two moments, and activations.

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
    if not objectives:
        LOG.info("no objectives: the model is saved as it was initialized")
        return
    n_parts = parts_per_update(pretraining)
    batch_tokens = pretraining.tokens_per_update // n_parts
    n_bytes = memory_bytes(model, batch_tokens, pretraining.seq_len)
    LOG.info(
        "%s: %d updates of %d tokens in %d batches each, %.3g tokens in all; about %.2g GB of memory",
        "+".join(objectives),
        pretraining.optim.max_updates,
        pretraining.tokens_per_update,
        n_parts,
        pretraining.optim.max_updates * pretraining.tokens_per_update,
        n_bytes / 1e9,
    )


def _train(
    model: Transformer,
    training: Corpora,
    validation: Corpora,
    counts: np.ndarray,
    languages: Sequence[str],
    objectives: Sequence[str],
    pretraining: Pretraining,
    seed: int,
    digest: str,
    work: Path,
) -> None:
    """Train ``model`` on the opened corpora; it is on the CPU and in evaluation mode afterwards."""
    cut = _cut(model.config, pretraining, pretraining.masking, counts, seed, "training")
    source = Source(training, objectives, languages, cut)
    draws = mixture(training, objectives, pretraining.alpha, seed)
    # As published, the mask symbol hides every chosen token in validation, and all tokens are chosen alike.
    hidden = Masking(share=pretraining.masking.share, mask=1.0, random=0.0, keep=0.0, alpha=0.0)
    cut = _cut(model.config, pretraining, hidden, counts, VALIDATION_SEED, "validation")
    validation = validation.without_empty("validation")
    measured = [objective for objective in objectives if validation.sizes(objective)]
    batches = validation_batches(Source(validation, measured, languages, cut), pretraining.max_eval_tokens)

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device).train()
    state = TrainState(model, make_optimizer(model, pretraining.optim))
    resume(work, state, digest)
    n_parts = parts_per_update(pretraining)

    def part(number: int) -> Part:
        draw = draws.at(number)
        batch = source.batch(draw, number)
        causal = CAUSAL[draw.objective]
        n_tokens = int(batch.lengths.sum())
        return Part(
            draw.objective, batch.n_predicted, n_tokens, lambda: token_loss(model, batch.to(device), causal)
        )

    train(
        state,
        lambda update: [part(number) for number in range(update * n_parts, (update + 1) * n_parts)],
        lambda: score(model, batches),
        optim=pretraining.optim,
        rhythm=Rhythm(
            evaluate_every=pretraining.evaluate_every,
            log_every=max(1, pretraining.evaluate_every // LINES_PER_EVALUATION),
            patience=pretraining.patience,
            save_minutes=pretraining.save_minutes,
        ),
        folder=work,
        digest=digest,
    )
    model.cpu().eval()


def _cut(
    model: ModelConfig, pretraining: Pretraining, masking: Masking, counts: np.ndarray, seed: int, place: str
) -> Cut:
    """How the text of ``place`` becomes batches."""
    return Cut(
        seq_len=pretraining.seq_len,
        max_pair_tokens=pretraining.max_pair_tokens,
        max_positions=model.max_positions,
        batch_tokens=pretraining.tokens_per_update // parts_per_update(pretraining),
        masking=masking,
        counts=counts,
        seed=seed,
        place=place,
    )
