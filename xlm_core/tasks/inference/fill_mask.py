"""Filling masks: what a model trained by MLM or TLM expects at a hidden place (section 3.2)."""

from collections.abc import Callable

import torch

from xlm_core.errors import ConfigError, CorpusError
from xlm_core.tasks.inference.encoder import N_ENDS, SentenceEncoder
from xlm_core.text.vocabulary import MASK, N_SPECIAL

MASK_TEXT = "<mask>"
STAND_IN = "xlmmaskxlm"  # a word that cleaning and every tokenizer leave alone, as they would not "<mask>"


@torch.inference_mode()
def fill(
    reader: SentenceEncoder, text: str, n_best: int, tokenize: Callable[[str], str]
) -> list[list[tuple[str, float]]]:
    """The ``n_best`` pieces at each ``<mask>`` of ``text``, from the likeliest down, with their probabilities.

    A mask stands for one piece, which may be less than a word. Several masks are filled each by itself. Special
    symbols are never proposed; the probabilities are out of the whole vocabulary all the same.

    Args:
        reader: the model, and the language of the text.
        text: one sentence with one or more masks.
        n_best: at least 1.
        tokenize: what cuts a raw sentence into tokens separated by blanks.

    Raises:
        ConfigError: the model was never trained on masks.
        CorpusError: there is no mask, it was lost as the text was cut into tokens, or there are too many pieces.
    """
    if not {"mlm", "tlm"} & set(reader.objectives):
        trained = ", ".join(reader.objectives) or "nothing"
        raise ConfigError(f"this model was trained by {trained} and never saw a mask; give one trained by MLM or TLM")
    ids = encode(reader, text, tokenize)
    if len(ids) > reader.model.config.max_positions - N_ENDS:
        room = reader.model.config.max_positions - N_ENDS
        raise CorpusError(f"the text has {len(ids)} pieces; the model has room for {room}: shorten it")
    places = [place for place, id_ in enumerate(ids, start=1) if id_ == MASK]  # one further: </s> comes first
    scores = reader.model.predict(reader.model(reader.batch([ids]))[0, places])
    probabilities = scores.float().softmax(dim=-1)
    probabilities[:, :N_SPECIAL] = 0
    best = probabilities.topk(min(n_best, len(reader.vocabulary) - N_SPECIAL))
    pieces = reader.vocabulary.pieces
    return [
        [(pieces[id_], value) for id_, value in zip(row, values, strict=True)]
        for row, values in zip(best.indices.tolist(), best.values.tolist(), strict=True)
    ]


def encode(reader: SentenceEncoder, text: str, tokenize: Callable[[str], str]) -> list[int]:
    """The ids of ``text``, its masks among them as one id each.

    Raises:
        CorpusError: there is no mask, or not as many as before are left when the text is cut into tokens.
    """
    n_masks = text.count(MASK_TEXT)
    if not n_masks or STAND_IN in text:
        raise CorpusError(
            f"{text!r}: expected a text with {MASK_TEXT} (and without {STAND_IN!r}); write it where a piece is missing"
        )
    tokens = tokenize(text.replace(MASK_TEXT, f" {STAND_IN} ")).split(" ")
    places = [place for place, token in enumerate(tokens) if token == STAND_IN]
    if len(places) != n_masks:
        raise CorpusError(f"{text!r}: a mask was joined to the word beside it; put blanks around it, or give tokens")
    between = [" ".join(tokens[a + 1 : b]) for a, b in zip([-1, *places], [*places, len(tokens)], strict=True)]
    first, *others = reader.vocabulary.encode(between, reader.language)
    return first + [id_ for ids in others for id_ in (MASK, *ids)]
