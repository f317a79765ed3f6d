import math

import pytest
import torch

from xlm_core.metrics.loss import LossSum


def test_tallies_add_up_and_are_divided_once():
    first = LossSum(torch.tensor(2.0), 4, torch.tensor(1))
    second = LossSum(torch.tensor(4.0), 2, torch.tensor(2))
    total = first + second
    assert (total.mean_loss, total.perplexity, total.accuracy) == (1.0, pytest.approx(math.e), 50.0)
    assert sum([first, second], start=LossSum.zero()).mean_loss == 1.0


def test_nothing_has_no_mean():
    assert math.isnan(LossSum.zero().mean_loss)
    assert math.isnan(LossSum.zero().perplexity)
    assert math.isnan(LossSum.zero().accuracy)


def test_a_huge_loss_has_infinite_perplexity():
    assert LossSum(torch.tensor(1e6), 1, torch.tensor(0)).perplexity == math.inf


def test_detaching_cuts_off_the_gradient():
    nats = torch.ones((), requires_grad=True) * 2
    assert not LossSum(nats, 1, torch.tensor(0)).detach().loss_sum.requires_grad
