import pytest
import torch

from xlm_core.model.cpu_kernels import Dropout, dropout


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_the_share_is_dropped_and_the_mean_kept(share):
    torch.manual_seed(0)
    x = torch.ones(1000, 1003, requires_grad=True)
    dropped = dropout(x, share)
    assert (dropped == 0).float().mean().item() == pytest.approx(share, abs=1 / 256)
    assert dropped.mean().item() == pytest.approx(1, rel=0.01)
    dropped.sum().backward()
    assert torch.equal(x.grad, dropped.detach())


def test_values_are_dropped_independently_of_their_neighbors():
    torch.manual_seed(0)
    kept = dropout(torch.ones(1_000_000), 0.5).reshape(-1, 8)
    correlations = torch.corrcoef(kept.T) - torch.eye(8)
    assert correlations.abs().max() < 0.015


def test_every_draw_is_new_and_follows_the_seed():
    torch.manual_seed(0)
    first, second = dropout(torch.ones(99), 0.5), dropout(torch.ones(99), 0.5)
    torch.manual_seed(0)
    assert torch.equal(dropout(torch.ones(99), 0.5), first)
    assert not torch.equal(first, second)


def test_nothing_is_dropped_in_evaluation():
    x = torch.ones(50)
    assert Dropout(0.5).eval()(x) is x
    assert dropout(x, 0.0) is x
