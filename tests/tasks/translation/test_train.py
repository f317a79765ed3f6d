"""Training a translator, from stores to the best one: it learns, goes on where it was, and refuses what is wrong."""

import logging

import numpy as np
import pytest
import torch
from small_translator import OUTPUTS
from small_world import COMPUTE, write_store

from xlm_core import config, history
from xlm_core.config import LossWeights, ModelConfig, Optim, TranslationObjective, TranslationTraining
from xlm_core.errors import CheckpointError, ConfigError
from xlm_core.model import checkpoint
from xlm_core.tasks.pretraining.data import TrainingCorpora
from xlm_core.tasks.pretraining.train import init_random_model
from xlm_core.tasks.translation.data import TranslationBatches, TranslatorSettings
from xlm_core.tasks.translation.train import TranslatorInputs, train_translator
from xlm_core.text import bpe, vocabulary
from xlm_core.text.special_symbols import MASK
from xlm_core.text.vocabulary import Vocabulary
from xlm_core.train import loop

WORDS = {"ant": "ameise", "bee": "biene", "cat": "katze", "dog": "hund", "eel": "aal", "fox": "fuchs"}
MODEL = ModelConfig(dim=32, n_layers=1, n_heads=2, feedforward_dim=64, dropout=0, attention_dropout=0, max_positions=40)
SETTINGS = TranslationTraining(
    max_tokens=40,
    batch_tokens=120,
    micro_batch_tokens=120,
    optim=Optim(learning_rate=0.01, warmup_updates=4, max_updates=12),
    eval_interval=4,
    max_valid_sentences=20,
)


def objective(kind, source, target):
    return TranslationObjective(kind=kind, source=source, target=target)


MT = (objective("mt", "en", "de"),)
UNSUPERVISED = (
    objective("ae", "de", "de"),
    objective("ae", "en", "en"),
    objective("bt", "de", "en"),
    objective("bt", "en", "de"),
)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """The data arguments of ``train_translator``: German is English word by word."""
    folder = tmp_path_factory.mktemp("world")
    rng = np.random.default_rng(0)
    english = [rng.choice(list(WORDS), rng.integers(4, 7)).tolist() for _ in range(240)]
    pairs = [(" ".join(WORDS[word] for word in words), " ".join(words)) for words in english]
    sample, model, path = (folder / name for name in ("text", "model", "vocabulary.json"))
    sample.write_text("".join(f"{text}\n" for sides in pairs for text in sides))
    bpe.learn(sample, model, size=60, character_coverage=1.0)
    vocabulary.build(["de", "en"], [model] * 2, [sample] * 2, path)
    words = Vocabulary.read(path)
    records = list(zip(*(words.encode(texts, "en") for texts in zip(*pairs, strict=True)), strict=True))

    def store(name, part):
        return write_store(folder / name, ("de", "en"), records[part], words)

    train, valid = store("train", slice(0, 200)), folder / "valid.tsv"
    valid.write_text("".join(f"{german}\t{spoken}\n" for german, spoken in pairs[200:]))
    return {
        "stores": {"de": [train], "en": [train], "de-en": [train]},
        "valid": {"de-en": valid},
        "vocabulary": path,
    }


@pytest.fixture
def teach(world, tmp_path):
    """Train into a folder; returns the translator, what is said about it, and the log."""

    def run(name="run", objectives=MT, settings=SETTINGS, encoder=None, decoder=None, minutes=60.0):
        folder = tmp_path / name
        train_translator(
            TranslatorInputs(**world, encoder=encoder, decoder=decoder),
            settings_of(objectives, settings),
            {name: folder / file for name, file in OUTPUTS.items()},
            work=folder / "work",
            compute=COMPUTE,
            checkpoint_minutes=minutes,
            n_threads=1,
            code="c",
        )
        return *checkpoint.load_translator(folder / "model.safetensors"), history.read(folder / "history.jsonl")

    return run


def changed(**settings):
    return TranslationTraining.model_validate({**SETTINGS.model_dump(), **settings})


def longer(max_updates):
    return {"learning_rate": 0.01, "warmup_updates": 20, "max_updates": max_updates, "schedule": "cosine"}


def evaluations(rows):
    return [row for row in rows if row.split == "valid"]


def of_metric(rows, metric):
    """Update -> number of an evaluation of one direction."""
    return {row.update: row.value for row in evaluations(rows) if row.metric == metric}


def same(first, second):
    return all(torch.equal(value, second.state_dict()[name]) for name, value in first.state_dict().items())


def test_supervised_it_learns_to_translate_what_it_has_not_seen(teach):
    larger = {"batch_tokens": 480, "micro_batch_tokens": 480, "eval_interval": 100}
    _, _, rows = teach(settings=changed(optim=longer(300), **larger))
    measured = {(row.objective, row.languages) for row in evaluations(rows) if row.metric != "criterion"}
    assert measured == {("mt", ("en", "de"))}
    assert of_metric(rows, "bleu")[300] > 75
    assert of_metric(rows, "loss")[300] < 0.3 < of_metric(rows, "loss")[100]


@pytest.mark.parametrize("updates", ["round_robin", "joint"])
def test_unsupervised_every_step_is_trained_and_both_directions_are_measured(teach, updates):
    _, metadata, rows = teach(objectives=UNSUPERVISED, settings=changed(updates=updates, optim=longer(40)))
    losses = {(row.objective, row.languages) for row in rows if (row.split, row.metric) == ("train", "loss")}
    assert losses == {("ae", ("de", "de")), ("ae", ("en", "en")), ("bt", ("de", "en")), ("bt", ("en", "de"))}
    assert metadata["objectives"] == [config.to_dict(objective) for objective in UNSUPERVISED]
    for metric in ("loss", "bleu"):
        measured = {(row.objective, row.languages) for row in evaluations(rows) if row.metric == metric}
        assert measured == {("mt", ("de", "en")), ("mt", ("en", "de"))}


def test_the_best_evaluation_is_kept(teach):
    model, _, rows = teach(settings=changed(optim={**longer(60), "schedule": "constant"}))
    criteria = of_metric(rows, "criterion")
    best = min(criteria, key=criteria.__getitem__)
    assert criteria[best] < criteria[min(criteria)]
    again, _, _ = teach("until", settings=changed(optim={**longer(best), "schedule": "constant"}))
    assert same(model, again)


@pytest.mark.parametrize("updates", ["round_robin", "joint"])
def test_a_killed_training_goes_on_where_it_was(teach, monkeypatch, updates):
    settings = changed(updates=updates)
    whole, _, expected = teach("whole", objectives=UNSUPERVISED, settings=settings)
    train_step = loop.train_step

    def dies(state, *rest):
        if state.progress.update == 7:
            raise KeyboardInterrupt
        return train_step(state, *rest)

    monkeypatch.setattr(loop, "train_step", dies)
    with pytest.raises(KeyboardInterrupt):
        teach("killed", objectives=UNSUPERVISED, settings=settings, minutes=0.0)
    monkeypatch.undo()
    resumed, _, rows = teach("killed", objectives=UNSUPERVISED, settings=settings)
    assert same(whole, resumed)
    assert evaluations(rows) == evaluations(expected)


def test_more_updates_of_a_finished_translator_give_what_they_give_at_once(teach, tmp_path):
    """Also with the best two evaluations averaged, and ended between two of them."""
    first, longer = (
        changed(average_checkpoints=2, optim={"learning_rate": 0.01, "warmup_updates": 4, "max_updates": number})
        for number in (10, 16)
    )
    *_, expected = teach("straight", objectives=UNSUPERVISED, settings=longer)
    teach("run", objectives=UNSUPERVISED, settings=first)
    *_, rows = teach("run", objectives=UNSUPERVISED, settings=longer)
    straight, run = (tmp_path / name / OUTPUTS["model"] for name in ("straight", "run"))
    assert straight.read_bytes() == run.read_bytes()
    assert evaluations(rows) == evaluations(expected)


def test_both_halves_begin_with_what_was_pretrained_and_the_log_says_what_stays_random(teach, world, tmp_path, caplog):
    pretrained = tmp_path / "pretrained"
    init_random_model(vocabulary=world["vocabulary"], languages=["en", "de"], model=MODEL, seed=5, output=pretrained)
    still = changed(optim={"learning_rate": 1e-12, "warmup_updates": 0, "max_updates": 1})
    with caplog.at_level(logging.INFO):
        model, _, _ = teach(settings=still, encoder=pretrained, decoder=pretrained)
    expected, _ = checkpoint.load(pretrained)
    for half in (model.encoder, model.decoder):
        for name, value in expected.state_dict().items():
            assert torch.allclose(half.state_dict()[name], value, atol=1e-6), name
    assert f"encoder: begins with {pretrained}; random are none" in caplog.text
    assert "random are layers.0.source_attention.queries.weight" in caplog.text


def test_a_translator_may_have_a_dropout_of_its_own(teach):
    same_as_models, _, _ = teach()
    other, _, _ = teach("other", settings=changed(dropout=0.3))
    assert same_as_models.encoder.config.dropout == 0 and other.decoder.config.dropout == 0.3
    assert not same(same_as_models, other)


def test_shared_embeddings_stay_the_same(teach):
    model, _, _ = teach(objectives=UNSUPERVISED, settings=changed(tie_encoder_decoder_embeddings=True))
    apart, _, _ = teach("apart", objectives=UNSUPERVISED)
    assert torch.equal(model.encoder.embeddings.weight, model.decoder.embeddings.weight)
    assert not torch.equal(apart.encoder.embeddings.weight, apart.decoder.embeddings.weight)


def test_a_pretrained_model_that_does_not_fit_is_refused(teach, world, tmp_path):
    pretrained = tmp_path / "pretrained"
    wide = MODEL.model_copy(update={"dim": 64})
    init_random_model(vocabulary=world["vocabulary"], languages=["en", "de"], model=wide, seed=0, output=pretrained)
    with pytest.raises(CheckpointError, match="another shape"):
        teach(encoder=pretrained)


def settings_of(objectives, training):
    return TranslatorSettings(["en", "de"], objectives, MODEL, training, seed=0)


@pytest.fixture(scope="module")
def batches(world):
    """The training data of ``UNSUPERVISED`` and ``MT``, with some settings."""

    def of(objectives, settings=SETTINGS):
        words = Vocabulary.read(world["vocabulary"])
        corpora = TrainingCorpora.open(world["stores"], words.digest)
        return TranslationBatches(corpora, words, settings_of(objectives, settings))

    return of


def test_steps_take_turns_and_lose_them_with_their_weight():
    fading = changed(loss_weights={"ae": [(0, 1.0), (8, 0.0)], "bt": [(0, 0.5)]})
    drawn = [settings_of(UNSUPERVISED, fading).batches_of_update(update) for update in range(12)]
    assert [objective for ((objective, _, _),) in drawn[:4]] == list(UNSUPERVISED)
    assert [number for ((_, number, _),) in drawn[:8]] == [0, 0, 0, 0, 1, 1, 1, 1]
    assert [weight for ((_, _, weight),) in drawn[:4]] == [1.0, 0.875, 0.5, 0.5]
    assert {objective.kind for ((objective, _, _),) in drawn[8:]} == {"bt"}


def test_together_every_step_is_in_every_update():
    together = changed(updates="joint", batch_tokens=240)
    drawn = settings_of(UNSUPERVISED, together).batches_of_update(3)
    assert [(objective, number) for objective, number, _ in drawn] == [
        (objective, number) for objective in UNSUPERVISED for number in (6, 7)
    ]


def test_nothing_left_to_learn_is_refused():
    over = changed(loss_weights={"ae": [(0, 1.0), (5, 0.0)]})
    with pytest.raises(ConfigError, match="update 5"):
        settings_of(UNSUPERVISED[:2], over).batches_of_update(5)


def test_texts_by_kind(batches, world):
    words = Vocabulary.read(world["vocabulary"])

    def spelled(ragged):
        parts = np.split(ragged.tokens, np.cumsum(ragged.lengths)[:-1])
        return [words.decode(part.tolist(), "en") for part in parts]

    source, target = batches(MT).texts(MT[0], 0)
    for english, german in zip(spelled(source), spelled(target), strict=True):
        assert german == " ".join(WORDS[word] for word in english.split())
    noisy, clean = batches(UNSUPERVISED).texts(UNSUPERVISED[1], 0)
    assert set(" ".join(spelled(clean)).split()) <= set(WORDS)
    assert noisy.tokens.tolist() != clean.tokens.tolist() and MASK in noisy.tokens
    nothing, real = batches(UNSUPERVISED).texts(UNSUPERVISED[2], 0)
    assert nothing is None and set(" ".join(spelled(real)).split()) <= set(WORDS)


@pytest.mark.parametrize("points", [[(5, 1.0), (5, 0.0)], [(5, 1.0), (2, 0.0)], [(0, -1.0)]])
def test_schedules_that_make_no_sense_are_refused(points):
    with pytest.raises(ValueError, match=r"must rise|greater than or equal to 0"):
        LossWeights(ae=points)
