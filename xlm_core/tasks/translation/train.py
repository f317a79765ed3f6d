"""Training a translator: denoising, back-translation and translations by people (paper, sections 4.2 and 4.3)."""

import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from xlm_core import digests
from xlm_core.config import Compute, ModelConfig, TranslationObjective, TranslationTraining, to_dict
from xlm_core.errors import CheckpointError
from xlm_core.io import atomic
from xlm_core.languages import language_ids
from xlm_core.model import checkpoint
from xlm_core.model.encoder_decoder import EncoderDecoder
from xlm_core.model.transformer import Transformer
from xlm_core.objectives import TranslationLoss, resolve_dtype
from xlm_core.tasks.pretraining.data import Stores, TrainingCorpora
from xlm_core.tasks.translation.data import TranslationBatches, micro_batches_of, translation_batches
from xlm_core.tasks.translation.validation import ValidationSet, bleu_criterion, open_validation_sets, validate
from xlm_core.text.vocabulary import Vocabulary
from xlm_core.train.distributed import DistributedContext
from xlm_core.train.log import LOG_NAME
from xlm_core.train.loop import TrainingRun, prefetch, train
from xlm_core.train.optimization import make_optimizer
from xlm_core.train.state import TrainState, resume

LOG = logging.getLogger(__name__)

InitCheckpoints = list[dict[str, Any] | None]  # metadata of the models that encoder and decoder are initialized from


@dataclass(frozen=True)
class TranslatorInputs:
    """Files that a translator is trained from.

    monolingual       language -> stores, for ae and bt
    parallel          pair -> stores, for mt
    valid             pair -> records of tokenized sentences and their translations
    vocabulary        of the model
    encoder, decoder  pretrained models to initialize from; None: random weights
    """

    monolingual: Stores
    parallel: Stores
    valid: Mapping[str, Path]
    vocabulary: Path
    encoder: Path | None
    decoder: Path | None


@dataclass(frozen=True)
class TranslatorSettings:
    """Everything but files that the weights of a translator depend on.

    languages   all those of the model
    text        preparation of sentences that are to be translated
    objectives  of the training
    """

    languages: Sequence[str]
    text: Mapping[str, Any]
    objectives: Sequence[TranslationObjective]
    model: ModelConfig
    training: TranslationTraining
    seed: int


@dataclass(frozen=True)
class TranslatorOutputs:
    """Files of a trained translator: the model, a copy of its vocabulary, its log as JSON lines, and a work folder."""

    model: Path
    vocabulary: Path
    history: Path
    work: Path


def train_translator(
    inputs: TranslatorInputs,
    settings: TranslatorSettings,
    outputs: TranslatorOutputs,
    *,
    compute: Compute,
    checkpoint_minutes: float,
    n_threads: int,
    code: str,
) -> None:
    """Train a translator and save the one with the best validation BLEU; every process of the training runs this.

    A killed training resumes from its last checkpoint, as in ``pretrain``.

    Raises:
        ConfigError, CorpusError: sizes do not fit together, or a text is empty.
        StoreError, CheckpointError, TrainingError: as in ``pretrain``; or a pretrained model does not fit.
    """
    torch.set_num_threads(n_threads)
    processes, vocab, ids = DistributedContext(), Vocabulary.read(inputs.vocabulary), language_ids(settings.languages)
    model, training, objectives = _with_dropout(settings), settings.training, settings.objectives
    translator, init = _initialize(model, vocab, inputs, settings)
    corpora = TrainingCorpora.open(inputs.monolingual, inputs.parallel, vocab.digest)
    batches = translation_batches(corpora, objectives, ids, vocab, model, training, settings.seed)
    batches.check_processes(processes.size)
    validation_sets = open_validation_sets(inputs.valid, objectives, ids, vocab, model, training)
    data = [vocab.digest, corpora.digests, {key: digests.of_file(path) for key, path in inputs.valid.items()}]
    metadata = _metadata(model, settings, vocab, init, data)
    metadata["precision"] = str(resolve_dtype(compute.precision, processes.device)).removeprefix("torch.")
    folder = outputs.work / digests.of_value([metadata, init, code])
    run = TrainingRun.from_settings(training, checkpoint_minutes, folder, processes)
    _train(translator, batches, validation_sets, compute, run)
    if processes.is_main_process:
        checkpoint.save_translator(outputs.model, translator, metadata)
        _copy(inputs.vocabulary, outputs.vocabulary)
        _copy(folder / LOG_NAME, outputs.history)


def _copy(source: Path, output: Path) -> None:
    with atomic(output) as partial_path:
        shutil.copyfile(source, partial_path)


def _with_dropout(settings: TranslatorSettings) -> ModelConfig:
    """Return the model's shape, with the dropout of the training if it has its own."""
    dropout = settings.training.dropout
    return settings.model if dropout is None else settings.model.model_copy(update={"dropout": dropout})


def _metadata(
    model: ModelConfig, settings: TranslatorSettings, vocab: Vocabulary, init: InitCheckpoints, data: Any
) -> dict[str, Any]:
    """Make the metadata of the translator's file, as those of a pretrained model.

    The digests of settings and data include those of the models it is initialized from, but not their seeds.
    """
    shown = {
        "languages": sorted(settings.languages),
        "objectives": [to_dict(objective) for objective in settings.objectives],
        "text": dict(settings.text),
    }
    init_config, init_data = ([source and source[key] for source in init] for key in ("config", "data"))
    config = {**shown, "model": to_dict(model), "training": to_dict(settings.training), "init": init_config}
    return {
        **shown,
        "seed": settings.seed,
        "vocabulary": vocab.digest,
        "config": digests.of_value(config),
        "data": digests.of_value([data, init_data]),
    }


def _initialize(
    model: ModelConfig, vocab: Vocabulary, inputs: TranslatorInputs, settings: TranslatorSettings
) -> tuple[EncoderDecoder, InitCheckpoints]:
    """Make a translator from pretrained weights where there are any, and return their metadata.

    The log names what stays random: all weights without a checkpoint, and the decoder's cross-attention.

    Raises:
        CheckpointError: a pretrained model has another vocabulary or another shape.
    """
    torch.manual_seed(settings.seed)
    n_languages = len(settings.languages)
    translator = EncoderDecoder(
        *(Transformer(model, len(vocab), n_languages, is_decoder) for is_decoder in (False, True))
    )
    init = [
        _load_pretrained("encoder", translator.encoder, inputs.encoder, vocab),
        _load_pretrained("decoder", translator.decoder, inputs.decoder, vocab),
    ]
    if settings.training.tie_encoder_decoder_embeddings:
        LOG.info("decoder: shares the embeddings of the encoder")
        translator.decoder.embeddings = translator.encoder.embeddings
    return translator, init


def _load_pretrained(name: str, module: Transformer, path: Path | None, vocab: Vocabulary) -> dict[str, Any] | None:
    """Load the weights of a pretrained model into ``module`` and return its metadata."""
    if path is None:
        LOG.info("%s: all weights are random", name)
        return None
    pretrained, metadata = checkpoint.load(path)
    if metadata["vocabulary"] != vocab.digest:
        raise CheckpointError(
            f"{path} has vocabulary {metadata['vocabulary']}, expected {vocab.digest}; pretrain it again"
        )
    weights = pretrained.state_dict()
    if metadata["objectives"] == ["skipgram"]:  # nothing else of such a model was trained
        weights = {key: tensor for key, tensor in weights.items() if key == "embeddings.weight"}
    try:
        missing = module.load_state_dict(weights, strict=False).missing_keys
    except RuntimeError as error:
        raise CheckpointError(f"{path} is of another shape than the section 'model' says ({error})") from error
    LOG.info("%s: begins with %s; random are %s", name, path, ", ".join(missing) or "none")
    return metadata


def _train(
    translator: EncoderDecoder,
    batches: TranslationBatches,
    validation_sets: Mapping[tuple[str, str], ValidationSet],
    compute: Compute,
    run: TrainingRun,
) -> None:
    """Train ``translator``; afterwards it is the best of all evaluations, on the CPU."""
    processes, settings = run.processes, batches.settings
    translator.to(processes.device).train()
    # An encoder predicts no tokens. Several processes wait for the gradient of every weight that may have one.
    translator.encoder.output_bias.requires_grad_(False)
    shard = compute.zero_stage1 and processes.size > 1
    state = TrainState(translator, make_optimizer(translator, settings.optim, shard=shard))
    resume(run.folder, state, run.digest, processes)
    precision = resolve_dtype(compute.precision, processes.device)
    loss = processes.wrap_ddp(TranslationLoss(translator, precision, settings.label_smoothing))
    with prefetch(micro_batches_of(batches, translator, loss, processes), settings.optim.max_updates) as prefetched:
        train(
            state,
            prefetched,
            partial(validate, translator, validation_sets, batches.vocab, settings),
            run,
            criterion=bleu_criterion,
            average_last=settings.average_checkpoints,
        )
    translator.cpu().eval()
