import pytest
import torch
from torch.nn import functional

from xlm_core.model.attention import SelfAttention, attend


@pytest.mark.parametrize("kind", ["all", "causal", "padding"])
def test_attention_written_out_is_pytorchs(kind):
    torch.manual_seed(0)
    queries, keys, values = torch.randn(3, 2, 4, 6, 8)
    causal = kind == "causal"
    visible = torch.arange(6) < torch.tensor([6, 4])[:, None, None, None] if kind == "padding" else None
    expected = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=visible, is_causal=causal)
    assert torch.allclose(attend(queries, keys, values, visible, causal, dropout=0.0), expected, atol=1e-6)


def test_dropout_happens_in_training_only_and_keeps_the_mean():
    torch.manual_seed(0)
    attention = SelfAttention(dim=8, n_heads=2, dropout=0.3)
    x = torch.randn(1, 5, 8)
    with torch.no_grad():
        expected = attention.eval()(x, None, False)
        many = attention.train()(x.expand(20_000, 5, 8), None, False)
    assert many.std(dim=0).min() > 0.01
    assert torch.allclose(many.mean(dim=0), expected[0], atol=0.01)
