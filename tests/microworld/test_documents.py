"""Stories: their lengths, and that their sentences bear on each other."""

import numpy as np
import pytest

from microworld import lexicon, render
from microworld.documents import LONGEST, SHORTEST, documents
from microworld.lexicon import BE


@pytest.mark.parametrize("n_sentences", [3, 4, 5, 9, 10, 11, 500])
def test_stories_fill_the_number_asked_for(n_sentences: int):
    lengths = [len(story) for story in documents(np.random.default_rng(0), n_sentences)]
    assert sum(lengths) == n_sentences
    assert all(SHORTEST <= length <= LONGEST for length in lengths)


def test_sentences_take_up_what_was_said():
    taken_up, n_later = 0, 0
    for story in documents(np.random.default_rng(0), 2000):
        said = set()
        for frame in story:
            words = {frame.subject.concept, *lexicon.ancestors(frame.subject.concept)}
            taken_up += bool(words & said)
            n_later += bool(said)
            said |= words | {noun for noun in (frame.object and frame.object.concept,) if noun}
    assert taken_up > 0.9 * n_later


def test_nothing_is_said_that_has_no_right_form():
    frames = {frame for story in documents(np.random.default_rng(0), 5000) for frame in story}
    lines = {render.text(frame, "fr") for frame in frames}
    assert not any(line.startswith("La personne est ") and line.endswith((" avocat.", " étudiant.")) for line in lines)
    classes = [frame for frame in frames if frame.verb == BE and frame.object]
    assert classes and not any(frame.object.concept == frame.subject.concept for frame in classes)
