import logging
import zipfile

import full_disk
import pytest
import torch
from tiny_training import ALONE, OPTIM, make_part, make_state, update_once

from xlm_core.errors import CheckpointError, StorageError
from xlm_core.history import ObjectiveKey
from xlm_core.metrics.loss import LossSum
from xlm_core.train.distributed import DistributedContext
from xlm_core.train.state import Progress, resume, save, training_folder


@pytest.fixture
def saved(tmp_path):
    """A folder with checkpoints of updates 2 and 3, and the state at update 3."""
    state = make_state()
    for update in range(3):
        update_once(state, make_part(state, update))
        save(tmp_path, state, "digest", ALONE)
    return tmp_path, state


def weights(state):
    return torch.cat([parameter.detach().flatten() for parameter in state.model.parameters()])


def test_the_last_two_checkpoints_are_kept(saved):
    names = sorted(path.name for path in saved[0].iterdir())
    assert names == ["checkpoint.000000002.pt", "checkpoint.000000003.pt"]


def test_everything_comes_back(saved):
    folder, state = saved
    state.best_weights = {"0.bias": torch.ones(4)}
    state.progress.best = 0.25
    state.losses = {ObjectiveKey("mt", ("de", "en")): LossSum(torch.tensor(0.5), 3, torch.tensor(2))}
    save(folder, state, "digest", ALONE)
    restored = make_state()
    resume(folder, restored, "digest", ALONE)
    assert torch.equal(weights(restored), weights(state))
    assert restored.progress == state.progress
    assert restored.losses == state.losses
    assert restored.best_weights["0.bias"].tolist() == [1, 1, 1, 1]
    ours, theirs = restored.optimizer.state_dict()["state"], state.optimizer.state_dict()["state"]
    assert all(torch.equal(ours[i][name], theirs[i][name]) for i in ours for name in ours[i])


def test_an_empty_folder_starts_at_the_beginning(tmp_path):
    state = make_state()
    resume(tmp_path / "none", state, "digest", ALONE)
    assert state.progress == Progress() and torch.equal(weights(state), weights(make_state()))


@pytest.mark.parametrize("keep", [0, 300, -200])
def test_a_torn_checkpoint_is_left_aside_with_a_warning(saved, caplog, keep):
    folder, _ = saved
    last = folder / "checkpoint.000000003.pt"
    last.write_bytes(last.read_bytes()[:keep])
    state = make_state()
    with caplog.at_level(logging.WARNING):
        resume(folder, state, "digest", ALONE)
    assert state.progress.update == 2
    assert "checkpoint.000000003.pt is left aside" in caplog.text


def test_damage_within_the_file_is_noticed(saved):
    folder, state = saved
    last = folder / "checkpoint.000000003.pt"
    content = bytearray(last.read_bytes())
    content[content.index(state.model[0].bias.detach().numpy().tobytes())] ^= 0xFF
    last.write_bytes(bytes(content))
    state = make_state()
    resume(folder, state, "digest", ALONE)
    assert state.progress.update == 2


def test_other_processes_read_what_the_main_one_chose_and_read_it_once(saved, monkeypatch):
    folder, expected = saved
    chosen, read = folder / "checkpoint.000000003.pt", []
    other, load = DistributedContext(), torch.load
    monkeypatch.setattr(other, "rank", 1)
    monkeypatch.setattr(other, "all_gather", lambda mine: [chosen, mine])
    monkeypatch.setattr(zipfile, "ZipFile", None)  # which reads a file for its checksums
    monkeypatch.setattr(torch, "load", lambda path, **options: [read.append(path), load(path, **options)][1])
    state = make_state()
    resume(folder, state, "digest", other)
    assert read == [chosen]
    assert torch.equal(weights(state), weights(expected)) and state.progress == expected.progress


def test_only_damaged_checkpoints_are_refused(saved):
    for path in saved[0].iterdir():
        path.write_bytes(b"nonsense")
    with pytest.raises(CheckpointError, match=r"no checkpoint can be used .* remove the folder"):
        resume(saved[0], make_state(), "digest", ALONE)


def test_another_run_is_refused(saved):
    with pytest.raises(CheckpointError, match="belongs to run digest, expected other"):
        resume(saved[0], make_state(), "other", ALONE)


@pytest.mark.parametrize("missing", [1, 500, 10**6])
def test_a_checkpoint_without_room_leaves_the_last_ones(saved, missing):
    folder, state = saved
    before = {path: path.read_bytes() for path in folder.iterdir()}
    update_once(state, make_part(state, 3))
    room = max(0, len(before[folder / "checkpoint.000000003.pt"]) - missing)
    with full_disk.room_for(room), pytest.raises(StorageError, match=r"checkpoint\.000000004\.pt could not be written"):
        save(folder, state, "digest", ALONE)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    restored = make_state()
    resume(folder, restored, "digest", ALONE)
    update_once(restored, make_part(restored, 3))
    assert torch.equal(weights(restored), weights(state))


def finish(folder):
    """Make a training of ten updates."""
    folder.mkdir()
    (folder / "checkpoint.000000010.pt").touch()


def folder_of(work, schedule, max_updates):
    """The name of the folder of a training with the digest "d"."""
    return training_folder(work, "d", OPTIM.model_copy(update={"schedule": schedule, "max_updates": max_updates})).name


@pytest.mark.parametrize("schedule", ["constant", "inverse_sqrt"])
def test_a_longer_training_has_the_folder_of_a_shorter_one(tmp_path, schedule, caplog):
    with caplog.at_level(logging.INFO):
        assert folder_of(tmp_path, schedule, 10) == "d"
        finish(tmp_path / "d")
        assert folder_of(tmp_path, schedule, 10) == folder_of(tmp_path, schedule, 11) == "d"
        assert not caplog.messages
        assert folder_of(tmp_path, schedule, 9) == "d.9"
    (message,) = caplog.messages
    assert message == f"9 updates are trained anew, not from the 10 of {tmp_path}/d: more updates cannot be taken back"
    assert caplog.records[0].is_shown


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_a_training_whose_rates_depend_on_its_length_has_a_folder_of_its_own(tmp_path, schedule, caplog):
    with caplog.at_level(logging.INFO):
        assert folder_of(tmp_path, schedule, 10) == "d.10"
        finish(tmp_path / "d.10")
        assert folder_of(tmp_path, schedule, 10) == "d.10"
        assert not caplog.messages
        assert folder_of(tmp_path, schedule, 20) == "d.20"
    (message,) = caplog.messages
    reason = f"with the schedule {schedule} the learning rate of each update depends on their number"
    assert message == f"20 updates are trained anew, not from the 10 of {tmp_path}/d.10: {reason}"
