"""Pretrain an encoder from token stores (paper, sections 3 and 5.1)."""

import logging
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from xlm_core import digests
from xlm_core.config import ModelConfig, to_dict
from xlm_core.data.batch import Batch
from xlm_core.data.objective_batches import CAUSAL
from xlm_core.history import Metrics, ObjectiveKey
from xlm_core.io import copy_file
from xlm_core.metrics.loss import LossSum, add_losses
from xlm_core.model import checkpoint
from xlm_core.model.device import compile_layers, resolve_dtype
from xlm_core.model.transfer import check_shape, transfer_languages, transfer_pieces
from xlm_core.model.transformer import Transformer
from xlm_core.tasks.pretraining.data import InitialModel, PretrainingArgs, PretrainingData, Stores, TrainingCorpora
from xlm_core.tasks.pretraining.memory import check_sizes, log_memory, memory_errors, micro_batches_per_update
from xlm_core.text.vocabulary import Vocabulary
from xlm_core.train.distributed import DistributedContext
from xlm_core.train.log import LOG_NAME
from xlm_core.train.loop import MicroBatch, TrainingRun, dropout_seed, prefetch, train
from xlm_core.train.losses import LossModule, freeze_unused_layers, token_loss
from xlm_core.train.optimization import make_optimizer
from xlm_core.train.state import TrainState, training_folder, without_length

LOG = logging.getLogger(__name__)
# A batch whose text is not in memory yet waits for the disk longer than a GPU computes. On a CPU threads would take
# time from training.
PREFETCH = {"cuda": {"workers": 4, "depth": 8}}


def init_random_model(
    *, vocabulary: Path, languages: Sequence[str], model: ModelConfig, seed: int, output: Path
) -> None:
    """Save a model with random weights: the baseline without pretraining, and the first state of every pretraining."""
    vocab = Vocabulary.read(vocabulary)
    trained = {"languages": sorted(languages), "objectives": []}
    settings = {"model": to_dict(model), "pretraining": None}
    metadata = checkpoint.make_metadata(trained, settings, seed, vocab, [vocab.digest, None])
    checkpoint.save(output, _random_model(model, vocab, languages, seed), metadata)


def pretrain(
    *,
    training: Stores,
    validation: Stores,
    vocabulary: Path,
    args: PretrainingArgs,
    code: str,
    output: Path,
    history: Path,
    work: Path,
    init: InitialModel | None = None,
) -> None:
    """Train a model and save it; every process of the training runs this.

    A killed training resumes when it is started again with the same settings, data and ``code`` (a digest), on any
    number of processes; on a CPU and the same number of them its result is, bit for bit, that of a training that was
    never killed. A finished one goes on in the same way to more updates, where their learning rates do not depend on
    their number. Checkpoints, log and TensorBoard files are in a folder of its digest in ``work``.

    Args:
        output: the model's file.
        history: the log as JSON lines.
        init: the model whose weights it begins with, whose languages and vocabulary may be others, see
            ``xlm_core.model.transfer``; None for random ones.

    Raises:
        ConfigError: sizes do not fit together, or there is no text for an objective.
        CorpusError: the training text of a language or a pair is empty.
        StoreError: a store is damaged or was built with another vocabulary.
        CheckpointError: there are checkpoints, and none can be used; or ``init`` is of another shape.
        TrainingError: the loss was not finite for too long, memory was short, or a process got SIGTERM.
    """
    torch.set_num_threads(args.n_threads)
    processes = DistributedContext()
    check_sizes(args.model, args.pretraining, processes.size)
    vocab = Vocabulary.read(vocabulary)
    model, before = _initial_model(init, args, vocab)
    _log_summary(model, args, processes)
    training_corpora, validation_corpora = (
        TrainingCorpora.open(paths, vocab.digest) for paths in (training, validation)
    )
    data_digests = [training_corpora.digests, validation_corpora.digests, *([before["data"]] if before else [])]
    objectives = dict.fromkeys([*before.get("objectives", []), *args.objectives])
    trained = {"languages": sorted(args.languages), "objectives": list(objectives)}
    settings = {"model": to_dict(args.model), "pretraining": to_dict(args.pretraining), "init": before.get("config")}
    metadata = checkpoint.make_metadata(trained, settings, args.seed, vocab, [vocab.digest, data_digests])
    metadata["precision"] = str(resolve_dtype(args.compute.precision, processes.device)).removeprefix("torch.")
    if "origin" in before:  # the model of another program that all of this began with
        metadata["origin"] = before["origin"]
    identity = [metadata | {"config": None}, settings | {"pretraining": without_length(args.pretraining)}, before, code]
    folder = training_folder(work, digests.of_value(identity), args.pretraining.optim)
    with memory_errors(args.pretraining):
        data = PretrainingData(training_corpora, validation_corpora, args, vocab)
        _train(model, data, args, folder, processes)
    if processes.is_main_process:
        checkpoint.save(output, model, metadata)
        copy_file(folder / LOG_NAME, history)


def _log_summary(model: Transformer, args: PretrainingArgs, processes: DistributedContext) -> None:
    """Log what the run will take."""
    LOG.info("%d parameters", sum(parameter.numel() for parameter in model.parameters()))
    n_updates, n_tokens = args.pretraining.optim.max_updates, args.pretraining.batch_tokens
    n_batches = micro_batches_per_update(args.pretraining)
    message = "%s: %d updates of %d tokens, in %d batches on %d processes; %.3g tokens in all"
    LOG.info(message, "+".join(args.objectives), n_updates, n_tokens, n_batches, processes.size, n_updates * n_tokens)
    log_memory(model, args.pretraining, args.compute, processes.size, processes.device)


def _initial_model(init: InitialModel | None, args: PretrainingArgs, vocabulary: Vocabulary) -> tuple[Transformer, Any]:
    """Return the first state of a pretraining, and the metadata of the model that it is taken from."""
    model = _random_model(args.model, vocabulary, args.languages, args.seed)
    freeze_unused_layers(model, predicts=True)
    if init is None:
        return model, {}
    other, metadata = checkpoint.load(init.model)
    other_vocabulary = checkpoint.load_vocabulary(init.vocabulary, init.model, metadata)
    check_shape(other.config, args.model, init.model)
    known, languages = sorted(metadata["languages"]), sorted(args.languages)
    has_embeddings = model.language_embeddings is not None
    weights = transfer_languages(other.state_dict(), known, languages, has_embeddings=has_embeddings)
    model.load_state_dict(transfer_pieces(weights, other_vocabulary, vocabulary, args.seed))
    new = ", ".join(language for language in languages if language not in known)
    LOG.info("begins with %s, a model of %s; new languages are %s", init.model, ", ".join(known), new or "none")
    return model, metadata


def _random_model(model: ModelConfig, vocabulary: Vocabulary, languages: Sequence[str], seed: int) -> Transformer:
    torch.manual_seed(seed)
    return Transformer(model, len(vocabulary), len(languages))


def validate(
    model: Transformer, batches: Sequence[tuple[ObjectiveKey, Batch]], dtype: torch.dtype, processes: DistributedContext
) -> Metrics:
    """Evaluate ``model`` on batches, all of a key together.

    Each process computes its share of the batches, and all get the same metrics.
    """
    model.eval()
    losses: dict[ObjectiveKey, LossSum] = {}
    with torch.inference_mode():
        for index in processes.shard_range(len(batches)):
            key, batch = batches[index]
            add_losses(losses, {key: token_loss(model, batch.to(processes.device), CAUSAL[key.objective], dtype)})
    model.train()
    return {key: loss.metrics for key, loss in processes.reduce_losses(losses).items()}


def selection_loss(metrics: Metrics, languages: Sequence[str]) -> float:
    """Average the validation loss over ``languages``, or over all if there are none, so that each counts alike.

    The best checkpoint is selected by it. The loss of TLM counts only where no text of single languages is validated:
    runs with and without TLM are selected alike.
    """
    monolingual = {key: values for key, values in metrics.items() if len(key.languages) == 1}
    chosen = (monolingual or metrics).items()
    return fmean(values["loss"] for key, values in chosen if not languages or set(languages) & set(key.languages))


def _train(
    model: Transformer, data: PretrainingData, args: PretrainingArgs, folder: Path, processes: DistributedContext
) -> None:
    """Train ``model``, which is on the CPU afterwards; ``folder`` identifies the run by its name."""
    optim, device = args.pretraining.optim, processes.device
    dtype = resolve_dtype(args.compute.precision, device)
    model.to(device).train()
    model.gradient_checkpointing = args.compute.activation_checkpointing
    compile_layers(model.layers, args.compute.compile, device)
    shard = args.compute.zero_stage1 and processes.size > 1
    state = TrainState(model, make_optimizer(model, optim, shard=shard))
    loss = processes.wrap_ddp(LossModule(token_loss, model, precision=dtype))
    n_micro_batches = micro_batches_per_update(args.pretraining)

    def micro_batch(number: int) -> MicroBatch:
        objective, batch = data.train(number)
        if device.type == "cuda":
            batch = batch.pinned()
        n_tokens, seed = int(batch.lengths.sum()), dropout_seed(args.seed, number)
        key, is_causal = ObjectiveKey(objective), CAUSAL[objective]
        return MicroBatch(key, len(batch.predicted), n_tokens, seed, lambda: loss(batch.to(device), is_causal))

    def micro_batches(update: int) -> list[MicroBatch]:
        first = update * n_micro_batches
        return [micro_batch(first + index) for index in processes.shard_range(n_micro_batches)]

    with prefetch(micro_batches, optim.max_updates, **PREFETCH.get(device.type, {})) as prefetched:
        train(
            state,
            prefetched,
            lambda: validate(model, data.validation, dtype, processes),
            TrainingRun.from_settings(args.pretraining, args.checkpoint_minutes, folder, processes),
            criterion=lambda metrics: selection_loss(metrics, args.pretraining.selection_languages),
            baselines=data.baselines,
        )
    model.cpu().eval()
