"""Pretraining from stores to a model: exact, restartable, and refusing what it cannot use."""

import base64
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
import torch
from small_world import COMPUTE, MODEL, N_TOKENS, SETTINGS, write_store

from xlm_core import history
from xlm_core.config import Masking, Optim
from xlm_core.data.token_store import TokenStore
from xlm_core.errors import CheckpointError, ConfigError, CorpusError, StoreError, TrainingError
from xlm_core.history import ObjectiveKey
from xlm_core.io import write_json
from xlm_core.model import checkpoint
from xlm_core.model.transformer import Transformer
from xlm_core.tasks.objective_examples import write_examples
from xlm_core.tasks.pretraining import train as task
from xlm_core.tasks.pretraining.data import InitialModel, PretrainingArgs
from xlm_core.text import bpe, vocabulary
from xlm_core.text.special_symbols import EOS, MASK, N_SPECIAL, PAD, SPECIAL
from xlm_core.text.vocabulary import Vocabulary
from xlm_core.train.losses import LossModule


@pytest.fixture
def pretrain(world, tmp_path):
    """Pretrain into a folder; returns the model, what is said about it, and the log."""

    def run(
        name="run",
        objectives=("mlm", "tlm"),
        settings=SETTINGS,
        model=MODEL,
        seed=0,
        code="c",
        compute=COMPUTE,
        init=None,
        **data,
    ):
        folder = tmp_path / name
        paths = {**world, **data}
        task.pretrain(
            training={**paths["monolingual"], **paths["parallel"]},
            validation={**paths["monolingual_valid"], **paths["parallel_valid"]},
            vocabulary=paths["vocabulary"],
            args=PretrainingArgs(["en", "de"], objectives, model, settings, compute, 60.0, n_threads=1, seed=seed),
            code=code,
            output=folder / "model.safetensors",
            history=folder / "history.jsonl",
            work=folder / "work",
            init=init,
        )
        return *checkpoint.load(folder / "model.safetensors"), history.read(folder / "history.jsonl")

    return run


def changed(**settings):
    return SETTINGS.model_copy(update=settings)


def criteria(rows):
    """Update -> criterion of its evaluation."""
    return {row.update: row.value for row in rows if row.metric == "criterion"}


def same(first, second):
    return all(torch.equal(value, second.state_dict()[name]) for name, value in first.state_dict().items())


@pytest.mark.parametrize("objectives", [["clm"], ["mlm"], ["mlm", "tlm"], ["clm", "mlm", "tlm"]])
def test_every_objective_trains_and_is_measured(pretrain, objectives):
    _, metadata, rows = pretrain(objectives=objectives)
    expected = {"clm": {("de",), ("en",)}, "mlm": {("de",), ("en",)}, "tlm": {("de", "en")}}
    assert list(criteria(rows)) == [4, 8, 12]
    for metric in ("loss", "perplexity", "accuracy", "count"):
        measured = [
            (row.objective, row.languages)
            for row in rows
            if (row.update, row.split, row.metric) == (4, "valid", metric)
        ]
        assert sorted(measured) == [(name, key) for name in objectives for key in sorted(expected[name])]
    assert criteria(rows)[12] < criteria(rows)[4]
    assert metadata["objectives"] == objectives
    assert metadata["languages"] == ["de", "en"]


def test_the_same_seed_gives_the_same_model_and_another_seed_another(pretrain):
    first, second, other = (pretrain(name, seed=seed)[0] for name, seed in (("a", 1), ("b", 1), ("c", 2)))
    assert same(first, second)
    assert not same(first, other)


def test_batches_that_several_threads_make_ahead_are_the_same(pretrain, monkeypatch):
    expected, _, rows = pretrain("one thread")
    monkeypatch.setattr(task, "PREFETCH", {"cpu": {"workers": 4, "depth": 8}})
    model, _, others = pretrain("four threads")
    assert same(model, expected) and criteria(others) == criteria(rows)


def test_without_pretraining_the_weights_are_those_of_the_first_update(world, tmp_path):
    output = tmp_path / "model"
    task.init_random_model(vocabulary=world["vocabulary"], languages=["en", "de"], model=MODEL, seed=5, output=output)
    model, metadata = checkpoint.load(output)
    torch.manual_seed(5)
    assert same(model, Transformer(MODEL, N_TOKENS, 2))
    assert (metadata["objectives"], metadata["languages"], metadata["seed"]) == ([], ["de", "en"], 5)


def test_seeds_do_not_change_the_digests_of_settings_and_data(pretrain):
    first, second = (pretrain(f"s{seed}", seed=seed)[1] for seed in (1, 2))
    assert (first["config"], first["data"]) == (second["config"], second["data"])
    assert first["config"] != pretrain("other", settings=changed(language_sampling_alpha=0.1))[1]["config"]


def test_validation_batches_do_not_depend_on_the_seed_and_their_share_is_logged(pretrain, caplog):
    with caplog.at_level(logging.INFO):
        counts = [
            [row for row in pretrain(f"s{seed}", seed=seed)[2] if (row.split, row.metric) == ("valid", "count")]
            for seed in (1, 2)
        ]
    assert counts[0] == counts[1] != []
    assert "validation of mlm en uses 8 of" in caplog.text
    assert "parameters" in caplog.text


def test_an_interrupted_run_goes_on_bit_for_bit(pretrain, monkeypatch):
    expected, *_ = pretrain("straight")
    calls = []

    def ask_once(*arguments):
        calls.append(1)
        if len(calls) == 9:  # within the fifth update
            signal.raise_signal(signal.SIGTERM)
        return forward(*arguments)

    forward = LossModule.forward
    monkeypatch.setattr(LossModule, "forward", ask_once)
    with pytest.raises(TrainingError, match="SIGTERM"):
        pretrain()
    n_before = len(calls)
    model, _, rows = pretrain()
    assert len(calls) - n_before < 2 * n_before  # it did not start again
    assert same(model, expected)
    assert list(criteria(rows)) == [4, 8, 12]
    assert len(rows) == len({row[:-1] for row in rows})  # no number is there twice


CHILD = """
import json, sys
from pathlib import Path
from xlm_core.config import Compute, ModelConfig, Pretraining
from xlm_core.tasks.pretraining.data import InitialModel, PretrainingArgs
from xlm_core.tasks.pretraining.train import pretrain
a = json.loads(sys.argv[1])
stores = lambda *names: {key: [Path(path) for path in paths] for name in names for key, paths in a[name].items()}
folder = Path(a["folder"])
pretrain(
    training=stores("monolingual", "parallel"),
    validation=stores("monolingual_valid", "parallel_valid"),
    vocabulary=Path(a["vocabulary"]),
    args=PretrainingArgs(
        languages=["en", "de"], objectives=["mlm", "tlm"],
        model=ModelConfig.model_validate(a["model"]), pretraining=Pretraining.model_validate(a["pretraining"]),
        compute=Compute(precision="float32"), checkpoint_minutes=60.0, n_threads=1, seed=0,
    ),
    code="c",
    output=folder / "model.safetensors", history=folder / "history.jsonl", work=folder / "work",
)
"""


@pytest.mark.robustness  # hundreds of updates and a second process; an interruption within one is tested above
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_killed_process_goes_on_bit_for_bit(world, pretrain, tmp_path, number):
    settings = changed(optim=Optim(learning_rate=0.01, warmup_updates=4, max_updates=250), eval_interval=50)
    expected, *_ = pretrain("straight", settings=settings)
    folder = tmp_path / "killed"
    plain = {**world, "model": MODEL.model_dump(), "pretraining": settings.model_dump(), "folder": folder}
    command = [sys.executable, "-c", CHILD, json.dumps(plain, default=str)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)

    def has_trained():
        return any(log.stat().st_size for log in folder.glob("work/*/log.jsonl"))

    while process.poll() is None and not has_trained():
        time.sleep(0.01)
    process.send_signal(number)
    _, message = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "stopped by SIGTERM or Ctrl-C after update" in message
    assert not (folder / "model.safetensors").exists()
    assert list(folder.glob("work/*/checkpoint.*.pt"))
    model, *_ = pretrain("killed", settings=settings)
    assert same(model, expected)


def test_other_code_settings_or_data_start_a_run_of_their_own(pretrain, tmp_path):
    abouts = [pretrain()[1], pretrain(code="other")[1], pretrain(settings=changed(language_sampling_alpha=0.5))[1]]
    abouts.append(pretrain(objectives=["mlm"], parallel={}, parallel_valid={})[1])
    assert len(list((tmp_path / "run" / "work").iterdir())) == 4
    assert [metadata["config"] == abouts[0]["config"] for metadata in abouts] == [True, True, False, False]
    assert [metadata["data"] == abouts[0]["data"] for metadata in abouts] == [True, True, True, False]


def test_a_finished_run_whose_output_was_lost_is_not_trained_again(pretrain, monkeypatch):
    expected, *_ = pretrain()
    monkeypatch.setattr(LossModule, "forward", None)
    assert same(pretrain()[0], expected)


def updates(number, schedule="inverse_sqrt"):
    return changed(optim=SETTINGS.optim.model_copy(update={"max_updates": number, "schedule": schedule}))


def without_speed(rows):
    return sorted((row for row in rows if row.metric != "tokens_per_second"), key=str)


@pytest.mark.parametrize("finished", [8, 10])
@pytest.mark.parametrize("schedule", ["inverse_sqrt", "constant"])
def test_more_updates_of_a_finished_run_give_the_file_that_they_give_at_once(
    pretrain, tmp_path, monkeypatch, caplog, schedule, finished
):
    """It ended with an evaluation of every fourth update, or between two."""
    *_, rows = pretrain("straight", settings=updates(18, schedule))
    pretrain("run", settings=updates(finished, schedule))
    calls, forward = [], LossModule.forward
    monkeypatch.setattr(LossModule, "forward", lambda *arguments: (calls.append(1), forward(*arguments))[1])
    with caplog.at_level(logging.INFO):
        *_, again = pretrain("run", settings=updates(18, schedule))
    assert len(calls) == 2 * (18 - finished)  # micro-batches of the updates that were missing
    shown = [record.getMessage() for record in caplog.records if getattr(record, "is_shown", False)]
    (last,) = (message for message in shown if message.startswith("going on from "))
    assert shown == [last] and last.endswith(f"/checkpoint.{finished:09d}.pt")
    straight, longer = (tmp_path / name / "model.safetensors" for name in ("straight", "run"))
    assert straight.read_bytes() == longer.read_bytes()
    assert without_speed(again) == without_speed(rows)


@pytest.mark.parametrize(("schedule", "first", "second"), [("linear", 8, 12), ("cosine", 8, 12), ("constant", 12, 8)])
def test_updates_that_are_no_part_of_others_are_trained_anew_and_the_screen_says_so(
    pretrain, tmp_path, caplog, schedule, first, second
):
    before, *_ = pretrain("run", settings=updates(first, schedule))
    with caplog.at_level(logging.INFO):
        model, _, rows = pretrain("run", settings=updates(second, schedule))
    expected, _, straight = pretrain("straight", settings=updates(second, schedule))
    assert same(model, expected) and without_speed(rows) == without_speed(straight)
    shown = [record.getMessage() for record in caplog.records if getattr(record, "is_shown", False)]
    assert [message.partition(" of ")[0] for message in shown] == [
        f"{second} updates are trained anew, not from the {first}"
    ]
    assert same(pretrain("run", settings=updates(first, schedule))[0], before)  # nothing of it was lost


def test_damaged_checkpoints_are_refused(pretrain, tmp_path):
    pretrain()
    for path in tmp_path.glob("run/work/*/checkpoint.*"):
        path.write_bytes(b"nonsense")
    with pytest.raises(CheckpointError, match=r"no checkpoint can be used .*; remove the folder"):
        pretrain()


def test_stopping_early_keeps_the_best_weights(pretrain, monkeypatch):
    model, _, rows = pretrain(
        settings=changed(
            patience=1,
            eval_interval=2,
            optim=Optim(learning_rate=3.0, schedule="constant", warmup_updates=2, max_updates=60),
        )
    )
    evaluations = criteria(rows)
    best = min(evaluations, key=evaluations.__getitem__)
    assert max(evaluations) == best + 2 < 60
    assert model.embeddings.weight.abs().max() < 10


def test_the_best_checkpoint_is_selected_by_the_loss_of_single_languages():
    metrics = {
        ObjectiveKey("mlm", ("en",)): {"loss": 2.0},
        ObjectiveKey("mlm", ("de",)): {"loss": 4.0},
        ObjectiveKey("tlm", ("de", "en")): {"loss": 9.0},
    }
    only_pairs = {key: values for key, values in metrics.items() if key.objective == "tlm"}
    assert task.selection_loss(metrics, []) == 3.0 and task.selection_loss(metrics, ["de"]) == 4.0
    assert task.selection_loss(only_pairs, []) == task.selection_loss(only_pairs, ["de"]) == 9.0


def test_a_selection_language_without_validation_text_is_refused(pretrain):
    with pytest.raises(ConfigError, match="selection_languages: there is no validation text of fr"):
        pretrain(settings=changed(selection_languages=["en", "fr"]))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seq_len": 30}, "seq_len is 30, but the model has 24 positions"),
        ({"batch_tokens": 10}, "seq_len is 12, but a batch has 10 tokens"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(pretrain, settings, message):
    with pytest.raises(ConfigError, match=message):
        pretrain(settings=changed(**settings))


def test_an_objective_without_text_is_refused(pretrain):
    with pytest.raises(
        ConfigError, match=r"'tlm': found no parallel training text, .* name one under 'parallel' of the setup"
    ):
        pretrain(parallel={}, parallel_valid={})


def test_an_empty_language_is_refused_in_training_and_named_in_validation(world, pretrain, tmp_path, caplog):
    empty = write_store(tmp_path / "empty", ("de",), [], Vocabulary.read(world["vocabulary"]))
    with pytest.raises(CorpusError, match="training text of 'de': found no sentence"):
        pretrain(objectives=["mlm"], monolingual={**world["monolingual"], "de": [empty]})
    valid = {**world["monolingual_valid"], "de": [empty]}
    _, _, rows = pretrain("valid", objectives=["mlm"], monolingual_valid=valid)
    measured = {(row.objective, row.languages) for row in rows if row.split == "valid" and row.metric != "criterion"}
    assert measured == {("mlm", ("en",))}
    assert "no validation sentences of 'de'" in caplog.text
    with pytest.raises(
        ConfigError, match=r"no validation sentences of any language or pair.*raise text\.valid_fraction"
    ):
        pretrain("none", objectives=["mlm"], monolingual_valid={"de": [empty]})


def test_a_store_of_another_language_is_refused(world, pretrain):
    with pytest.raises(StoreError, match="found de-en, expected 'fr'"):
        pretrain(monolingual={"fr": world["monolingual"]["de"]})
    with pytest.raises(StoreError, match="found de-en, expected 'de-fr'"):
        pretrain(parallel={"de-fr": world["parallel"]["de-en"]})


def test_a_store_of_another_vocabulary_is_refused(world, pretrain, tmp_path):
    data = json.loads(world["vocabulary"].read_text())
    write_json(tmp_path / "other.json", {**data, "pieces": [*data["pieces"], "▁new"], "counts": [*data["counts"], 1]})
    with pytest.raises(StoreError, match="was built with vocabulary"):
        pretrain(vocabulary=tmp_path / "other.json")


def test_examples_show_each_objective_in_words(world, tmp_path):
    write_examples(
        stores={**world["monolingual"], **world["parallel"]},
        vocabulary=world["vocabulary"],
        languages=["en", "de"],
        masking=Masking(mask_prob=0.3),
        output=tmp_path / "examples.json",
    )
    clm, mlm, tlm = json.loads((tmp_path / "examples.json").read_text())
    assert [example["objective"] for example in (clm, mlm, tlm)] == ["clm", "mlm", "tlm"]
    assert clm["target"][:-1] == clm["input"][1:]
    assert clm["languages"] == ["de"] * 12
    hidden = [target for target in mlm["target"] if target is not None]
    assert 1 <= len(hidden) <= 4
    assert SPECIAL[MASK] in mlm["input"] + tlm["input"]
    border = tlm["positions"].index(0, 1)
    assert tlm["input"][border - 1 : border + 1] == [SPECIAL[EOS]] * 2
    assert set(tlm["languages"][:border]) != set(tlm["languages"][border:])
    assert SPECIAL[PAD] not in tlm["input"]


@pytest.mark.robustness  # compiling takes a minute, and no configuration compiles unless it is asked to
@pytest.mark.skipif(not shutil.which("g++"), reason="torch.compile needs a C++ compiler, which is not installed")
@pytest.mark.parametrize("dropout", [0.0, 0.1])
def test_compiled_layers_learn_the_same(pretrain, dropout):
    # Four updates; with dropout the draws differ, so the losses are only alike.
    settings = SETTINGS.model_copy(update={"optim": SETTINGS.optim.model_copy(update={"max_updates": 4})})
    model = MODEL.model_copy(update={"dropout": dropout, "attention_dropout": dropout})
    plain, _, plain_log = pretrain("plain", settings=settings, model=model)
    compute = COMPUTE.model_copy(update={"compile": True})
    compiled, _, compiled_log = pretrain("compiled", settings=settings, model=model, compute=compute)
    assert compiled.state_dict().keys() == plain.state_dict().keys()
    ours, theirs = (
        [row.value for row in log if (row.split, row.metric) == ("train", "loss")] for log in (compiled_log, plain_log)
    )
    assert len(ours) == len(theirs) > 0
    assert ours == pytest.approx(theirs, rel=1e-5 if dropout == 0 else 0.05)


STILL = changed(optim=SETTINGS.optim.model_copy(update={"learning_rate": 1e-12}))


def test_a_run_begins_with_the_model_of_another(pretrain, world, tmp_path):
    before, metadata, _ = pretrain("before", objectives=["mlm"])
    init = InitialModel(tmp_path / "before" / "model.safetensors", world["vocabulary"])
    after, said, _ = pretrain("after", objectives=["tlm"], settings=STILL, seed=5, init=init)
    assert all(
        torch.allclose(value, before.state_dict()[name], atol=1e-6) for name, value in after.state_dict().items()
    )
    assert said["objectives"] == ["mlm", "tlm"] and said["data"] != metadata["data"]
    other, *_ = pretrain("other", objectives=["tlm"], settings=STILL, seed=5)
    assert not same(after, other)


@pytest.fixture
def encoded_world(world, tmp_path):
    """The data of ``world`` with a vocabulary that can encode text, and a smaller one of "en" and "fr"."""
    sample, model = tmp_path / "sample", tmp_path / "bpe"
    sample.write_text("".join(f"{a} {b}\n" for a in range(14, 64) for b in range(14, 64)))
    bpe.learn(sample, model, size=N_SPECIAL + 50, character_coverage=1.0)
    vocabulary.build(["en", "fr"], [model] * 2, [sample] * 2, tmp_path / "first.json")
    data = json.loads(world["vocabulary"].read_text()) | {"offsets": [0], "languages": {"de": 0, "en": 0}}
    write_json(tmp_path / "second.json", data | {"models": [base64.b64encode(model.read_bytes()).decode()]})
    words = Vocabulary.read(tmp_path / "second.json")

    def rebuilt(path):
        store = TokenStore.open(path)
        pairs = [[store.sentence(column, number) for column in (0, 1)] for number in range(len(store))]
        return write_store(tmp_path / f"second.{path.name}", store.languages, pairs, words)

    stores = {path: rebuilt(path) for path in [*world["monolingual"]["de"], *world["monolingual_valid"]["de"]]}
    moved = {
        name: {key: [stores[path] for path in paths] for key, paths in of_split.items()}
        for name, of_split in world.items()
        if name != "vocabulary"
    }
    return moved | {"vocabulary": tmp_path / "second.json"}, tmp_path / "first.json"


def test_a_run_adds_a_language_and_pieces(pretrain, encoded_world, tmp_path):
    world, path = encoded_world
    first, second = Vocabulary.read(path), Vocabulary.read(world["vocabulary"])
    torch.manual_seed(3)
    before = Transformer(MODEL, len(first), 2)
    about = {"languages": ["en", "fr"], "objectives": ["clm"], "vocabulary": first.digest, "seed": 3}
    checkpoint.save(tmp_path / "first", before, about | {"config": "c", "data": "d"})
    after, said, _ = pretrain("after", settings=STILL, init=InitialModel(tmp_path / "first", path), **world)
    old, new = (dict(each.state_dict()) for each in (before, after))
    common = [piece for piece in first.pieces if piece in second.pieces]
    assert N_SPECIAL < len(common) < len(first)
    there, here = ([words.pieces.index(piece) for piece in common] for words in (first, second))
    for name in ("embeddings.weight", "output_bias"):
        assert torch.allclose(new.pop(name)[here], old.pop(name)[there], atol=1e-6)
    table = old.pop("language_embeddings.weight")
    assert torch.allclose(new.pop("language_embeddings.weight"), torch.stack([table.mean(0), table[0]]), atol=1e-6)
    assert all(torch.allclose(new[name], value, atol=1e-6) for name, value in old.items())
    assert said["languages"] == ["de", "en"] and said["objectives"] == ["clm", "mlm", "tlm"]


def test_a_model_that_does_not_fit_is_no_beginning(pretrain, world, tmp_path):
    pretrain("before", objectives=["mlm"])
    init = InitialModel(tmp_path / "before" / "model.safetensors", world["vocabulary"])
    with pytest.raises(CheckpointError, match=r"found a model of n_layers: 2; expected n_layers: 3, as the section"):
        pretrain("deeper", model=MODEL.model_copy(update={"n_layers": 3}), init=init)
    model, metadata = checkpoint.load(init.model)
    checkpoint.save(init.model, model, metadata | {"vocabulary": "0" * 16})
    with pytest.raises(CheckpointError, match=r"is vocabulary \w+, but .* was trained with 0{16}; give the file that"):
        pretrain("others", init=init)


def test_another_seed_of_the_first_model_is_another_run(pretrain, world, tmp_path):
    """Seeds are in no digest of settings and data: checkpoints of the one are none of the other."""
    models = []
    for seed in (1, 2):
        pretrain("before", objectives=["mlm"], seed=seed)
        init = InitialModel(tmp_path / "before" / "model.safetensors", world["vocabulary"])
        models.append(pretrain("after", settings=STILL, init=init)[0])
    assert not same(*models)
