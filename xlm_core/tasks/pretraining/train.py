"""Pretraining: from token stores to an encoder (paper, sections 3 and 5.1)."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from xlm_core import digests
from xlm_core.config import Compute, ModelConfig, Pretraining, to_dict
from xlm_core.data import masking
from xlm_core.data.batch import Batch
from xlm_core.data.sampling import TaskSampler
from xlm_core.io import atomic
from xlm_core.metrics.loss import LossSum, add_losses
from xlm_core.model import checkpoint
from xlm_core.model.transformer import Transformer
from xlm_core.objectives import CAUSAL, TokenLoss, resolve_dtype, token_loss
from xlm_core.tasks.pretraining.data import BatchingConfig, Source, Stores, TrainingCorpora, mixture, validation_batches
from xlm_core.tasks.pretraining.memory import (
    check_sizes,
    log_summary,
    memory_errors,
    micro_batch_size,
    micro_batches_per_update,
)
from xlm_core.text.vocabulary import N_SPECIAL, Vocabulary
from xlm_core.train.distributed import DistributedContext
from xlm_core.train.log import LOG_NAME
from xlm_core.train.loop import Intervals, TrainingRun, train
from xlm_core.train.optimizer import make_optimizer
from xlm_core.train.prefetch import Prefetcher
from xlm_core.train.state import TrainState, resume
from xlm_core.train.step import MicroBatch, dropout_seed


@dataclass(frozen=True)
class Plan:
    """What a run reads, and in which order.

    source      makes the batches
    draws       says what each is about
    validation  named batches of every evaluation
    seed        of dropout
    unlearned   objective -> loss of a model that has learned nothing
    """

    source: Source
    draws: TaskSampler
    validation: Sequence[tuple[str, Batch]]
    seed: int
    unlearned: Mapping[str, float]

    def part(self, number: int, loss: nn.Module, device: torch.device) -> MicroBatch:
        """Micro-batch ``number``, counted from 0 over the whole run and all processes."""
        draw = self.draws.at(number)
        batch = self.source.batch(draw, number)
        if device.type == "cuda":
            batch = batch.pinned()
        return MicroBatch(
            name=draw.objective,
            count=batch.n_predicted,
            n_tokens=int(batch.lengths.sum()),
            seed=dropout_seed(self.seed, number),
            loss=lambda: loss(batch.to(device), CAUSAL[draw.objective]),
        )


def init_random_model(
    *, vocabulary: Path, languages: Sequence[str], model: ModelConfig, seed: int, output: Path
) -> None:
    """Save a model with random weights: the baseline without pretraining, and where every pretraining begins."""
    words = Vocabulary.read(vocabulary)
    transformer = _initialized(model, words, languages, seed)
    checkpoint.save(output, transformer, _about(model, None, words, languages, [], seed, None))


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
    compute: Compute,
    checkpoint_minutes: float,
    n_threads: int,
    seed: int,
    code: str,
    output: Path,
    history: Path,
    work: Path,
) -> None:
    """Train a model with ``objectives`` and save it; every process of the training runs this.

    A killed training goes on where it was when it is started again with the same settings, data and ``code`` (a
    digest), on any number of processes; on a CPU and the same number of them its result is, bit for bit, that of a
    training that was never killed. It keeps checkpoints, log and TensorBoard files in a folder of its own in ``work``.

    Args:
        monolingual, monolingual_valid: language -> stores that hold it in any column.
        parallel, parallel_valid: pair -> stores.
        languages: all those of the model.
        n_threads: of each process.
        output: the model's file.
        history: the log as JSON lines.

    Raises:
        ConfigError: sizes do not fit together, or there is no text for an objective.
        CorpusError: the training text of a language or a pair is empty.
        StoreError: a store is damaged or was built with another vocabulary.
        CheckpointError: there are checkpoints, and none can be used.
        TrainingError: the loss was not finite for too long, memory was short, or a process was asked to end.
    """
    torch.set_num_threads(n_threads)
    processes = DistributedContext()
    check_sizes(model, pretraining, processes.size)
    words = Vocabulary.read(vocabulary)
    transformer = _initialized(model, words, languages, seed)
    log_summary(transformer, objectives, pretraining, compute, processes)
    training = TrainingCorpora.open(monolingual, parallel, words.digest)
    validation = TrainingCorpora.open(monolingual_valid, parallel_valid, words.digest)
    data = [training.digests, validation.digests]
    about = _about(model, pretraining, words, languages, objectives, seed, data)
    about["precision"] = str(resolve_dtype(compute.precision, processes.device)).removeprefix("torch.")
    folder = work / digests.of_value([about, code])
    plan = _plan(training, validation, objectives, languages, _cut(model, pretraining, words.counts, seed), pretraining)
    with memory_errors(pretraining):
        _train(transformer, plan, pretraining, compute, checkpoint_minutes, folder, processes)
    if processes.is_main_process:
        checkpoint.save(output, transformer, about)
        with atomic(history) as partial:
            shutil.copyfile(folder / LOG_NAME, partial)


def _plan(
    training: TrainingCorpora,
    validation: TrainingCorpora,
    objectives: Sequence[str],
    languages: Sequence[str],
    cut: BatchingConfig,
    pretraining: Pretraining,
) -> Plan:
    """What will be read, and when."""
    return Plan(
        source=Source(training, objectives, languages, cut),
        draws=mixture(training, objectives, pretraining.language_sampling_alpha, cut.seed),
        validation=validation_batches(validation, objectives, languages, cut, pretraining.max_eval_tokens),
        seed=cut.seed,
        unlearned=_unlearned(cut.counts, pretraining.masking.frequency_exponent),
    )


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
    settings = {"model": to_dict(model), "pretraining": pretraining and to_dict(pretraining)}
    return {
        **shown,
        "seed": seed,
        "vocabulary": vocabulary.digest,
        "config": digests.of_value({**shown, **settings}),
        "data": digests.of_value([vocabulary.digest, data]),
    }


def score(
    model: Transformer, batches: Sequence[tuple[str, Batch]], precision: torch.dtype, processes: DistributedContext
) -> dict[str, LossSum]:
    """The loss of ``model`` on named batches, summed by name; the part of a name before its dot is the objective.

    Each process computes its share of the batches, and all know the sums.
    """
    was_training = model.training
    model.eval()
    tallies: dict[str, LossSum] = {}
    with torch.inference_mode():
        for number in processes.shard_range(len(batches)):
            name, batch = batches[number]
            tally = token_loss(model, batch.to(processes.device), CAUSAL[name.partition(".")[0]], precision)
            add_losses(tallies, {name: tally})
    model.train(was_training)
    return processes.reduce_losses(tallies)


def _unlearned(counts: np.ndarray, alpha: float) -> dict[str, float]:
    """The loss of the objectives that hide tokens where every token is guessed by its frequency alone: the entropy.

    What is hidden has frequencies of its own: tokens are chosen with weight count ** -``alpha``.
    """
    hidden = counts[N_SPECIAL:] * masking.weights(counts, alpha)[N_SPECIAL:]
    shares = hidden[hidden > 0] / hidden.sum()
    entropy = float(-(shares * np.log(shares)).sum())
    return {"mlm": entropy, "tlm": entropy}


def _cut(model: ModelConfig, pretraining: Pretraining, counts: np.ndarray, seed: int) -> BatchingConfig:
    """How the training text becomes batches."""
    return BatchingConfig(
        seq_len=pretraining.seq_len,
        max_pair_tokens=pretraining.max_pair_tokens,
        max_positions=model.max_positions,
        batch_tokens=micro_batch_size(pretraining),
        masking=pretraining.masking,
        counts=counts,
        seed=seed,
        place="training",
    )


def _train(
    model: Transformer,
    plan: Plan,
    pretraining: Pretraining,
    compute: Compute,
    checkpoint_minutes: float,
    folder: Path,
    processes: DistributedContext,
) -> None:
    """Train ``model`` as planned; afterwards it is on the CPU. ``folder`` has the run's digest as its name."""
    device = processes.device
    precision = resolve_dtype(compute.precision, device)
    model.to(device).train()
    model.gradient_checkpointing = compute.activation_checkpointing
    _compile(model, compute, device)
    shard = compute.zero_stage1 and processes.size > 1
    state = TrainState(model, make_optimizer(model, pretraining.optim, shard=shard))
    resume(folder, state, folder.name, processes)
    loss = processes.wrap_ddp(TokenLoss(model, precision))
    n_parts = micro_batches_per_update(pretraining)

    def parts(update: int) -> list[MicroBatch]:
        numbers = (update * n_parts + number for number in processes.shard_range(n_parts))
        return [plan.part(number, loss, device) for number in numbers]

    with Prefetcher(parts, pretraining.optim.max_updates) as parts_ahead:
        train(
            state,
            parts_ahead,
            lambda: score(model, plan.validation, precision, processes),
            TrainingRun(
                pretraining.optim,
                Intervals.from_settings(pretraining, checkpoint_minutes),
                folder,
                folder.name,
                processes,
            ),
            average_last=1 if pretraining.patience else 0,
            baselines=plan.unlearned,
        )
    model.cpu().eval()


def _compile(model: Transformer, compute: Compute, device: torch.device) -> None:
    """Compile the layers where that is wanted: each is small, and one compilation serves all."""
    if compute.compile is True or (compute.compile == "auto" and device.type == "cuda"):
        for layer in model.layers:
            layer.compile()
