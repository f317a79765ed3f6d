"""Training a translator: denoising, back-translation and translations by people (paper, sections 4.2 and 4.3)."""

import logging
import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from xlm_core import digests
from xlm_core.config import Compute, ModelConfig, TranslationTraining, plain
from xlm_core.errors import CheckpointError
from xlm_core.files import atomic
from xlm_core.languages import language_ids
from xlm_core.model import weights
from xlm_core.model.transformer import Transformer
from xlm_core.model.translator import Translator
from xlm_core.objectives import TranslationLoss, precision_of
from xlm_core.tasks.exams import Exam, bleu_missing, examine, exams_of
from xlm_core.tasks.lessons import Lessons, Step, lessons_of, parts_of
from xlm_core.tasks.sources import Corpora, Stores
from xlm_core.text.vocabulary import Vocabulary
from xlm_core.train.ahead import Ahead
from xlm_core.train.distributed import Processes
from xlm_core.train.log import LOG_NAME
from xlm_core.train.loop import Rhythm, train
from xlm_core.train.optimizer import make_optimizer
from xlm_core.train.state import TrainState, resume

LOG = logging.getLogger(__name__)


def train_translator(
    *,
    monolingual: Stores,
    parallel: Stores,
    parallel_valid: Stores,
    vocabulary: Path,
    languages: Sequence[str],
    steps: Sequence[Step],
    encoder: Path | None,
    decoder: Path | None,
    model: ModelConfig,
    settings: TranslationTraining,
    compute: Compute,
    save_minutes: float,
    n_threads: int,
    seed: int,
    code: str,
    output: Path,
    history: Path,
    work: Path,
) -> None:
    """Train a translator and save the one with the best validation BLEU; every process of the training runs this.

    A killed training goes on where it was, as pretraining does.

    Args:
        monolingual: language -> stores, for ae and bt.
        parallel: pair -> stores, for mt.
        parallel_valid: pair -> stores, of the pairs that are translated.
        languages: all those of the model.
        steps: what it learns.
        encoder, decoder: pretrained models to begin with; None: random weights.
        n_threads: of each process.
        code: digest of the code.
        output: the translator.
        history: the log as JSON lines.

    Raises:
        ConfigError: sizes do not fit together.
        CorpusError: the text of a language or a pair is empty.
        StoreError, CheckpointError, TrainingError: as in ``pretrain``; or a pretrained model does not fit.
    """
    torch.set_num_threads(n_threads)
    processes, words, ids = Processes(), Vocabulary.read(vocabulary), language_ids(languages)
    translator, begun = _initialized(model, words, languages, encoder, decoder, seed)
    training = Corpora.open(monolingual, parallel, words.digest)
    validation = Corpora.open({}, parallel_valid, words.digest)
    lessons = lessons_of(training, steps, ids, words, model, settings, seed)
    exams = exams_of(validation, steps, ids, words, model, settings)
    about = _about(model, settings, words, languages, steps, seed)
    about["data"] = digests.of_value([words.digest, training.digests, validation.digests, begun])
    about["precision"] = str(precision_of(compute.precision, processes.device)).removeprefix("torch.")
    folder = work / digests.of_value([about, code])
    _train(translator, lessons, exams, settings, compute, save_minutes, folder, processes)
    if processes.is_first:
        weights.save_translator(output, translator, about)
        with atomic(history) as partial_path:
            shutil.copyfile(folder / LOG_NAME, partial_path)


def _about(
    model: ModelConfig,
    settings: TranslationTraining,
    words: Vocabulary,
    languages: Sequence[str],
    steps: Sequence[Step],
    seed: int,
) -> dict[str, Any]:
    """What the translator's file says about it, as that of a pretrained model does."""
    shown = {"languages": sorted(languages), "objectives": [str(step) for step in steps]}
    settings_digest = digests.of_value({**shown, "model": plain(model), "training": plain(settings)})
    return {**shown, "seed": seed, "vocabulary": words.digest, "config": settings_digest}


def _initialized(
    config: ModelConfig,
    words: Vocabulary,
    languages: Sequence[str],
    encoder: Path | None,
    decoder: Path | None,
    seed: int,
) -> tuple[Translator, list[dict[str, Any] | None]]:
    """A translator whose halves begin with pretrained weights where there are any, and what is said about these.

    The log says what stays random: all of a half that begins with nothing, and in a decoder how it reads the source.

    Raises:
        CheckpointError: a pretrained model has another vocabulary or another shape.
    """
    torch.manual_seed(seed)
    translator = Translator(*(Transformer(config, len(words), len(languages), reads) for reads in (False, True)))
    begun: list[dict[str, Any] | None] = []
    for name, half, path in (("encoder", translator.encoder, encoder), ("decoder", translator.decoder, decoder)):
        if path is None:
            LOG.info("%s: all weights are random", name)
            begun.append(None)
        else:
            begun.append(_take(half, path, words, name))
    return translator, begun


def _take(half: Transformer, path: Path, words: Vocabulary, name: str) -> dict[str, Any]:
    """Put the weights of a pretrained model into ``half``; returns what is said about it."""
    pretrained, about = weights.load(path)
    if about["vocabulary"] != words.digest:
        raise CheckpointError(
            f"{path} has vocabulary {about['vocabulary']}, expected {words.digest}; pretrain it again"
        )
    try:
        missing = half.load_state_dict(pretrained.state_dict(), strict=False).missing_keys
    except RuntimeError as error:
        raise CheckpointError(f"{path} is of another shape than the section 'model' says ({error})") from error
    LOG.info("%s: begins with %s; random are %s", name, path, ", ".join(missing) or "none")
    return about


def _train(
    translator: Translator,
    lessons: Lessons,
    exams: Mapping[tuple[str, str], Exam],
    settings: TranslationTraining,
    compute: Compute,
    save_minutes: float,
    folder: Path,
    processes: Processes,
) -> None:
    """Train ``translator``; afterwards it is the best of all evaluations, on the CPU."""
    translator.to(processes.device).train()
    shard = compute.shard_optimizer and processes.size > 1
    state = TrainState(translator, make_optimizer(translator, settings.optim, shard=shard))
    resume(folder, state, folder.name, processes)
    precision = precision_of(compute.precision, processes.device)
    loss = processes.replicate(TranslationLoss(translator, precision, settings.smoothing))
    with Ahead(parts_of(lessons, translator, loss, processes), settings.optim.max_updates) as parts_ahead:
        train(
            state,
            parts_ahead,
            partial(examine, translator, exams, lessons.words, settings),
            optim=settings.optim,
            rhythm=Rhythm.of(settings, save_minutes),
            folder=folder,
            digest=folder.name,
            processes=processes,
            criterion=bleu_missing,
            keep_best=True,
        )
    translator.cpu().eval()
