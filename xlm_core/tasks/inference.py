"""Inference with trained models: sentence embeddings, mask filling, and translation of raw text.

Shapes: N sentences, B rows of a batch, T tokens of its longest row, D dimensions.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from sacremoses import MosesDetokenizer
from torch import Tensor

from xlm_core.config import DecodingConfig, Text, TranslationObjective
from xlm_core.data.batch import Batch
from xlm_core.data.buckets import N_ENDS
from xlm_core.data.labelled import join_sentences, joined_batch
from xlm_core.errors import ConfigError, CorpusError
from xlm_core.interop import encoders
from xlm_core.languages import language_ids
from xlm_core.model import checkpoint
from xlm_core.model.decoding import BeamHypothesis, generate
from xlm_core.model.device import select_device
from xlm_core.model.transformer import Transformer
from xlm_core.text.tokenize import normalize_letters, tokenize_line
from xlm_core.text.vocabulary import Vocabulary

LOG = logging.getLogger(__name__)
BATCH_TOKENS = 4096  # padding included, that are computed at once
MASK_TEXT = "<mask>"
PLACEHOLDER = "xlmmaskxlm"  # a word that normalization and every tokenizer leave alone, unlike "<mask>"
UNSPACED = ("zh", "th")  # languages that write no blanks between words
DANDA = " ।"  # the full stop of Hindi and its relatives, which Moses does not know

Pooling = Literal["first", "mean", "max"]


def preparation(vocabulary: Vocabulary, path: Path) -> Text:
    """Return how raw text is prepared for a vocabulary.

    Raises:
        CorpusError: its file ``path`` does not say it, because an older version of this program wrote it.
    """
    if vocabulary.text is None:
        raise CorpusError(f"{path} does not say how raw text is prepared for it; make the vocabulary anew")
    return vocabulary.text


class SentenceEncoder:
    """A model in evaluation mode with its vocabulary, on a GPU if there is one, for sentences of one language."""

    def __init__(self, model: Path, vocabulary: Path, language: str, device: str | None = None) -> None:
        """Read a model and its vocabulary.

        The language must be named: XLM learns one embedding per language, and has other states without it.

        Raises:
            CheckpointError: no such model, or it was trained with another vocabulary.
            CorpusError: no such vocabulary.
            ConfigError: the model was not trained on ``language``.
        """
        encoder, metadata = encoders.load(model)
        self.vocabulary = checkpoint.load_vocabulary(vocabulary, model, metadata)
        self.model = encoder.to(select_device(device))
        self.language, self.language_id = language, language_id_of(model, metadata, language)
        self.objectives: list[str] = metadata["objectives"]

    @property
    def is_causal(self) -> bool:
        """Whether the model was trained by CLM alone, and attends to the left only."""
        return self.objectives == ["clm"]

    def batch(self, rows: Sequence[tuple[np.ndarray, int]]) -> Batch:
        """Batch results of ``join_sentences`` on the model's device."""
        batch = joined_batch(rows, np.full((len(rows), 1), self.language_id), self.vocabulary.symbols)
        return batch.to(self.model.device)


def language_id_of(model: Path, metadata: Mapping[str, Any], language: str) -> int:
    """Return the id of a language in the model with these ``metadata``.

    Raises:
        ConfigError: it was not trained on ``language``.
    """
    ids = language_ids(metadata["languages"])
    if language not in ids:
        raise ConfigError(f"language '{language}': {model} was trained on {', '.join(ids)}; name one of them")
    return ids[language]


def encode_fields(
    vocabulary: Vocabulary, language: str, examples: Sequence[Sequence[str]]
) -> list[tuple[np.ndarray, ...]]:
    """Encode prepared examples of one sentence or two each."""
    columns = [vocabulary.encode(column, language) for column in zip(*examples, strict=True)]
    return [tuple(np.array(ids, dtype=np.int64) for ids in fields) for fields in zip(*columns, strict=True)]


def length_batches(lengths: Sequence[int], batch_tokens: int) -> Iterator[list[int]]:
    """Yield indices of rows of similar length, as many as have ``batch_tokens`` with ends and padding, at least one."""
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda index: lengths[index]):
        if batch and (len(batch) + 1) * (lengths[index] + N_ENDS) > batch_tokens:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def max_pieces(model: Transformer) -> int:
    """Return the pieces of a sentence that a model has positions for, end symbols left out."""
    return model.config.max_positions - N_ENDS


def truncate(encoded: Sequence[list[int]], model: Transformer) -> list[list[int]]:
    """Truncate sentences to the positions of a model, and log how many lose their ends."""
    limit = max_pieces(model)
    if n_truncated := sum(len(ids) > limit for ids in encoded):
        LOG.warning("%d sentences have more than %d pieces and lost their ends.", n_truncated, limit)
    return [ids[:limit] for ids in encoded]


@torch.inference_mode()
def embed(
    encoder: SentenceEncoder,
    examples: Sequence[Sequence[str]],
    pooling: Pooling,
    layer: int | None = None,
    batch_tokens: int = BATCH_TOKENS,
) -> Tensor:
    """Embed prepared sentences, or pairs of them: vectors (N, D) in their order, float32 on the CPU.

    XLM is not trained to embed sentences: before fine-tuning, the cosine of two vectors says little about whether
    sentences mean the same. Means over tokens serve better than the first state, which only fine-tuning trains.

    Sentences of similar length share a batch, without dropout; which ones changes only the last bits of a vector.

    Args:
        examples: (N,) of one sentence or two each.
        pooling: over the states of ``</s> a </s>``, or of a pair: "first" is what fine-tuning reads (section 5.1),
            "mean" and "max" are over all of them, special symbols included.
        layer: whose states, 0: the embeddings; None: the last.
        batch_tokens: padding included, that are computed at once.

    Raises:
        CorpusError: there is no sentence.
        ConfigError: there is no such layer; or the first state is asked of a causal model, where it attends to nothing.
    """
    if not examples:
        raise CorpusError("no sentences to embed; give one per line")
    if layer is not None and layer > (n_layers := encoder.model.config.n_layers):
        raise ConfigError(f"layer {layer}: the model has {n_layers}; 0 is the embeddings")
    if pooling == "first" and encoder.is_causal:
        raise ConfigError("pooling 'first': in a model trained by CLM it is the same for all sentences; take 'mean'")
    encoded = encode_fields(encoder.vocabulary, encoder.language, examples)
    limit, symbols = encoder.model.config.max_positions, encoder.vocabulary.symbols
    n_special = N_ENDS if len(encoded[0]) == 1 else symbols.n_pair
    if n_truncated := sum(sum(map(len, fields)) + n_special > limit for fields in encoded):
        LOG.warning("%d sentences have more than %d pieces and lost their ends.", n_truncated, limit - n_special)
    rows = [join_sentences(fields, limit, symbols) for fields in encoded]
    vectors = torch.empty(len(rows), encoder.model.config.dim)
    for indices in length_batches([len(row) for row, _ in rows], batch_tokens):
        batch = encoder.batch([rows[index] for index in indices])
        states = encoder.model.states(batch, encoder.is_causal)
        hidden = next(islice(states, encoder.model.config.n_layers if layer is None else layer, None))
        vectors[indices] = pool(hidden, batch.lengths, pooling).float().cpu()
    return vectors


def pool(hidden: Tensor, lengths: Tensor, pooling: Pooling) -> Tensor:
    """Pool the states (B, T, D) of each row into one vector (B, D), without padding beyond its ``lengths`` (B,)."""
    if pooling == "first":
        return hidden[:, 0]
    padding = (torch.arange(hidden.shape[1], device=hidden.device) >= lengths[:, None])[:, :, None]  # (B, T, 1)
    if pooling == "mean":
        return hidden.masked_fill(padding, 0.0).sum(dim=1) / lengths[:, None]
    return hidden.masked_fill(padding, -torch.inf).amax(dim=1)


@torch.inference_mode()
def fill_mask(
    encoder: SentenceEncoder, text: str, n_best: int, tokenize: Callable[[str], str]
) -> list[list[tuple[str, float]]]:
    """Return the ``n_best`` pieces at each ``<mask>`` of ``text``, the likeliest first, with their probabilities.

    A mask is one piece, which may be less than a word (section 3.2). Several masks are filled independently. Special
    symbols are never proposed; the probabilities are over the whole vocabulary nevertheless.

    Args:
        text: one sentence with one or more masks.
        n_best: at least 1.
        tokenize: raw sentence -> tokens separated by blanks.

    Raises:
        ConfigError: the model was never trained on masks, or is an encoder of transformers.
        CorpusError: there is no mask, tokenization lost one, or there are too many pieces.
    """
    if not isinstance(encoder.model, Transformer):
        raise ConfigError("this is an encoder of transformers, whose output layer is not in its file; fill masks there")
    if not {"mlm", "tlm"} & set(encoder.objectives):
        trained = ", ".join(encoder.objectives) or "nothing"
        raise ConfigError(f"this model was trained by {trained} and never saw a mask; give one trained by MLM or TLM")
    ids, symbols = encode_masked(encoder, text, tokenize), encoder.vocabulary.symbols
    if len(ids) > (limit := max_pieces(encoder.model)):
        raise CorpusError(f"the text has {len(ids)} pieces; the model has room for {limit}: shorten it")
    positions = [position for position, id_ in enumerate(ids, start=1) if id_ == symbols.mask]  # 0: </s>
    row = join_sentences([np.array(ids, dtype=np.int64)], encoder.model.config.max_positions, symbols)
    scores = encoder.model.predict(encoder.model(encoder.batch([row]))[0, positions])
    probabilities = scores.float().softmax(dim=-1)
    probabilities[:, symbols.special] = 0
    best = probabilities.topk(min(n_best, len(encoder.vocabulary) - len(symbols.special)))
    pieces = encoder.vocabulary.pieces
    return [
        [(pieces[id_], value) for id_, value in zip(row, values, strict=True)]
        for row, values in zip(best.indices.tolist(), best.values.tolist(), strict=True)
    ]


def encode_masked(encoder: SentenceEncoder, text: str, tokenize: Callable[[str], str]) -> list[int]:
    """Tokenize and encode ``text``, each of its masks as one id.

    Raises:
        CorpusError: there is no mask, or tokenization changed their number.
    """
    n_masks = text.count(MASK_TEXT)
    if not n_masks or PLACEHOLDER in text:
        raise CorpusError(
            f"{text!r}: expected a text with {MASK_TEXT} (and without {PLACEHOLDER!r}); write it where a piece is "
            "missing"
        )
    if (ids := encoder.vocabulary.encode_masked(tokenize(text), MASK_TEXT, encoder.language)) is not None:
        return ids
    tokens = tokenize(text.replace(MASK_TEXT, f" {PLACEHOLDER} ")).split(" ")
    masks = [index for index, token in enumerate(tokens) if token == PLACEHOLDER]
    if len(masks) != n_masks:
        raise CorpusError(f"{text!r}: a mask was joined to the word beside it; put blanks around it, or give tokens")
    between = [" ".join(tokens[a + 1 : b]) for a, b in zip([-1, *masks], [*masks, len(tokens)], strict=True)]
    first, *others = encoder.vocabulary.encode(between, encoder.language)
    return first + [id_ for ids in others for id_ in (encoder.vocabulary.symbols.mask, *ids)]


class Translation(NamedTuple):
    """One translation: as tokens separated by blanks, as detokenized text, and its score (None from greedy search)."""

    tokens: str
    text: str
    score: float | None


class TranslationPipeline:
    """A translator in evaluation mode, its vocabulary, and the preparation of its training text.

    It computes on a GPU if there is one. Test sets are scored with the same pipeline.
    """

    def __init__(self, model: Path, vocabulary: Path, device: str | None = None) -> None:
        """Read the files of a translator and of its vocabulary.

        Raises:
            CheckpointError: no such model, a language model alone, or one with another vocabulary.
            CorpusError: no such vocabulary.
        """
        translator, self.metadata = checkpoint.load_translator(model)
        self.translator = translator.to(select_device(device))
        self.vocabulary = checkpoint.load_vocabulary(vocabulary, model, self.metadata)
        self.language_ids = language_ids(self.metadata["languages"])
        self.text = preparation(self.vocabulary, vocabulary)
        objectives = map(TranslationObjective.model_validate, self.metadata["objectives"])
        trained = ((objective.source, objective.target) for objective in objectives if objective.kind != "ae")
        self.directions = list(dict.fromkeys(trained))

    def translate(
        self, sentences: Sequence[str], source: str, target: str, decoding: DecodingConfig, micro_batch_tokens: int
    ) -> list[list[Translation]]:
        """Translate raw sentences: the ``decoding.n_best`` best of each; of one without any words, an empty one.

        A sentence of more pieces than the model has positions loses its end, which is logged.

        Raises:
            ConfigError: the translator was not trained in this direction.
        """
        self.check_direction(source, target)
        tokenized = [tokenize_line(sentence, source, self.text) for sentence in sentences]
        encoded = truncate(self.vocabulary.encode(tokenized, source), self.translator.encoder)
        languages = (self.language_ids[source], self.language_ids[target])
        nonempty = [ids for ids in encoded if ids]
        hypotheses = iter(generate(self.translator, nonempty, languages, decoding, micro_batch_tokens))
        empty = Translation("", "", None)
        return [
            [self._decode(hypothesis, target) for hypothesis in next(hypotheses)] if ids else [empty] for ids in encoded
        ]

    def check_direction(self, source: str, target: str) -> None:
        """Raise ``ConfigError`` for a direction that the translator was not trained in."""
        if (source, target) not in self.directions:
            trained = ", ".join("-".join(direction) for direction in self.directions)
            raise ConfigError(f"from '{source}' to '{target}': the model was trained for {trained}; name one of these")

    def reference(self, sentence: str, target: str) -> tuple[str, str]:
        """Prepare a human translation for scoring: as tokens, and as text with its letters normalized."""
        return tokenize_line(sentence, target, self.text), normalize_letters(sentence, target, self.text.romanian)

    def _decode(self, hypothesis: BeamHypothesis, target: str) -> Translation:
        tokens = self.vocabulary.decode(hypothesis.tokens, target)
        return Translation(tokens, detokenize(tokens, target), hypothesis.score)


def detokenize(tokens: str, language: str) -> str:
    """Join tokens, which are separated by blanks, as the language is written."""
    if language in UNSPACED:
        return tokens.replace(" ", "")
    text: str = MosesDetokenizer(language).detokenize(tokens.split(), unescape=False)
    return text.replace(DANDA, DANDA.strip())
