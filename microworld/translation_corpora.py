"""Text for machine translation: monolingual and parallel corpora, and test sets, which share no sentence by accident.

A hash of its English text assigns every sentence to the test sets or to one language. So monolingual texts of two
languages share no sentence, which makes unsupervised translation an honest task, and no text holds a test sentence.
Parallel text is drawn from everything but the test sets.

Words also have preferences here: some pairs of words occur together often, others rarely. Otherwise all hospitals and
theaters would be alike, and nobody could learn from text alone which word is which.
"""

import hashlib
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import combinations, islice

import numpy as np

from microworld.documents import document
from microworld.lexicon import Frame
from microworld.render import text
from xlm_core.errors import ConfigError

PIVOT = "en"
TESTS = "tests"
TEST_FRACTION = 0.1  # of all sentences
RARE = 0.2  # probability of a sentence all of whose pairs of words are rare, relative to one with none
LENGTH = 24  # sentences of a document, of which each language has some
TRIES = 500  # for each sentence of a test set; some ten are enough at first
SEGMENTS = 10  # of a document of a test set


def partition_of(frame: Frame, languages: Sequence[str]) -> str:
    """Return where a sentence belongs: ``TESTS``, or the one of ``languages`` whose text may have it."""
    digest = hashlib.blake2b(text(frame, PIVOT).encode(), digest_size=8).digest()
    number = int.from_bytes(digest, "big") / 2**64
    if number < TEST_FRACTION:
        return TESTS
    return sorted(languages)[int((number - TEST_FRACTION) / (1 - TEST_FRACTION) * len(languages))]


def monolingual(rng: np.random.Generator, language: str, languages: Sequence[str], n_sentences: int) -> Iterator[str]:
    """Yield sentences of ``language`` that no other of ``languages`` has."""
    frames = (frame for frame in _frames(rng) if partition_of(frame, languages) == language)
    return (text(frame, language) for frame in islice(frames, n_sentences))


def parallel(rng: np.random.Generator, languages: Sequence[str], n_pairs: int) -> Iterator[list[str]]:
    """Yield sentences in several languages, none of the test sets."""
    frames = (frame for frame in _frames(rng) if partition_of(frame, languages) != TESTS)
    return ([text(frame, language) for language in languages] for frame in islice(frames, n_pairs))


def test_sets(rng: np.random.Generator, sizes: Sequence[int], languages: Sequence[str]) -> list[dict[str, str]]:
    """Return test sets of ``sizes`` sentences, all different: for each of them language -> SGM file, as WMT has.

    Raises:
        ConfigError: there are not so many sentences.
    """
    by_english: dict[str, Frame] = {}
    for frame in islice(_frames(rng), TRIES * sum(sizes)):
        if partition_of(frame, languages) == TESTS:
            by_english.setdefault(text(frame, PIVOT), frame)
        if len(by_english) == sum(sizes):
            break
    else:
        raise ConfigError(
            f"microworld.news_valid and news_test: {sum(sizes)} sentences, but the small world knew only "
            f"{len(by_english)} different ones after {TRIES * sum(sizes)} tries; ask for fewer"
        )
    frames = iter(by_english.values())
    sets = [list(islice(frames, size)) for size in sizes]
    return [{language: _sgm(test_set, language) for language in languages} for test_set in sets]


def _frames(rng: np.random.Generator) -> Iterator[Frame]:
    """Yield sentences of documents without end, fewer of those with rare pairs of words."""
    while True:
        yield from (frame for frame in document(rng, LENGTH) if rng.random() < _probability(frame))


def _probability(frame: Frame) -> float:
    """Return the probability that a frame is kept: the lower, the more of its pairs of words are rare."""
    nouns = [noun for noun in (frame.subject, frame.object) if noun]
    words = [frame.adjective, frame.location, frame.verb]
    words += [word for noun in nouns for word in (noun.concept, noun.adjective)]
    pairs = list(combinations(sorted(word for word in words if word), 2))
    return float(RARE ** (sum(_is_rare(*pair) for pair in pairs) / len(pairs)))


@cache
def _is_rare(first: str, second: str) -> bool:
    """Return whether two words occur together rarely."""
    return hashlib.blake2b(f"{first} {second}".encode(), digest_size=1).digest()[0] % 2 == 0


def _sgm(frames: Sequence[Frame], language: str) -> str:
    """Return a test set in one language."""
    lines = [f'<refset setid="microworld" srclang="any" trglang="{language}">']
    for start in range(0, len(frames), SEGMENTS):
        lines += [f'<doc sysid="ref" docid="world.{start // SEGMENTS + 1}" genre="news" origlang="{PIVOT}">', "<p>"]
        segments = enumerate(frames[start : start + SEGMENTS], 1)
        lines += [f'<seg id="{number}">{text(frame, language)}</seg>' for number, frame in segments]
        lines += ["</p>", "</doc>"]
    return "\n".join([*lines, "</refset>"]) + "\n"
