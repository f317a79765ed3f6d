"""Classes of one's own sentences and pairs, by a fine-tuned classifier."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from xlm_core.data.labelled import join_sentences, joined_batch
from xlm_core.errors import CheckpointError
from xlm_core.interop import encoders
from xlm_core.model import checkpoint
from xlm_core.model.device import select_device
from xlm_core.tasks.inference import BATCH_TOKENS, encode_fields, language_id_of, length_batches


class Prediction(NamedTuple):
    """What a classifier says of an example.

    label          name of the likeliest class; of a regression its score, as text
    probabilities  name of each class -> its probability; of a regression empty
    """

    label: str
    probabilities: dict[str, float]


class ClassificationPipeline:
    """A fine-tuned classifier in evaluation mode, its vocabulary and the names of its classes."""

    def __init__(self, model: Path, vocabulary: Path, language: str, device: str | None = None) -> None:
        """Read the files.

        Raises:
            CheckpointError: no such model, or one without a classification head or the names of its classes.
            CorpusError: no such vocabulary.
            ConfigError: the model was not trained on ``language``.
        """
        classifier, metadata = encoders.load_classifier(model)
        self.vocabulary = checkpoint.load_vocabulary(vocabulary, model, metadata)
        self.labels: list[str] = metadata.get("labels") or []
        if len(self.labels) != classifier.head.classes.out_features and classifier.head.classes.out_features > 1:
            raise CheckpointError(f"{model} does not name its classes; expected 'labels' in it: fine-tune it again")
        self.classifier = classifier.to(select_device(device))
        self.language, self.language_id = language, language_id_of(model, metadata, language)
        self.max_tokens: int = metadata["max_tokens"]

    @torch.inference_mode()
    def classify(self, examples: Sequence[Sequence[str]], batch_tokens: int = BATCH_TOKENS) -> list[Prediction]:
        """Classify examples: prepared sentences, or pairs of them.

        An example of more tokens than in fine-tuning is truncated as there.
        """
        encoded = encode_fields(self.vocabulary, self.language, examples)
        rows = [join_sentences(ids, self.max_tokens, self.vocabulary.symbols) for ids in encoded]
        predictions: list[Prediction | None] = [None] * len(rows)
        device = self.classifier.head.classes.weight.device
        for indices in length_batches([len(row) for row, _ in rows], batch_tokens):
            languages = torch.full((len(indices), 1), self.language_id).numpy()
            batch = joined_batch([rows[index] for index in indices], languages, self.vocabulary.symbols)
            scores = self.classifier(batch.to(device)).float().cpu()
            for index, row in zip(indices, scores, strict=True):
                predictions[index] = self._prediction(row)
        return [prediction for prediction in predictions if prediction is not None]

    def _prediction(self, scores: torch.Tensor) -> Prediction:
        if len(scores) == 1:
            return Prediction(f"{float(scores[0]):.4f}", {})
        probabilities = dict(zip(self.labels, scores.softmax(dim=-1).tolist(), strict=True))
        return Prediction(self.labels[int(scores.argmax())], probabilities)
