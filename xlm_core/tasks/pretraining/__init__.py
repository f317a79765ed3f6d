"""Pretraining of encoders (paper, section 3)."""
