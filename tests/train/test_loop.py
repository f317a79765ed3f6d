import signal

import pytest
import torch
from tiny_training import ALONE, OPTIM, make_part, make_state, update_once

from xlm_core import history
from xlm_core.errors import TrainingError
from xlm_core.history import ObjectiveKey
from xlm_core.metrics.loss import LossSum
from xlm_core.train.loop import TrainingRun, train

INTERVALS = {"eval_interval": 4, "log_interval": 2, "patience": 0, "checkpoint_minutes": 1e9}
EACH_UPDATE = INTERVALS | {"checkpoint_minutes": 1e-9}


def weights(state):
    return torch.cat([parameter.detach().flatten() for parameter in state.model.parameters()])


def mean_loss(metrics):
    return sum(values["loss"] for values in metrics.values()) / len(metrics)


def measured(**nats):
    """The metrics of an evaluation: objective -> its loss."""
    return {ObjectiveKey(name): LossSum(torch.tensor(loss), 1, torch.tensor(0)).metrics for name, loss in nats.items()}


@pytest.fixture
def run(tmp_path):
    """Train in ``folder``; ``before`` is called with the number of each update."""

    def run(
        folder="run",
        intervals=INTERVALS,
        average_last=1,
        before=lambda update: None,
        evaluate=dict,
        scale=lambda update: 1.0,
        max_updates=OPTIM.max_updates,
    ):
        state = make_state()

        def parts(update):
            before(update)
            return [make_part(state, update, scale=scale(update))]

        optim = OPTIM.model_copy(update={"max_updates": max_updates})
        where = TrainingRun(optim, tmp_path / folder, "digest", ALONE, **intervals)
        train(state, parts, evaluate, where, criterion=mean_loss, average_last=average_last)
        return state

    return run


def log_of(folder):
    return history.read(folder / "log.jsonl")


def test_an_update_cut_into_parts_has_the_gradient_of_the_whole():
    whole, cut = make_state(), make_state()
    whole.model.eval(), cut.model.eval()  # without dropout, which would differ
    update_once(whole, make_part(whole, 0), max_grad_norm=1e9)
    update_once(cut, make_part(cut, 0, slice(0, 1)), make_part(cut, 0, slice(1, 6)), max_grad_norm=1e9)
    assert torch.allclose(weights(whole), weights(cut), atol=1e-7)
    assert whole.progress == cut.progress


def test_gradients_are_clipped():
    """With its gradient clipped far below epsilon, Adam hardly moves."""
    free, clipped = make_state(), make_state()
    start = weights(free)
    update_once(free, make_part(free, 0))
    update_once(clipped, make_part(clipped, 0), max_grad_norm=1e-12)
    assert (weights(free) - start).abs().max() > 0.009
    assert (weights(clipped) - start).abs().max() < 1e-5


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_bad_update_is_skipped_and_counted(bad):
    state = make_state()
    update_once(state, make_part(state, 0))
    before = weights(state)
    update_once(state, make_part(state, 1, scale=bad))
    assert torch.equal(weights(state), before)
    assert (int(state.skipped), int(state.skipped_in_row), state.progress.update) == (1, 1, 2)
    update_once(state, make_part(state, 2))
    assert not torch.equal(weights(state), before)
    assert (int(state.skipped), int(state.skipped_in_row)) == (1, 0)


def test_ten_bad_updates_in_a_row_stop_the_training(run):
    with pytest.raises(
        TrainingError,
        match=r"not finite for 10 updates in a row.* translation; learning_rates and warmup_ratio under 'finetuning'",
    ):
        run(scale=lambda update: float("nan"))


def test_nine_bad_updates_do_not(run):
    assert int(run(scale=lambda update: 1.0 if update in (0, 10) else float("nan")).skipped) == 10


def test_the_loss_falls_and_is_logged(run, tmp_path):
    run(evaluate=lambda: measured(copy=1.0))
    rows = log_of(tmp_path / "run")
    training = [row for row in rows if row[1:5] == ("train", "copy", (), "loss")]
    assert [row.update for row in training] == [2, 4, 6, 8, 10, 12]
    assert training[-1].value < training[0].value
    assert [row.update for row in rows if row[1:5] == ("valid", "copy", (), "loss")] == [4, 8, 12]


def test_training_stops_when_it_no_longer_improves_and_keeps_the_best(run):
    seen = []
    scores = iter([3.0, 2.0, 2.5, 2.0, 1.0])
    intervals = INTERVALS | {"eval_interval": 2, "patience": 2}

    def evaluate():
        seen.append(1)
        return measured(a=next(scores), b=0.0)

    state = run(intervals=intervals, evaluate=evaluate)
    assert (state.progress.update, state.progress.best_update, state.progress.best) == (8, 4, 1.0)
    assert len(seen) == 4
    assert torch.equal(weights(state), torch.cat([value.flatten() for value in state.best_weights.values()]))
    short = run(folder="short", intervals=intervals, evaluate=lambda: measured(a=1.0))
    assert short.progress.update == 6


def test_the_weights_of_several_evaluations_are_averaged(run):
    """Those of the best one and of the one before it; the later ones do not count."""
    intervals = INTERVALS | {"eval_interval": 3}

    def kept(folder, average_last, *scores):
        left = iter(scores)
        evaluate = lambda: measured(a=next(left))  # noqa: E731
        return weights(run(folder, intervals=intervals, average_last=average_last, evaluate=evaluate))

    second, third = kept("second", 1, 3.0, 1.0, 2.0, 4.0), kept("third", 1, 3.0, 2.0, 1.0, 4.0)
    assert torch.allclose(kept("both", 2, 3.0, 2.0, 1.0, 4.0), (second + third) / 2, atol=1e-7)
    assert not torch.allclose(second, third, atol=1e-3)


def test_without_patience_training_goes_on_and_keeps_the_best(run):
    scores = iter([3.0, 1.0, 2.0])
    state = run(evaluate=lambda: measured(a=next(scores)))
    assert (state.progress.update, state.progress.best_update) == (12, 8)
    last = run(folder="last").model.state_dict()  # without validation text there is no best one
    assert not torch.equal(weights(state), torch.cat([value.flatten() for value in last.values()]))


@pytest.mark.parametrize("killed_at", [1, 4, 7, 11])
def test_a_crashed_training_goes_on_bit_for_bit(run, killed_at):
    def crash(update):
        if update == killed_at:
            raise KeyboardInterrupt

    expected = run(folder="straight")
    with pytest.raises(KeyboardInterrupt):
        run(intervals=EACH_UPDATE, before=crash)
    updates = []
    resumed = run(before=updates.append)
    assert updates == list(range(killed_at - 1, 12))  # it was killed before the update before this one was saved
    assert torch.equal(weights(resumed), weights(expected))
    assert resumed.progress == expected.progress


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("asked_at", [0, 3, 6])
def test_a_signal_saves_before_the_next_update_and_the_log_has_no_gap(run, tmp_path, asked_at, number):
    def ask(update):
        if update == asked_at:
            signal.raise_signal(number)

    expected = run(folder="straight", evaluate=lambda: measured(a=1.0))
    with pytest.raises(TrainingError, match=f"Ctrl-C after update {asked_at}; run again"):
        run(before=ask, evaluate=lambda: measured(a=1.0))
    resumed = run(evaluate=lambda: measured(a=1.0))
    assert torch.equal(weights(resumed), weights(expected))
    order = [[row[:5] for row in log_of(tmp_path / name)] for name in ("straight", "run")]
    assert order[0] == order[1]


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
def test_ctrl_c_after_a_signal_ends_at_once(run, tmp_path, first):
    def ask(update):
        if update == 3:
            signal.raise_signal(first)
            signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        run(before=ask)
    assert signal.getsignal(signal.SIGINT) is before
    assert not list((tmp_path / "run").glob("checkpoint.*3.pt"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_signal_handler_is_put_back(run, number):
    before = signal.getsignal(number)
    run()
    assert signal.getsignal(number) is before


def test_a_finished_training_is_not_trained_again(run):
    expected = run()
    updates = []
    assert torch.equal(weights(run(before=updates.append)), weights(expected))
    assert updates == []


@pytest.mark.parametrize("finished", [3, 5, 6, 8, 9, 10])
def test_more_updates_of_a_finished_training_give_what_they_give_at_once(run, tmp_path, finished):
    """Wherever it ended: on an interval of the log (2), of evaluations (5), of both or of none."""
    intervals = INTERVALS | {"eval_interval": 5}

    def taught(folder, max_updates):
        asked = []

        def evaluate():
            asked.append(1)
            return measured(copy=1.0)

        state = run(folder, intervals, average_last=2, max_updates=max_updates, evaluate=evaluate)
        rows = [row for row in log_of(tmp_path / folder) if row.metric != "tokens_per_second"]
        return state, sorted(rows, key=lambda row: (row.update, row.split)), len(asked)

    expected, rows, n_asked = taught("straight", 12)
    _, _, before = taught("run", finished)
    state, again, after = taught("run", 12)
    assert torch.equal(weights(state), weights(expected))
    assert again == rows
    assert state.progress == expected.progress
    assert before + after == n_asked + (finished % 5 > 0)
    moments, others = (each.optimizer.state_dict()["state"] for each in (state, expected))
    assert all(torch.equal(moments[i][name], others[i][name]) for i in moments for name in moments[i])


def test_the_last_evaluation_of_a_shorter_training_is_not_one_of_a_longer(run, tmp_path):
    """At update 6 no interval ends; the model of then is the best, but a training of 12 updates never sees it."""
    scores = {4: 3.0, 6: 1.0, 8: 2.0, 12: 4.0}
    update = [0]

    def taught(folder, max_updates):
        evaluate = lambda: measured(a=scores[update[0] + 1])  # noqa: E731
        return run(folder, max_updates=max_updates, before=lambda now: update.__setitem__(0, now), evaluate=evaluate)

    short = taught("run", 6)
    assert (short.progress.best, short.progress.best_update) == (1.0, 6)
    longer, expected = taught("run", 12), taught("straight", 12)
    assert (longer.progress.best, longer.progress.best_update) == (2.0, 8)
    assert torch.equal(weights(longer), weights(expected))
    assert [row.update for row in log_of(tmp_path / "run") if row.metric == "criterion"] == [4, 8, 12]


def test_a_finished_training_that_ended_within_an_interval_comes_back_as_it_was(run, tmp_path):
    expected = run(max_updates=5, evaluate=lambda: measured(copy=1.0))
    rows = log_of(tmp_path / "run")
    again = run(max_updates=5, evaluate=lambda: measured(copy=1.0), before=pytest.fail)
    assert torch.equal(weights(again), weights(expected)) and again.progress == expected.progress
    kept = [row for row in log_of(tmp_path / "run") if row.metric != "tokens_per_second"]
    assert kept == [row for row in rows if row.metric != "tokens_per_second"]
