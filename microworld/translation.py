"""Machine translation of a kind: a right translation into which errors are put at a stated rate.

Real systems leave words out, put them in the wrong place, and mistake one for another; so does this one.
"""

from collections.abc import Sequence

import numpy as np

WAYS = 3  # to go wrong


def with_errors(sentences: Sequence[Sequence[str]], rate: float, rng: np.random.Generator) -> list[list[str]]:
    """``sentences`` as a machine would have translated them.

    Args:
        sentences: tokens, the last of each a full stop, which never goes wrong.
        rate: probability that something goes wrong at a word: it is left out, changes places with the next one, or
            becomes another word that occurs in ``sentences``.
        rng: decides where, and how.
    """
    known = sorted({word for sentence in sentences for word in sentence[:-1]})
    return [_one_with_errors(sentence, rate, known, rng) for sentence in sentences]


def _one_with_errors(sentence: Sequence[str], rate: float, known: Sequence[str], rng: np.random.Generator) -> list[str]:
    found: list[str] = []
    waiting = list(sentence[:-1])
    while waiting:
        word = waiting.pop(0)
        if rng.random() >= rate:
            found.append(word)
            continue
        way = int(rng.random() * WAYS)
        if way == 0 and waiting:
            found += [waiting.pop(0), word]
        elif way == 1:
            found.append(known[int(rng.random() * len(known))])
    return [*(found or sentence[:1]), sentence[-1]]
