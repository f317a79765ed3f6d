import pytest
import torch
from torch.nn import functional

from xlm_core.model import heads
from xlm_core.model.heads import predict_tokens


def inputs(n=7, dim=6, n_tokens=11, dtype=torch.double):
    torch.manual_seed(0)
    tensors = torch.randn(n, dim), torch.randn(n_tokens, dim), torch.randn(n_tokens)
    return [tensor.to(dtype).requires_grad_() for tensor in tensors], torch.randint(n_tokens, (n,))


@pytest.mark.parametrize("max_scores", [1 << 20, 3 * 11, 1])
def test_loss_and_gradients_are_pytorchs_however_it_is_cut(monkeypatch, max_scores):
    monkeypatch.setattr(heads, "MAX_SCORES", max_scores)
    tensors, labels = inputs()
    hidden, weight, bias = tensors
    expected = functional.cross_entropy(functional.linear(hidden, weight, bias), labels, reduction="sum")
    nats, _ = predict_tokens(*tensors, labels)
    assert nats.item() == pytest.approx(expected.item(), rel=1e-12)
    gradients = zip(torch.autograd.grad(3 * nats, tensors), torch.autograd.grad(3 * expected, tensors), strict=True)
    for ours, theirs in gradients:
        assert torch.allclose(ours, theirs, atol=1e-12)


@pytest.mark.parametrize("block", [torch.no_grad, torch.inference_mode])
def test_right_guesses_are_counted_where_no_gradient_is_wanted(block):
    """Of weights that have gradients otherwise, as those of a model have."""
    tensors, labels = inputs()
    guesses = functional.linear(*tensors).argmax(dim=-1)
    labels[:3] = guesses[:3]
    with block():
        assert predict_tokens(*tensors, labels)[1] == (guesses == labels).sum() >= 3
    assert predict_tokens(*(tensor.detach() for tensor in tensors), labels)[1] == (guesses == labels).sum()


def test_autocast_makes_the_products_in_half_and_the_sums_in_full_precision():
    tensors, labels = inputs(n=64, dtype=torch.float32)
    exact, _ = predict_tokens(*tensors, labels)
    with torch.autocast("cpu", torch.bfloat16):
        halved, _ = predict_tokens(*tensors, labels)
    assert halved.dtype == torch.float32 and halved.item() == pytest.approx(exact.item(), rel=0.01)
    pairs = zip(torch.autograd.grad(halved, tensors), torch.autograd.grad(exact, tensors), strict=True)
    for low, full in pairs:
        assert low.dtype == torch.float32
        assert functional.cosine_similarity(low.flatten(), full.flatten(), dim=0) > 0.999


def test_nothing_to_predict_is_no_loss():
    tensors, _ = inputs(n=0)
    nats, _ = predict_tokens(*tensors, torch.empty(0, dtype=torch.int64))
    nats.backward()
    assert nats.item() == 0 and all(not tensor.grad.any() for tensor in tensors)


@pytest.mark.parametrize("max_scores", [1 << 20, 1])
@pytest.mark.parametrize("smoothing", [0.1, 0.5])
def test_smoothed_labels_are_pytorchs(monkeypatch, smoothing, max_scores):
    monkeypatch.setattr(heads, "MAX_SCORES", max_scores)
    tensors, labels = inputs()
    scores = functional.linear(*tensors)
    expected = functional.cross_entropy(scores, labels, reduction="sum", label_smoothing=smoothing)
    nats, _ = predict_tokens(*tensors, labels, smoothing)
    assert nats.item() == pytest.approx(expected.item(), rel=1e-12)
    gradients = zip(torch.autograd.grad(nats, tensors), torch.autograd.grad(expected, tensors), strict=True)
    for ours, theirs in gradients:
        assert torch.allclose(ours, theirs, atol=1e-12)


# In bfloat16 all rows at once: each cut rounds the gradient of the weights once more.
@pytest.mark.parametrize(("dtype", "max_rows"), [(torch.float32, 140), (torch.float32, 300), (torch.bfloat16, 600)])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("n_tokens", [208, 211, 8 * 17 + 64_139 % 8, 8 * 17 + 30_145 % 8])
def test_padding_to_a_multiple_of_eight_changes_nothing(monkeypatch, n_tokens, smoothing, dtype, max_rows):
    tensors, labels = inputs(n=300, dim=16, n_tokens=n_tokens, dtype=torch.float32)
    labels[:3] = n_tokens - 1
    monkeypatch.setattr(heads, "MAX_SCORES", max_rows * n_tokens)

    def losses_and_gradients():
        with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
            nats, _ = predict_tokens(*tensors, labels, smoothing)
            correct = predict_tokens(*(tensor.detach() for tensor in tensors), labels, smoothing)
        return nats / 300, *torch.autograd.grad(nats / 300, tensors), correct[0] / 300, correct[1].float()

    plain = losses_and_gradients()
    monkeypatch.setattr(heads, "ALIGNMENT", {"cpu": (8, 128)})
    for ours, expected in zip(losses_and_gradients(), plain, strict=True):
        assert ours.shape == expected.shape and torch.allclose(ours, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("n_tokens", "device", "padding_and_rows"),
    [
        (64_139, "cuda", (5, 1024)),
        (64_139, "cpu", (0, (1 << 26) // 64_139)),
        (95_000, "cuda", (0, 640)),
        (600_000, "cuda", (0, 111)),
        (1 << 27, "cuda", (0, 1)),
    ],
)
def test_a_gpu_gets_whole_multiples(n_tokens, device, padding_and_rows):
    assert heads._padding_and_rows(n_tokens, torch.device(device)) == padding_and_rows


def test_a_padded_token_is_never_the_most_likely(monkeypatch):
    monkeypatch.setattr(heads, "ALIGNMENT", {"cpu": (8, 128)})
    tensors, labels = inputs(n_tokens=11)
    with torch.no_grad():
        tensors[2].fill_(-1e30)  # zero, the product of a padded token, would be the highest score
        guesses = functional.linear(*tensors).argmax(dim=-1)
        assert predict_tokens(*tensors, guesses)[1] == len(labels)
