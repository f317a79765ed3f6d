"""Mask filling: the likeliest pieces at the masks of a sentence, by a model trained by MLM or TLM (section 3.2)."""

from collections.abc import Callable

import torch

from xlm_core.errors import ConfigError, CorpusError
from xlm_core.tasks.inference.encoder import SentenceEncoder
from xlm_core.text.vocabulary import MASK, N_SPECIAL

MASK_TEXT = "<mask>"
PLACEHOLDER = "xlmmaskxlm"  # a word that normalization and every tokenizer leave alone, unlike "<mask>"


@torch.inference_mode()
def fill(
    encoder: SentenceEncoder, text: str, n_best: int, tokenize: Callable[[str], str]
) -> list[list[tuple[str, float]]]:
    """Return the ``n_best`` pieces at each ``<mask>`` of ``text``, the likeliest first, with their probabilities.

    A mask is one piece, which may be less than a word. Several masks are filled independently. Special symbols are
    never proposed; the probabilities are over the whole vocabulary nevertheless.

    Args:
        text: one sentence with one or more masks.
        n_best: at least 1.
        tokenize: raw sentence -> tokens separated by blanks.

    Raises:
        ConfigError: the model was never trained on masks.
        CorpusError: there is no mask, tokenization lost one, or there are too many pieces.
    """
    if not {"mlm", "tlm"} & set(encoder.objectives):
        trained = ", ".join(encoder.objectives) or "nothing"
        raise ConfigError(f"this model was trained by {trained} and never saw a mask; give one trained by MLM or TLM")
    ids = encode(encoder, text, tokenize)
    if len(ids) > encoder.max_pieces:
        raise CorpusError(f"the text has {len(ids)} pieces; the model has room for {encoder.max_pieces}: shorten it")
    positions = [position for position, id_ in enumerate(ids, start=1) if id_ == MASK]  # </s> has position 0
    scores = encoder.model.predict(encoder.model(encoder.batch([ids]))[0, positions])
    probabilities = scores.float().softmax(dim=-1)
    probabilities[:, :N_SPECIAL] = 0
    best = probabilities.topk(min(n_best, len(encoder.vocabulary) - N_SPECIAL))
    pieces = encoder.vocabulary.pieces
    return [
        [(pieces[id_], value) for id_, value in zip(row, values, strict=True)]
        for row, values in zip(best.indices.tolist(), best.values.tolist(), strict=True)
    ]


def encode(encoder: SentenceEncoder, text: str, tokenize: Callable[[str], str]) -> list[int]:
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
    tokens = tokenize(text.replace(MASK_TEXT, f" {PLACEHOLDER} ")).split(" ")
    masks = [index for index, token in enumerate(tokens) if token == PLACEHOLDER]
    if len(masks) != n_masks:
        raise CorpusError(f"{text!r}: a mask was joined to the word beside it; put blanks around it, or give tokens")
    between = [" ".join(tokens[a + 1 : b]) for a, b in zip([-1, *masks], [*masks, len(tokens)], strict=True)]
    first, *others = encoder.vocabulary.encode(between, encoder.language)
    return first + [id_ for ids in others for id_ in (MASK, *ids)]
