"""News: text for learning to translate, of which no sentence is told in two languages, and none of a test set anywhere.

Every sentence has one place, by a hash of what it says in English: the test sets, or the news of one language. So the
news of two languages share no sentence, by construction and not by luck; a translator that never saw a pair has not
seen one by accident either. Parallel text is drawn from everything but the test sets.

And the small world has habits here: some things go together, others rarely do. Where all hospitals and theaters are
alike nobody could tell from text alone which word is which; in real text every word has company of its own.
"""

import hashlib
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import combinations, islice

import numpy as np

from microworld.frames import Frame
from microworld.render import text
from microworld.stories import story
from xlm_core.errors import ConfigError

PIVOT = "en"
TESTS = "tests"
TEST_SHARE = 0.1  # of all sentences
RARELY = 0.2  # how often a sentence is told all of whose words rarely go together, beside one whose words often do
LENGTH = 24  # sentences of a story, of which each language has some
TRIES = 500  # for each sentence of a test set; some ten are enough at first
DOCUMENT = 10  # segments of a document of a test set


def place_of(frame: Frame, languages: Sequence[str]) -> str:
    """Where a sentence may be told: ``TESTS``, or the one of ``languages`` whose news may have it."""
    digest = hashlib.blake2b(text(frame, PIVOT).encode(), digest_size=8).digest()
    number = int.from_bytes(digest, "big") / 2**64
    if number < TEST_SHARE:
        return TESTS
    return sorted(languages)[int((number - TEST_SHARE) / (1 - TEST_SHARE) * len(languages))]


def monolingual(rng: np.random.Generator, language: str, languages: Sequence[str], n_sentences: int) -> Iterator[str]:
    """Sentences of ``language``, in stories that lack what is told elsewhere; ``languages`` are all that have news."""
    found = (frame for frame in _told(rng) if place_of(frame, languages) == language)
    return (text(frame, language) for frame in islice(found, n_sentences))


def parallel(rng: np.random.Generator, sides: Sequence[str], n_pairs: int) -> Iterator[list[str]]:
    """Sentences in several languages, none of the test sets."""
    found = (frame for frame in _told(rng) if place_of(frame, sides) != TESTS)
    return ([text(frame, language) for language in sides] for frame in islice(found, n_pairs))


def test_sets(rng: np.random.Generator, sizes: Sequence[int], languages: Sequence[str]) -> list[dict[str, str]]:
    """Test sets of ``sizes`` sentences, all different: for each of them language -> SGM file, as those of WMT.

    Raises:
        ConfigError: there are not so many sentences.
    """
    by_english: dict[str, Frame] = {}
    for frame in islice(_told(rng), TRIES * sum(sizes)):
        if place_of(frame, languages) == TESTS:
            by_english.setdefault(text(frame, PIVOT), frame)
        if len(by_english) == sum(sizes):
            break
    else:
        raise ConfigError(
            f"microworld.news_valid and news_test: {sum(sizes)} sentences, but the small world knew only "
            f"{len(by_english)} different ones after {TRIES * sum(sizes)} tries; ask for fewer"
        )
    frames = list(by_english.values())
    ends = np.cumsum(sizes)
    sets = [frames[end - size : end] for end, size in zip(ends, sizes, strict=True)]
    return [{language: _sgm(some, language) for language in languages} for some in sets]


def _told(rng: np.random.Generator) -> Iterator[Frame]:
    """Sentences of stories without end, fewer of what is rarely heard of."""
    while True:
        yield from (frame for frame in story(rng, LENGTH) if rng.random() < _usual(frame))


def _usual(frame: Frame) -> float:
    """How likely it is that a frame is told: the less, the more of its pairs of words rarely go together."""
    nouns = [noun for noun in (frame.subject, frame.object) if noun]
    said = [*(noun.concept for noun in nouns), *(noun.adjective for noun in nouns), frame.adjective, frame.place]
    words = [word for word in (*said, frame.verb) if word]
    pairs = list(combinations(sorted(words), 2))
    return RARELY ** (sum(_rarely_together(*pair) for pair in pairs) / len(pairs))


@cache
def _rarely_together(one: str, other: str) -> bool:
    return hashlib.blake2b(f"{one} {other}".encode(), digest_size=1).digest()[0] % 2 == 0


def _sgm(frames: Sequence[Frame], language: str) -> str:
    """A test set in one language."""
    lines = [f'<refset setid="microworld" srclang="any" trglang="{language}">']
    for start in range(0, len(frames), DOCUMENT):
        lines += [f'<doc sysid="ref" docid="world.{start // DOCUMENT + 1}" genre="news" origlang="{PIVOT}">', "<p>"]
        some = enumerate(frames[start : start + DOCUMENT], 1)
        lines += [f'<seg id="{number}">{text(frame, language)}</seg>' for number, frame in some]
        lines += ["</p>", "</doc>"]
    return "\n".join([*lines, "</refset>"]) + "\n"
