"""Training a translator: denoising, back-translation and translations by people (paper, sections 4.2 and 4.3)."""

import logging
import shutil
from collections.abc import Mapping, Sequence
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
from xlm_core.tasks.translation.data import TranslationBatches, parts_of, training_objectives
from xlm_core.tasks.translation.validation import ValidationSet, bleu_missing, examine, exams_of
from xlm_core.text.vocabulary import Vocabulary
from xlm_core.train.distributed import DistributedContext
from xlm_core.train.log import LOG_NAME
from xlm_core.train.loop import Intervals, TrainingRun, train
from xlm_core.train.optimizer import make_optimizer
from xlm_core.train.prefetch import Prefetcher
from xlm_core.train.state import TrainState, resume

LOG = logging.getLogger(__name__)

Begun = list[dict[str, Any] | None]  # what is said about the models that encoder and decoder begin with


def train_translator(
    *,
    monolingual: Stores,
    parallel: Stores,
    valid: Mapping[str, Path],
    vocabulary: Path,
    languages: Sequence[str],
    text: Mapping[str, Any],
    objectives: Sequence[TranslationObjective],
    encoder: Path | None,
    decoder: Path | None,
    model: ModelConfig,
    settings: TranslationTraining,
    compute: Compute,
    checkpoint_minutes: float,
    n_threads: int,
    seed: int,
    code: str,
    output: Path,
    kept_vocabulary: Path,
    history: Path,
    work: Path,
) -> None:
    """Train a translator and save the one with the best validation BLEU; every process of the training runs this.

    A killed one goes on where it was, as in ``pretrain``.

    Args:
        monolingual: language -> stores, for ae and bt.
        parallel: pair -> stores, for mt.
        valid: pair -> records of tokenized sentences and their translations, of the pairs that are translated.
        languages: all those of the model.
        text: how sentences are to be prepared for it, for whoever uses it.
        objectives: what it learns.
        encoder, decoder: pretrained models to begin with; None: random weights.
        output: the translator, and beside it for whoever takes it elsewhere ``kept_vocabulary``, a copy.
        history: the log as JSON lines.

    Raises:
        ConfigError, CorpusError: sizes do not fit together, or a text is empty.
        StoreError, CheckpointError, TrainingError: as in ``pretrain``; or a pretrained model does not fit.
    """
    torch.set_num_threads(n_threads)
    processes, words, ids = DistributedContext(), Vocabulary.read(vocabulary), language_ids(languages)
    model = _with_dropout(model, settings.dropout)
    is_tied = settings.tie_encoder_decoder_embeddings
    translator, begun = _initialized(model, words, languages, encoder, decoder, is_tied, seed)
    training = TrainingCorpora.open(monolingual, parallel, words.digest)
    lessons = training_objectives(training, objectives, ids, words, model, settings, seed)
    lessons.check_processes(processes.size)
    exams = exams_of(valid, objectives, ids, words, model, settings)
    read = [words.digest, training.digests, {key: digests.of_file(path) for key, path in valid.items()}]
    about = _about(model, settings, words, languages, text, objectives, begun, read, seed)
    about["precision"] = str(resolve_dtype(compute.precision, processes.device)).removeprefix("torch.")
    folder = work / digests.of_value([about, begun, code])
    _train(translator, lessons, exams, settings, compute, checkpoint_minutes, folder, processes)
    if processes.is_main_process:
        checkpoint.save_translator(output, translator, about)
        for kept, copied in ((kept_vocabulary, vocabulary), (history, folder / LOG_NAME)):
            _copy(copied, kept)


def _copy(source: Path, output: Path) -> None:
    with atomic(output) as partial_path:
        shutil.copyfile(source, partial_path)


def _with_dropout(model: ModelConfig, dropout: float | None) -> ModelConfig:
    """The Transformer of a translator: that of its setup, with the dropout of its training where it has one."""
    return model if dropout is None else model.model_copy(update={"dropout": dropout})


def _about(
    model: ModelConfig,
    settings: TranslationTraining,
    words: Vocabulary,
    languages: Sequence[str],
    text: Mapping[str, Any],
    objectives: Sequence[TranslationObjective],
    begun: Begun,
    read: Any,
    seed: int,
) -> dict[str, Any]:
    """What the translator's file says about it, as that of a pretrained model does.

    Its digests of settings and data hold those of the models it ``begun`` with, but not their seeds.
    """
    shown = {
        "languages": sorted(languages),
        "objectives": [to_dict(objective) for objective in objectives],
        "text": dict(text),
    }
    halves = [[half and half[name] for half in begun] for name in ("config", "data")]
    return {
        **shown,
        "seed": seed,
        "vocabulary": words.digest,
        "config": digests.of_value(
            {**shown, "model": to_dict(model), "training": to_dict(settings), "begun": halves[0]}
        ),
        "data": digests.of_value([read, halves[1]]),
    }


def _initialized(
    config: ModelConfig,
    words: Vocabulary,
    languages: Sequence[str],
    encoder: Path | None,
    decoder: Path | None,
    tie_encoder_decoder_embeddings: bool,
    seed: int,
) -> tuple[EncoderDecoder, Begun]:
    """A translator whose halves begin with pretrained weights where there are any, and what is said about these.

    The log says what stays random: all of a half that begins with nothing, and in a decoder how it reads the source.

    Raises:
        CheckpointError: a pretrained model has another vocabulary or another shape.
    """
    torch.manual_seed(seed)
    translator = EncoderDecoder(*(Transformer(config, len(words), len(languages), reads) for reads in (False, True)))
    begun: Begun = []
    for name, half, path in (("encoder", translator.encoder, encoder), ("decoder", translator.decoder, decoder)):
        if path is None:
            LOG.info("%s: all weights are random", name)
            begun.append(None)
        else:
            begun.append(_take(half, path, words, name))
    if tie_encoder_decoder_embeddings:
        LOG.info("decoder: has the vectors of pieces of the encoder")
        translator.decoder.embeddings = translator.encoder.embeddings
    return translator, begun


def _take(half: Transformer, path: Path, words: Vocabulary, name: str) -> dict[str, Any]:
    """Put the weights of a pretrained model into ``half``; returns what is said about it."""
    pretrained, about = checkpoint.load(path)
    if about["vocabulary"] != words.digest:
        raise CheckpointError(
            f"{path} has vocabulary {about['vocabulary']}, expected {words.digest}; pretrain it again"
        )
    taken = pretrained.state_dict()
    if about["objectives"] == ["skipgram"]:  # nothing else of such a model was trained
        taken = {name: tensor for name, tensor in taken.items() if name == "embeddings.weight"}
    try:
        missing = half.load_state_dict(taken, strict=False).missing_keys
    except RuntimeError as error:
        raise CheckpointError(f"{path} is of another shape than the section 'model' says ({error})") from error
    LOG.info("%s: begins with %s; random are %s", name, path, ", ".join(missing) or "none")
    return about


def _train(
    translator: EncoderDecoder,
    lessons: TranslationBatches,
    exams: Mapping[tuple[str, str], ValidationSet],
    settings: TranslationTraining,
    compute: Compute,
    checkpoint_minutes: float,
    folder: Path,
    processes: DistributedContext,
) -> None:
    """Train ``translator``; afterwards it is the best of all evaluations, on the CPU."""
    translator.to(processes.device).train()
    # An encoder predicts no tokens. Several processes wait for the gradient of every weight that may have one.
    translator.encoder.output_bias.requires_grad_(False)
    shard = compute.zero_stage1 and processes.size > 1
    state = TrainState(translator, make_optimizer(translator, settings.optim, shard=shard))
    resume(folder, state, folder.name, processes)
    precision = resolve_dtype(compute.precision, processes.device)
    loss = processes.wrap_ddp(TranslationLoss(translator, precision, settings.label_smoothing))
    with Prefetcher(parts_of(lessons, translator, loss, processes), settings.optim.max_updates) as parts_ahead:
        train(
            state,
            parts_ahead,
            partial(examine, translator, exams, lessons.words, settings),
            TrainingRun(
                settings.optim, Intervals.from_settings(settings, checkpoint_minutes), folder, folder.name, processes
            ),
            criterion=bleu_missing,
            average_last=settings.average_checkpoints,
        )
    translator.cpu().eval()
