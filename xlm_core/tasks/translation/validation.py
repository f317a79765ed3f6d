"""Validation of a translator while it is trained: loss and BLEU."""

import logging
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from xlm_core import tsv
from xlm_core.config import ModelConfig, TranslationObjective, TranslationTraining
from xlm_core.data.batch import PackedSequences
from xlm_core.errors import ConfigError
from xlm_core.history import Metrics, ObjectiveKey
from xlm_core.languages import pair, sides
from xlm_core.metrics.bleu import tokenized_bleu
from xlm_core.metrics.loss import LossSum
from xlm_core.model.encoder_decoder import EncoderDecoder
from xlm_core.objectives import TranslationBatch, translation_batch, translation_loss
from xlm_core.tasks.translation.generate import N_ENDS, generate
from xlm_core.text.vocabulary import Vocabulary

LOG = logging.getLogger(__name__)
BATCH = 32  # sentences whose loss is computed at once


@dataclass(frozen=True)
class ValidationSet:
    """Validation sentences of one direction.

    source      ids of each sentence
    languages   ids of both languages
    references  tokenized text of their translations
    batches     for the loss
    """

    source: Sequence[Sequence[int]]
    languages: tuple[int, int]
    references: Sequence[str]
    batches: Sequence[TranslationBatch]


def open_validation_sets(
    validation: Mapping[str, Path],
    objectives: Sequence[TranslationObjective],
    ids: Mapping[str, int],
    vocab: Vocabulary,
    model: ModelConfig,
    settings: TranslationTraining,
) -> dict[tuple[str, str], ValidationSet]:
    """Read the validation set of each direction, source and target, of ``objectives``.

    Args:
        validation: pair -> records of tokenized sentences and their translations.

    Raises:
        ConfigError: there is no validation set for a direction.
    """
    directions = dict.fromkeys(
        (objective.source, objective.target) for objective in objectives if objective.kind != "ae"
    )
    for direction in directions:
        if pair(*direction) not in validation:
            raise ConfigError(
                f"no validation set for {'-'.join(direction)}, only for {', '.join(validation)}; name one"
            )
    return {direction: _validation_set(direction, validation, ids, vocab, model, settings) for direction in directions}


def _validation_set(
    direction: tuple[str, str],
    validation: Mapping[str, Path],
    ids: Mapping[str, int],
    vocab: Vocabulary,
    model: ModelConfig,
    settings: TranslationTraining,
) -> ValidationSet:
    """Read the first sentences of a validation set, in one direction; those too long for training are cut."""
    key = pair(*direction)
    rows = list(tsv.read(validation[key], len(sides(key))))
    columns = [sides(key).index(language) for language in direction]
    source, references = ([row[column] for row in rows[: settings.max_valid_sentences]] for column in columns)
    max_tokens = min(settings.max_tokens, model.max_positions) - N_ENDS
    sentences, translations = (
        [encoded[:max_tokens] for encoded in vocab.encode(texts, language)]
        for texts, language in zip((source, references), direction, strict=True)
    )
    n_cut = sum(len(encoded) == max_tokens for encoded in sentences)
    LOG.info("validation of %s-%s uses %d of %d pairs, %d at most cut", *direction, len(source), len(rows), n_cut)
    languages = (ids[direction[0]], ids[direction[1]])
    batches = [
        translation_batch(
            PackedSequences.from_lists(sentences[start:end]),
            PackedSequences.from_lists(translations[start:end]),
            languages,
        )
        for start, end in _slices(len(sentences), BATCH)
    ]
    return ValidationSet(sentences, languages, references, batches)


def _slices(n: int, size: int) -> list[tuple[int, int]]:
    """Borders of at most ``size`` things in a row, out of ``n``."""
    return [(start, min(start + size, n)) for start in range(0, n, size)]


def validate(
    translator: EncoderDecoder,
    validation_sets: Mapping[tuple[str, str], ValidationSet],
    vocab: Vocabulary,
    settings: TranslationTraining,
) -> Metrics:
    """Compute loss and tokenized BLEU of every direction."""
    was_training = translator.training
    translator.eval()
    device = translator.decoder.output_bias.device
    metrics: dict[ObjectiveKey, dict[str, float]] = {}
    for (source, target), sentences in validation_sets.items():
        translations = generate(
            translator, sentences.source, sentences.languages, settings.decoding, settings.micro_batch_tokens
        )
        with torch.inference_mode():
            losses = [translation_loss(translator, batch.to(device)) for batch in sentences.batches]
        hypotheses = [vocab.decode(best.tokens, target) for (best,) in translations]
        loss, bleu = sum(losses, LossSum.zero(device)), tokenized_bleu(hypotheses, sentences.references)
        metrics[ObjectiveKey("mt", (source, target))] = {**loss.metrics, "bleu": bleu.value}
    translator.train(was_training)
    return metrics


def bleu_criterion(metrics: Metrics) -> float:
    """Compute the criterion of the best evaluation: 100 - mean BLEU of all directions; lower is better."""
    return 100 - statistics.fmean(values["bleu"] for values in metrics.values())
