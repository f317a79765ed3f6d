import torch

from xlm_core.model.heads import ClassificationHead


def test_only_the_first_state_is_read():
    head = ClassificationHead(dim=8, n_classes=3, dropout=0.5).eval()
    hidden = torch.randn(4, 6, 8)
    scores = head(hidden)
    hidden[:, 1:] = 0
    assert scores.shape == (4, 3)
    assert torch.equal(head(hidden), scores)
