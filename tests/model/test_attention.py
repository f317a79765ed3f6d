import pytest
import torch
from torch.nn import functional

from xlm_core.model.attention import SelfAttention


def pytorchs(attention, x, visible, causal):
    """The same, by PyTorch's own attention."""
    n_rows, n_tokens, _ = x.shape
    projected = attention.qkv(x).view(n_rows, n_tokens, 3, attention.n_heads, -1)
    gathered = functional.scaled_dot_product_attention(
        *projected.permute(2, 0, 3, 1, 4), attn_mask=visible, is_causal=causal
    )
    return attention.out(gathered.transpose(1, 2).reshape(x.shape))


@pytest.mark.parametrize("kind", ["all", "causal", "padding"])
def test_attention_and_its_gradient_are_pytorchs(kind):
    torch.manual_seed(0)
    attention = SelfAttention(dim=16, n_heads=2, dropout=0.0).double()
    causal = kind == "causal"
    visible = torch.arange(6) < torch.tensor([6, 4])[:, None, None, None] if kind == "padding" else None
    x, weight = torch.randn(2, 2, 6, 16, dtype=torch.double)
    results = []
    for compute in (attention, lambda *inputs: pytorchs(attention, *inputs)):
        inputs = x.clone().requires_grad_()
        output = compute(inputs, visible, causal)
        results.append(
            (output.detach(), *torch.autograd.grad((output * weight).sum(), [inputs, *attention.parameters()]))
        )
    for ours, theirs in zip(*results, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-12)
    with torch.no_grad():
        assert torch.allclose(attention(x, visible, causal), results[0][0], atol=1e-12)


def test_with_dropout_the_gradient_is_that_of_what_was_dropped():
    """The derivative along a direction, by differences, with the same weights dropped each time."""
    attention = SelfAttention(dim=8, n_heads=2, dropout=0.4).double().train()
    x, direction, weight = torch.randn(3, 2, 5, 8, dtype=torch.double)

    def value(step):
        torch.manual_seed(1)
        return (attention((x + step * direction).requires_grad_(), None, False) * weight).sum()

    inputs = x.clone().requires_grad_()
    torch.manual_seed(1)
    (gradient,) = torch.autograd.grad((attention(inputs, None, False) * weight).sum(), inputs)
    expected = (value(1e-5) - value(-1e-5)) / 2e-5
    assert (gradient * direction).sum().item() == pytest.approx(expected.item(), rel=1e-6)


def test_dropout_happens_in_training_only_and_keeps_the_mean():
    torch.manual_seed(0)
    attention = SelfAttention(dim=8, n_heads=2, dropout=0.3)
    x = torch.randn(1, 5, 8)
    expected = attention.eval()(x, None, False)
    many = attention.train()(x.expand(20_000, 5, 8), None, False)
    assert many.std(dim=0).min() > 0.01
    assert torch.allclose(many.mean(dim=0), expected[0], atol=0.01)
