"""Training a translator: denoising, back-translation and translations by people (paper, sections 4.2 and 4.3)."""

import logging
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from xlm_core import digests
from xlm_core.config import Compute, TranslationTraining, to_dict
from xlm_core.errors import CheckpointError
from xlm_core.history import Metrics, ObjectiveKey
from xlm_core.io import copy_file
from xlm_core.metrics.bleu import tokenized_bleu
from xlm_core.metrics.loss import LossSum
from xlm_core.model import checkpoint
from xlm_core.model.decoding import generate
from xlm_core.model.device import compile_layers, resolve_dtype
from xlm_core.model.encoder_decoder import EncoderDecoder
from xlm_core.model.transformer import Transformer
from xlm_core.tasks.pretraining.data import Stores, TrainingCorpora
from xlm_core.tasks.translation.data import TranslationBatches, TranslatorSettings, ValidationSet, micro_batches_of
from xlm_core.text.vocabulary import Vocabulary
from xlm_core.train.distributed import DistributedContext
from xlm_core.train.log import LOG_NAME
from xlm_core.train.loop import TrainingRun, prefetch, train
from xlm_core.train.losses import LossModule, freeze_unused_layers, translation_loss
from xlm_core.train.optimization import make_optimizer
from xlm_core.train.state import TrainState, training_folder, without_length

LOG = logging.getLogger(__name__)

InitCheckpoints = list[dict[str, Any] | None]  # metadata of the models that encoder and decoder are initialized from


@dataclass(frozen=True)
class TranslatorInputs:
    """Files that a translator is trained from.

    stores            of each language of ae and bt, and of the pair of mt
    valid             pair -> records of tokenized sentences and their translations
    vocabulary        of the model
    encoder, decoder  pretrained models to initialize from; None: random weights
    """

    stores: Stores
    valid: Mapping[str, Path]
    vocabulary: Path
    encoder: Path | None
    decoder: Path | None


def train_translator(
    inputs: TranslatorInputs,
    settings: TranslatorSettings,
    outputs: Mapping[str, Path],
    *,
    work: Path,
    compute: Compute,
    checkpoint_minutes: float,
    n_threads: int,
    code: str,
) -> None:
    """Train a translator and save the one with the best validation BLEU; every process of the training runs this.

    A killed training resumes from its last checkpoint, and a finished one goes on to more updates, as in ``pretrain``.

    Args:
        outputs: "model", "vocabulary" (a copy) and "history", the log as JSON lines.
        work: folder of checkpoints, log and TensorBoard files.

    Raises:
        ConfigError, CorpusError: sizes do not fit together, or a text is empty.
        StoreError, CheckpointError, TrainingError: as in ``pretrain``; or a pretrained model does not fit.
    """
    torch.set_num_threads(n_threads)
    processes, vocab = DistributedContext(), Vocabulary.read(inputs.vocabulary)
    vocab.check_symbols("a translator")
    settings.check_processes(processes.size)
    if settings.training.dropout is not None:
        settings = replace(settings, model=settings.model.model_copy(update={"dropout": settings.training.dropout}))
    translator, init = _initialize(vocab, inputs, settings)
    corpora = TrainingCorpora.open(inputs.stores, vocab.digest)
    batches = TranslationBatches(corpora, vocab, settings)
    directions = dict.fromkeys((each.source, each.target) for each in settings.objectives if each.kind != "ae")
    validation_sets = {to: ValidationSet.open(inputs.valid, to, vocab, settings) for to in directions}
    data = [vocab.digest, corpora.digests, {key: digests.of_file(path) for key, path in inputs.valid.items()}]
    metadata = _metadata(settings, vocab, init, data)
    dtype = resolve_dtype(compute.precision, processes.device)
    metadata["precision"] = str(dtype).removeprefix("torch.")
    shape, training = to_dict(settings.model), without_length(settings.training)
    digest = digests.of_value([metadata | {"config": None}, shape, training, init, code])
    folder = training_folder(work, digest, settings.training.optim)
    run = TrainingRun.from_settings(settings.training, checkpoint_minutes, folder, processes)
    shard = compute.zero_stage1 and processes.size > 1
    compile_layers([*translator.encoder.layers, *translator.decoder.layers], compute.compile, processes.device)
    evaluate = partial(validate, translator, validation_sets, vocab, settings.training, processes)
    _train(translator, batches, evaluate, dtype, shard, run)
    if processes.is_main_process:
        checkpoint.save_translator(outputs["model"], translator, metadata)
        copy_file(inputs.vocabulary, outputs["vocabulary"])
        copy_file(folder / LOG_NAME, outputs["history"])


def _metadata(settings: TranslatorSettings, vocab: Vocabulary, init: InitCheckpoints, data: Any) -> dict[str, Any]:
    """Make the metadata of the translator's file.

    The digests of settings and data include the digests of the models it is initialized from, but not their seeds.
    """
    trained = {
        "languages": sorted(settings.languages),
        "objectives": [to_dict(objective) for objective in settings.objectives],
    }
    init_config, init_data = ([source and source[key] for source in init] for key in ("config", "data"))
    config = {"model": to_dict(settings.model), "training": to_dict(settings.training), "init": init_config}
    return checkpoint.make_metadata(trained, config, settings.seed, vocab, [data, init_data])


def _initialize(
    vocab: Vocabulary, inputs: TranslatorInputs, settings: TranslatorSettings
) -> tuple[EncoderDecoder, InitCheckpoints]:
    """Make a translator from pretrained weights where there are any, and return their metadata.

    The log names what stays random: all weights without a checkpoint, and the decoder's cross-attention.

    Raises:
        CheckpointError: a pretrained model has another vocabulary or another shape.
    """
    torch.manual_seed(settings.seed)
    sizes = settings.model, len(vocab), len(settings.languages)
    translator = EncoderDecoder(*(Transformer(*sizes, is_decoder) for is_decoder in (False, True)))
    init = [
        _load_pretrained("encoder", translator.encoder, inputs.encoder, vocab),
        _load_pretrained("decoder", translator.decoder, inputs.decoder, vocab),
    ]
    if settings.training.tie_encoder_decoder_embeddings:
        LOG.info("decoder: shares the embeddings of the encoder")
        translator.decoder.embeddings = translator.encoder.embeddings
    freeze_unused_layers(translator.encoder)
    freeze_unused_layers(translator.decoder, predicts=True)
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


def validate(
    translator: EncoderDecoder,
    validation_sets: Mapping[tuple[str, str], ValidationSet],
    vocab: Vocabulary,
    training: TranslationTraining,
    processes: DistributedContext,
) -> Metrics:
    """Compute loss and tokenized BLEU of every direction.

    The processes share the batches. Each batch and each sum is what a single process computes, so all get its metrics.
    """
    translator.eval()
    device = translator.decoder.output_bias.device
    metrics: dict[ObjectiveKey, dict[str, float]] = {}
    for direction, sentences in validation_sets.items():
        source, languages, size = sentences.source, sentences.languages, training.micro_batch_tokens
        translations = generate(translator, source, languages, training.decoding, size, processes.map)
        with torch.inference_mode():
            losses = processes.map(
                lambda batch: translation_loss(translator, batch.to(device)).cpu(), sentences.batches
            )
        hypotheses = [vocab.decode(best.tokens, direction[1]) for (best,) in translations]
        loss, bleu = sum(losses, LossSum.zero()), tokenized_bleu(hypotheses, sentences.references)
        metrics[ObjectiveKey("mt", direction)] = {**loss.metrics, "bleu": bleu.value}
    translator.train()
    return metrics


def bleu_criterion(metrics: Metrics) -> float:
    """Compute the criterion of the best evaluation: 100 - mean BLEU of all directions; lower is better."""
    return 100 - statistics.fmean(values["bleu"] for values in metrics.values())


def _train(
    translator: EncoderDecoder,
    batches: TranslationBatches,
    evaluate: Callable[[], Metrics],
    dtype: torch.dtype,
    shard: bool,
    run: TrainingRun,
) -> None:
    """Train ``translator``; afterwards it is the best of all evaluations, on the CPU."""
    processes, training = run.processes, batches.settings.training
    translator.to(processes.device).train()
    state = TrainState(translator, make_optimizer(translator, training.optim, shard=shard))
    smoothing = training.label_smoothing
    loss = processes.wrap_ddp(LossModule(translation_loss, translator, precision=dtype, smoothing=smoothing))
    with prefetch(micro_batches_of(batches, translator, loss, processes), training.optim.max_updates) as prefetched:
        average_last = training.average_checkpoints
        train(state, prefetched, evaluate, run, criterion=bleu_criterion, average_last=average_last)
    translator.cpu().eval()
