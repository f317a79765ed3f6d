"""Begin a model with the weights of another one, whose languages and pieces may differ.

| rows | that both models have | new ones |
|---|---|---|
| embeddings and output bias | copied | the mean of their parts; drawn where they have none |
| language embeddings | copied | the mean of all |

Pieces are the same if their strings are, special symbols if their names or their roles are. The parts of a piece are
what the other vocabulary cuts its text into (Gee et al. 2022, "Fast vocabulary transfer"). Pieces without known parts
are drawn from a normal distribution, as in Mosin et al. (2021, "Vocabulary transfer"), but of mean and deviation of the
other model's pieces in each dimension, not around zero. A language has no parts. Its row is the mean because vectors
that begin with the mean stay near what the model knows (Hewitt 2021, "Initializing new word embeddings").

A model of one language has no language embeddings: its row counts as zero where others join it, and is added to the
positions where it stays alone.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from xlm_core.config import ModelConfig, Text
from xlm_core.errors import CheckpointError
from xlm_core.text.tokenize import tokenize_line
from xlm_core.text.vocabulary import Vocabulary

LOG = logging.getLogger(__name__)
LANGUAGES, POSITIONS = "language_embeddings.weight", "position_embeddings.weight"
PIECES = ("embeddings.weight", "output_bias")  # weights with a row of each piece
WORD_MARKS = ("▁", "@@", "##", "Ġ")  # of pieces that begin or continue a word: sentencepiece, fastBPE, BERT, RoBERTa
ROLES = ("pad", "unk", "mask", "begin", "end")

Weights = dict[str, Tensor]


def check_shape(actual: ModelConfig, expected: ModelConfig, path: Path) -> None:
    """Refuse a model of another shape than its setup's, which checks and captions depend on.

    Raises:
        CheckpointError: naming the keys of the section ``model`` that differ.
    """
    theirs, ours = actual.shape, expected.shape
    if wrong := [key for key in theirs if theirs[key] != ours[key]]:
        listed = [", ".join(f"{key}: {values[key]}" for key in wrong) for values in (theirs, ours)]
        raise CheckpointError(
            f"{path}: found a model of {listed[0]}; expected {listed[1]}, as the section 'model' of its setup says; "
            f"write there what was found, or give the run another setup"
        )


def transfer_languages(
    weights: Weights, known: Sequence[str], languages: Sequence[str], *, has_embeddings: bool
) -> Weights:
    """Return weights for a model of other languages.

    Args:
        weights: of a model.
        known: its languages, in the order of their rows; none where it does not tell them apart.
        languages: of the new model, in the order of their rows.
        has_embeddings: the new model has language embeddings.
    """
    table = weights.get(LANGUAGES)
    if table is None:
        zeros = torch.zeros(len(languages), weights[POSITIONS].shape[1])
        return weights | ({LANGUAGES: zeros} if has_embeddings else {})
    others = {name: tensor for name, tensor in weights.items() if name != LANGUAGES}
    rows = [table[known.index(code)] if code in known else table.mean(dim=0) for code in languages]
    if has_embeddings:
        return others | {LANGUAGES: torch.stack(rows)}
    return others | {POSITIONS: weights[POSITIONS] + rows[0]}


def transfer_pieces(weights: Weights, old: Vocabulary, new: Vocabulary, seed: int) -> Weights:
    """Return weights for a model of another vocabulary.

    Args:
        weights: of a model of the vocabulary ``old``.
        seed: of the rows that are drawn.

    Raises:
        CheckpointError: the languages of a vocabulary have separate pieces, so that equal strings are different ones.
    """
    if old.pieces == new.pieces and old.symbols == new.symbols:
        return weights
    if len(old.models) != 1 or len(new.models) != 1:
        raise CheckpointError(
            "a vocabulary of separate pieces of each language cannot be exchanged; expected the same vocabulary, or "
            "two that all of their languages share (vocabulary.shared)"
        )
    sources = _sources(old, new)
    sizes = torch.tensor([len(ids) for ids in sources])
    indices = torch.tensor([id_ for ids in sources for id_ in ids], dtype=torch.int64)
    message = "of %d pieces %d are copied, %d the mean of several, %d drawn"
    LOG.info(message, len(new), *((sizes == 1).sum(), (sizes > 1).sum(), (sizes == 0).sum()))
    generator, text = torch.Generator().manual_seed(seed), torch.ones(len(old), dtype=torch.bool)
    text[old.symbols.special] = False
    result = dict(weights)
    for name in PIECES:
        table = weights[name].reshape(len(old), -1)
        rows = embedding_bag(indices, table, sizes.cumsum(0) - sizes, mode="mean")
        deviation, mean = torch.std_mean(table[text], dim=0)
        drawn = torch.randn(len(new), table.shape[1], generator=generator) * deviation + mean
        result[name] = torch.where(sizes[:, None] > 0, rows, drawn).reshape(len(new), *weights[name].shape[1:])
    return result


def _sources(old: Vocabulary, new: Vocabulary) -> list[list[int]]:
    """Return the ids of the old pieces whose mean each new piece begins with; none where it is drawn."""
    ids = {piece: id_ for id_, piece in enumerate(old.pieces)}
    special = set(old.symbols.special)
    roles = {getattr(new.symbols, role): getattr(old.symbols, role) for role in reversed(ROLES)}  # the first one counts
    is_alike = _word_mark(old) == _word_mark(new)
    sources: list[list[int]] = []
    for id_, piece in enumerate(new.pieces):
        same = ids.get(piece)
        if id_ in new.symbols.special:
            role = same if same in special else roles.get(id_)
            sources.append([] if role is None else [role])
        else:
            sources.append([same] if is_alike and same is not None and same not in special else [])
    rest = [id_ for id_, found in enumerate(sources) if not found and id_ not in new.symbols.special]
    for id_, cut in zip(rest, _cut(old, new, rest), strict=True):
        sources[id_] = [part for part in cut if part not in special]
    return sources


def _cut(old: Vocabulary, new: Vocabulary, ids: Sequence[int]) -> list[list[int]]:
    """Return the old ids of the text of each of some new pieces, prepared as the old vocabulary's."""
    reader, writer = next(iter(old.model_of)), next(iter(new.model_of))
    preparation = old.text or Text(tokenization="none")
    texts = (new.decode([id_], writer).removeprefix("##") for id_ in ids)
    prepared = [tokenize_line(text, reader, preparation, already_tokenized=True) for text in texts]
    return old.encode(prepared, reader)


def _word_mark(vocabulary: Vocabulary) -> str:
    """Return the mark by which most pieces say whether they begin or continue a word."""
    return max(WORD_MARKS, key=lambda mark: sum(mark in piece for piece in vocabulary.pieces))
