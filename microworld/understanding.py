"""Understanding: examples like those of GLUE's nine tasks, whose labels are true by construction.

Each is made of frames such that no word alone tells its label: what is broken, changed, asked for or meant has to be
found in how the words of a sentence, or those of two, belong together.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from microworld import edits, english, lexicon, wordings
from microworld.drawing import chance, described, name, pick, thing
from microworld.frames import BE, Frame, Noun
from microworld.inference import anything, awkward, one_of_each
from microworld.meaning import LABELS, label
from microworld.render import written
from microworld.similarity import similarity
from microworld.wordings import PLACE, WHETHER, capital
from xlm_core.errors import ConfigError

GOOD = ("happy", "healthy", "rich", "harmless", "clean", "interesting")
BAD = ("sad", "sick", "poor", "dangerous", "dirty", "boring")
TRIES = 10_000  # draws for an example that is not there yet
NEGATED = 0.35  # share of the sentences with a feeling that deny it
PEOPLE, OTHERS = "people", "others"  # what the sentences of MNLI are about: those to train on, and mismatched ones
PRONOUNS = {"f": "she", "m": "he"}
TWO_WAY = ("entailment", "not_entailment")
BINARY = ("0", "1")


class Example(NamedTuple):
    """One sentence or two, and their label as the official files of GLUE spell it."""

    sentences: tuple[str, ...]
    label: str


Maker = Callable[[np.random.Generator, str], Example | None]


def examples(rng: np.random.Generator, task: str, n: int) -> list[Example]:
    """``n`` different examples of a task; the numbers of its labels differ by at most one. Scores come as drawn.

    Raises:
        ConfigError: there are not so many.
    """
    make, labels = TASKS[task]
    found: dict[tuple[str, ...], Example] = {}
    for number in rng.permutation(n):
        wanted = labels[int(number) % len(labels)]
        drawn = (make(rng, wanted) for _ in range(TRIES))
        example = next((one for one in drawn if one and one.sentences not in found), None)
        if example is None:
            raise ConfigError(
                f"microworld.glue_train, glue_valid and glue_test ask for {n} examples of {task}, but no more than "
                f"{len(found)} different ones were found; lower them"
            )
        found[example.sentences] = example
    return list(found.values())


def _frame(rng: np.random.Generator, negated: float = 0.0) -> Frame:
    """A frame of any kind."""
    while True:
        found = anything(rng)._replace(negated=chance(rng, negated))
        if not awkward(found):
            return found


def _said(words: list[str]) -> str:
    return written(capital(words)).replace(" ,", ",")


def _acceptable(rng: np.random.Generator, wanted: str) -> Example | None:
    """CoLA: a sentence as it is, or one whose verb does not agree, or whose words are in a wrong order."""
    frame = _frame(rng, negated=0.2)
    if wanted == "1":
        return Example((_said(english.sentence(frame)),), wanted)
    words = pick(rng, (_disagreeing, _disordered, _disordered))(rng, frame)
    return words and Example((_said(words),), wanted)


def _disagreeing(rng: np.random.Generator, frame: Frame) -> list[str]:
    """The verb in the other number than its subject."""
    found = english.clause(frame)
    other = english.clause(frame._replace(subject=Noun("dog", plural=not frame.subject.plural)))
    return [*found.subject, *other.verb, *found.rest, *found.place, "."]


def _disordered(rng: np.random.Generator, frame: Frame) -> list[str] | None:
    """An article, a number or an adjective after its noun, a preposition after its place, a verb after its object."""
    found = english.clause(frame)
    part = pick(rng, ("subject", "verb", "place", "rest"))
    if part == "verb":
        return [*found.subject, *found.rest, *found.verb, *found.place, "."] if found.rest else None
    words: tuple[str, ...] = getattr(found, part)
    if len(words) < 2:
        return None
    first = int(rng.random() * (len(words) - 1))
    moved = (*words[:first], words[first + 1], words[first], *words[first + 2 :])
    return [word for piece in found._replace(**{part: moved}) for word in piece] + ["."]


def _feeling(rng: np.random.Generator, wanted: str) -> Example | None:
    """SST-2: something good or bad is said of something, denied, or said along with what is neither."""
    kinds = ("person", "animal", "vehicle", "instrument", "device", "garment", "text")
    subject = name(rng) if chance(rng, 0.2) else thing(rng, (pick(rng, kinds),))
    options = lexicon.describing(subject.concept)
    telling = [word for word in options if word in (*GOOD, *BAD)]
    others = [word for word in options if word not in telling]
    word, is_negated = pick(rng, telling), chance(rng, NEGATED)
    if others and chance(rng, 0.5) and subject.concept not in lexicon.names():
        frame = Frame(subject._replace(adjective=word), BE, adjective=pick(rng, others), negated=is_negated)
        is_good = word in GOOD
    else:
        called = pick(rng, others) if others and chance(rng, 0.5) else None
        frame = Frame(subject._replace(adjective=called), BE, adjective=word, negated=is_negated)
        is_good = (word in GOOD) != is_negated
    is_wanted = is_good == (wanted == "1")
    return Example((" ".join(english.sentence(frame)).lower() + " ",), wanted) if is_wanted else None


def _changed(rng: np.random.Generator, frame: Frame) -> Frame | None:
    """A frame that says something else, and reads otherwise; its change is a small one."""
    found = (edits.exclude if chance(rng, 0.6) else pick(rng, (edits.weaken, edits.strengthen, edits.turn)))(rng, frame)
    is_other = found is not None and english.sentence(found) != english.sentence(frame) and not awkward(found)
    return found if is_other else None


def _paraphrase(rng: np.random.Generator, wanted: str) -> Example | None:
    """MRPC: a frame in two wordings, or two frames that differ in little."""
    frame = _frame(rng, negated=0.15)
    other = frame if wanted == "1" else _changed(rng, frame)
    if other is None:
        return None
    pair = (_said(english.sentence(frame)), _said(wordings.otherwise(other, int(rng.random() * 2))))
    return Example(pair if chance(rng, 0.5) else pair[::-1], wanted)


def _graded(rng: np.random.Generator, wanted: str) -> Example | None:
    """STS-B: two frames that share much or little; the score counts what they share."""
    frame = _frame(rng)
    other = _frame(rng) if chance(rng, 0.2) else frame
    for _ in range(int(rng.random() * 12)):  # many changes are none
        other = _changed(rng, other) or other
    return Example((_said(english.sentence(frame)), _said(english.sentence(other))), f"{similarity(frame, other):.3f}")


def _same_question(rng: np.random.Generator, wanted: str) -> Example | None:
    """QQP: one question in two wordings, or questions for something else, or about something else."""
    frame = _frame(rng)
    asked = pick(rng, wordings.asked_of(frame))
    other, also = frame, asked
    if wanted == "0" and chance(rng, 0.3):
        also = pick(rng, wordings.asked_of(frame))
    elif wanted == "0":
        changed = _changed(rng, frame)
        other = changed if changed and asked in wordings.asked_of(changed) else frame
    first = int(rng.random() * 2)
    pair = (wordings.question(frame, asked, first), wordings.question(other, also, 1 - first))
    is_same = wordings.question(frame, asked, 0) == wordings.question(other, also, 0)
    return Example((_said(pair[0]), _said(pair[1])), wanted) if is_same == (wanted == "1") else None


def _inference(about: str) -> Maker:
    """MNLI: pairs about people, or about others; see ``inference``."""

    def make(rng: np.random.Generator, wanted: str) -> Example | None:
        pair = one_of_each(rng)[wanted]
        is_person = "person" in lexicon.ancestors(pair.premise.subject.concept)
        if is_person != (about == PEOPLE):
            return None
        return Example((_said(english.sentence(pair.premise)), _said(english.sentence(pair.hypothesis))), wanted)

    return make


def _answer(rng: np.random.Generator, wanted: str) -> Example | None:
    """QNLI: a question, and a sentence that answers it, or lacks what is asked for, or tells of something else."""
    frame = _frame(rng)
    asked = pick(rng, wordings.asked_of(frame))
    if asked == WHETHER:
        return None
    told: Frame | None = frame
    if wanted == "not_entailment" and asked == PLACE and frame.verb != BE and chance(rng, 0.5):
        told = wordings.without(frame, asked)
    elif wanted == "not_entailment":
        told = edits.exclude(rng, frame)
        if told is None or wordings.without(told, asked) == wordings.without(frame, asked):
            return None
    ask = wordings.question(frame, asked, int(rng.random() * 2))
    return Example((_said(ask), _said(english.sentence(told))), wanted)


def _entailment(rng: np.random.Generator, wanted: str) -> Example | None:
    """RTE: the premise is one of two sentences, the other speaks of something else."""
    of = wanted if wanted == "entailment" else pick(rng, [one for one in LABELS if one != "entailment"])
    premise, hypothesis, _ = one_of_each(rng)[of]
    beside = _frame(rng)
    if label(beside, hypothesis) is not None:
        return None
    said = [_said(english.sentence(frame)) for frame in (premise, beside)]
    return Example((" ".join(said if chance(rng, 0.5) else said[::-1]), _said(english.sentence(hypothesis))), wanted)


def _reference(rng: np.random.Generator, wanted: str) -> Example | None:
    """WNLI: a pronoun is replaced by what it stands for, or by what it cannot stand for."""
    drawn = [name(rng), name(rng) if chance(rng, 0.5) else described(rng, thing(rng, ("animal",)), 0.3)]
    one, other = drawn if chance(rng, 0.5) else drawn[::-1]
    pronouns = [_pronoun(one), _pronoun(other)]
    if pronouns[0] == pronouns[1]:
        return None
    meant = int(rng.random() * 2)
    word = pick(rng, ("healthy", "sick"))
    if "sick" in (one.adjective, other.adjective) or "healthy" in (one.adjective, other.adjective):
        return None
    sees = english.clause(Frame(one, pick(rng, ("see", "seek")), other))
    because = [*sees.subject, *sees.verb, *sees.rest, "because", pronouns[meant], "is", word, "."]
    replaced = (one, other)[meant if wanted == "1" else 1 - meant]
    return Example((_said(because), _said(english.sentence(Frame(replaced, BE, adjective=word)))), wanted)


def _pronoun(noun: Noun) -> str:
    """The pronoun of somebody with a name, or of an animal."""
    return PRONOUNS[lexicon.names()[noun.concept]] if noun.concept in lexicon.names() else "it"


TASKS: Mapping[str, tuple[Maker, tuple[str, ...]]] = {
    "CoLA": (_acceptable, BINARY),
    "SST-2": (_feeling, BINARY),
    "MRPC": (_paraphrase, BINARY),
    "STS-B": (_graded, ("",)),
    "QQP": (_same_question, BINARY),
    "MNLI": (_inference(PEOPLE), LABELS),
    "MNLI, mismatched": (_inference(OTHERS), LABELS),
    "QNLI": (_answer, TWO_WAY),
    "RTE": (_entailment, TWO_WAY),
    "WNLI": (_reference, BINARY),
}  # task -> what makes an example of a label, and the labels
