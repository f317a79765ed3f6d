"""Metrics: sums of losses, BLEU, sufficient statistics of samples, bootstrap."""
