"""Examples of GLUE's nine tasks, whose labels are true by construction.

No word alone reveals a label: a model has to find out how the words of a sentence, or of two, belong together.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np

from microworld import lexicon
from microworld.entailment import LABELS, label, similarity
from microworld.lexicon import BE, Frame, Noun
from microworld.nli import pairs_of_premise
from microworld.render import ENGLISH, capitalized, detokenized
from microworld.sampling import (
    add_adjective,
    bernoulli,
    choice,
    contradict,
    generalize,
    is_awkward,
    is_motion,
    sample_frame,
    sample_name,
    sample_noun,
    specialize,
    vary,
)
from xlm_core.errors import ConfigError

GOOD = ("happy", "healthy", "rich", "harmless", "clean", "interesting")
BAD = ("sad", "sick", "poor", "dangerous", "dirty", "boring")
FEELING_KINDS = ("person", "animal", "vehicle", "instrument", "device", "garment", "text")
TRIES = 10_000  # draws for an example that is not there yet
NEGATED = 0.35  # fraction of the sentences with a sentiment that are negated
PRONOUNS = {"f": "she", "m": "he"}  # of names; of animals "it"
TWO_WAY = ("entailment", "not_entailment")
BINARY = ("0", "1")
WHETHER, LOCATION, SUBJECT, OBJECT = "whether", "location", "subject", "object"
QUESTION_WORDS = {
    LOCATION: ("where", "at what place"),
    SUBJECT: ("who", "which person"),
    OBJECT: ("what", "which thing"),
}  # what is asked for -> two ways to ask for it


class Example(NamedTuple):
    """One sentence or two, and their label as the official files of GLUE spell it."""

    sentences: tuple[str, ...]
    label: str


Sampler = Callable[[np.random.Generator, str], Example | None]


def examples(rng: np.random.Generator, task: str, n: int) -> list[Example]:
    """Return ``n`` different examples of a task; the numbers of its labels differ by at most one.

    Scores are as drawn.

    Raises:
        ConfigError: there are not so many.
    """
    sample, labels = TASKS[task]
    by_sentences: dict[tuple[str, ...], Example] = {}
    for number in rng.permutation(n):
        wanted = labels[int(number) % len(labels)]
        drawn = (sample(rng, wanted) for _ in range(TRIES))
        example = next((example for example in drawn if example and example.sentences not in by_sentences), None)
        if example is None:
            raise ConfigError(
                f"microworld.glue_train, glue_valid and glue_test ask for {n} examples of {task}, but no more than "
                f"{len(by_sentences)} different ones were found; lower them"
            )
        by_sentences[example.sentences] = example
    return list(by_sentences.values())


def _frame(rng: np.random.Generator, negated: float = 0.0) -> Frame:
    """Sample a frame of any kind."""
    while True:
        frame = sample_frame(rng)._replace(negated=bernoulli(rng, negated))
        if not is_awkward(frame):
            return frame


def _text(words: list[str]) -> str:
    return detokenized(capitalized(words)).replace(" ,", ",")


def _sentence(frame: Frame) -> str:
    return _text(ENGLISH.sentence(frame))


def _acceptability(rng: np.random.Generator, wanted: str) -> Example | None:
    """CoLA: a sentence as it is, or one whose verb does not agree, or whose words are in a wrong order."""
    frame = _frame(rng, negated=0.2)
    if wanted == "1":
        return Example((_sentence(frame),), wanted)
    words = choice(rng, (_disagreeing, _disordered, _disordered))(rng, frame)
    return Example((_text(words),), wanted) if words else None


def _disagreeing(rng: np.random.Generator, frame: Frame) -> list[str]:
    """Return the words of a frame, its verb not in the number of its subject."""
    other = ENGLISH.clause(frame._replace(subject=Noun("dog", plural=not frame.subject.plural)))
    return [*ENGLISH.clause(frame)._replace(verb=other.verb).words(), "."]


def _disordered(rng: np.random.Generator, frame: Frame) -> list[str] | None:
    """Return words with an article, a number or an adjective after its noun, or a verb after its object."""
    clause = ENGLISH.clause(frame)
    part = choice(rng, ("subject", "verb", "location", "complement"))
    if part == "verb":
        swapped = clause._replace(verb=clause.complement, complement=clause.verb)
        return [*swapped.words(), "."] if clause.complement else None
    words: tuple[str, ...] = getattr(clause, part)
    if len(words) < 2:
        return None
    first = int(rng.random() * (len(words) - 1))
    moved = (*words[:first], words[first + 1], words[first], *words[first + 2 :])
    return [*clause._replace(**{part: moved}).words(), "."]


def _sentiment(rng: np.random.Generator, wanted: str) -> Example | None:
    """SST-2: something is good or bad, or not, or a good or bad thing has a neutral attribute."""
    subject = sample_name(rng) if bernoulli(rng, 0.2) else sample_noun(rng, (choice(rng, FEELING_KINDS),))
    options = lexicon.adjectives_of(subject.concept)
    polar = [word for word in options if word in (*GOOD, *BAD)]
    neutral = [word for word in options if word not in polar]
    word, negated = choice(rng, polar), bernoulli(rng, NEGATED)
    if neutral and bernoulli(rng, 0.5) and subject.concept not in lexicon.NAMES:
        frame = Frame(subject._replace(adjective=word), BE, adjective=choice(rng, neutral), negated=negated)
        is_good = word in GOOD
    else:
        modifier = choice(rng, neutral) if neutral and bernoulli(rng, 0.5) else None
        frame = Frame(subject._replace(adjective=modifier), BE, adjective=word, negated=negated)
        is_good = (word in GOOD) != negated
    is_wanted = is_good == (wanted == "1")
    return Example((" ".join(ENGLISH.sentence(frame)).lower() + " ",), wanted) if is_wanted else None


def _changed(rng: np.random.Generator, frame: Frame) -> Frame | None:
    """Return a frame that is a small change away and has another text."""
    perturb = contradict if bernoulli(rng, 0.6) else choice(rng, (generalize, specialize, vary))
    changed = perturb(rng, frame)
    if changed is None or is_awkward(changed) or ENGLISH.sentence(changed) == ENGLISH.sentence(frame):
        return None
    return changed


def _paraphrase(rng: np.random.Generator, wanted: str) -> Example | None:
    """MRPC: a frame in two wordings, or two frames that differ in little."""
    frame = _frame(rng, negated=0.15)
    other = frame if wanted == "1" else _changed(rng, frame)
    if other is None:
        return None
    pair = (_sentence(frame), _text(_other_wording(other, int(rng.random() * 2))))
    return Example(pair if bernoulli(rng, 0.5) else pair[::-1], wanted)


def _graded_similarity(rng: np.random.Generator, wanted: str) -> Example | None:
    """STS-B: two frames that share much or little, with their similarity."""
    frame = _frame(rng)
    other = _frame(rng) if bernoulli(rng, 0.2) else frame
    for _ in range(int(rng.random() * 12)):  # many changes do not apply
        other = _changed(rng, other) or other
    return Example((_sentence(frame), _sentence(other)), f"{similarity(frame, other):.3f}")


def _duplicate_question(rng: np.random.Generator, wanted: str) -> Example | None:
    """QQP: one question in two wordings, or questions for another part, or about another frame."""
    frame = _frame(rng)
    asked = choice(rng, _askable(frame))
    other, also_asked = frame, asked
    if wanted == "0" and bernoulli(rng, 0.3):
        also_asked = choice(rng, _askable(frame))
    elif wanted == "0":
        changed = _changed(rng, frame)
        other = changed if changed and asked in _askable(changed) else frame
    wording = int(rng.random() * 2)
    first = _text(_question(frame, asked, wording))
    second = _text(_question(other, also_asked, 1 - wording))
    is_same = _question(frame, asked, 0) == _question(other, also_asked, 0)
    return Example((first, second), wanted) if is_same == (wanted == "1") else None


def _inference(rng: np.random.Generator, wanted: str, about_people: bool) -> Example | None:
    """MNLI: pairs of ``nli`` about people, or about others."""
    premise, hypothesis, _ = pairs_of_premise(rng)[wanted]
    if lexicon.is_person(premise.subject.concept) != about_people:
        return None
    return Example((_sentence(premise), _sentence(hypothesis)), wanted)


def _answer(rng: np.random.Generator, wanted: str) -> Example | None:
    """QNLI: a question, and a sentence that answers it, or lacks the answer, or is about another frame."""
    frame = _frame(rng)
    asked = choice(rng, _askable(frame))
    if asked == WHETHER:
        return None
    answer: Frame | None = frame
    if wanted == "not_entailment" and asked == LOCATION and frame.verb != BE and bernoulli(rng, 0.5):
        answer = _presupposition(frame, asked)
    elif wanted == "not_entailment":
        answer = contradict(rng, frame)
        if answer and _presupposition(answer, asked) == _presupposition(frame, asked):
            return None
    if answer is None:
        return None
    question = _question(frame, asked, int(rng.random() * 2))
    return Example((_text(question), _sentence(answer)), wanted)


def _entailment(rng: np.random.Generator, wanted: str) -> Example | None:
    """RTE: the premise is one of two sentences, the other is about something else."""
    relation = wanted if wanted == "entailment" else choice(rng, [name for name in LABELS if name != "entailment"])
    premise, hypothesis, _ = pairs_of_premise(rng)[relation]
    distractor = _frame(rng)
    if label(distractor, hypothesis) is not None:
        return None
    texts = [_sentence(premise), _sentence(distractor)]
    return Example((" ".join(texts if bernoulli(rng, 0.5) else texts[::-1]), _sentence(hypothesis)), wanted)


def _coreference(rng: np.random.Generator, wanted: str) -> Example | None:
    """WNLI: a pronoun is replaced by its referent, or by what it cannot refer to."""
    nouns = [sample_name(rng)]
    nouns.append(sample_name(rng) if bernoulli(rng, 0.5) else add_adjective(rng, sample_noun(rng, ("animal",)), 0.3))
    nouns = nouns if bernoulli(rng, 0.5) else nouns[::-1]
    pronouns = [PRONOUNS.get(lexicon.NAMES.get(noun.concept, "animal"), "it") for noun in nouns]
    if pronouns[0] == pronouns[1]:
        return None
    referent = int(rng.random() * 2)
    word = choice(rng, ("healthy", "sick"))
    if any(noun.adjective in ("healthy", "sick") for noun in nouns):
        return None
    sees = ENGLISH.clause(Frame(nouns[0], choice(rng, ("see", "seek")), nouns[1]))
    words = [*sees.words(), "because", pronouns[referent], "is", word, "."]
    replacement = nouns[referent if wanted == "1" else 1 - referent]
    return Example((_text(words), _sentence(Frame(replacement, BE, adjective=word))), wanted)


def _other_wording(frame: Frame, wording: int) -> list[str]:
    """Return a frame in one of two wordings that ``ENGLISH.sentence`` does not have; they are the same for some."""
    clause = ENGLISH.clause(frame)
    if wording and clause.location:
        return [*clause.location, ",", *clause._replace(location=()).words(), "."]
    affirmative = ENGLISH.sentence(frame._replace(negated=False))
    return ["it", "is", *["not"] * frame.negated, "true", "that", *affirmative]


def _askable(frame: Frame) -> list[str]:
    """Return what can be asked about a frame."""
    asked = [WHETHER]
    if frame.location:
        asked.append(LOCATION)
    if lexicon.is_person(frame.subject.concept) and not frame.subject.plural:
        asked.append(SUBJECT)
    noun = frame.object
    if noun and frame.verb != BE and not is_motion(frame.verb) and not lexicon.is_person(noun.concept):
        asked.append(OBJECT)
    return asked


def _presupposition(frame: Frame, asked: str) -> Frame:
    """Return a frame without what is asked for: what the question presupposes."""
    if asked == SUBJECT:
        return frame._replace(subject=frame.subject._replace(concept="person", adjective=None, sex="m"))
    if asked == OBJECT:
        return frame._replace(object=None)
    return frame._replace(location=None) if asked == LOCATION else frame


def _question(frame: Frame, asked: str, wording: int) -> list[str]:
    """Return a question about an affirmative frame, in one of two wordings."""
    clause = ENGLISH.clause(_presupposition(frame, asked))
    if asked == SUBJECT:
        return [*QUESTION_WORDS[asked][wording].split(), *clause._replace(subject=()).words(), "?"]
    if asked == WHETHER and wording:
        return ["is", "it", "true", "that", *clause.words(), "?"]
    auxiliary, stem = ENGLISH.auxiliary(frame)
    words = [auxiliary, *clause._replace(verb=stem).words(), "?"]
    return words if asked == WHETHER else [*QUESTION_WORDS[asked][wording].split(), *words]


TASKS: Mapping[str, tuple[Sampler, tuple[str, ...]]] = {
    "CoLA": (_acceptability, BINARY),
    "SST-2": (_sentiment, BINARY),
    "MRPC": (_paraphrase, BINARY),
    "STS-B": (_graded_similarity, ("",)),
    "QQP": (_duplicate_question, BINARY),
    "MNLI": (partial(_inference, about_people=True), LABELS),
    "MNLI, mismatched": (partial(_inference, about_people=False), LABELS),
    "QNLI": (_answer, TWO_WAY),
    "RTE": (_entailment, TWO_WAY),
    "WNLI": (_coreference, BINARY),
}  # task -> sampler of an example of a label, and the labels
