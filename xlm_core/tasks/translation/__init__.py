"""Machine translation: training, decoding and evaluation (paper, sections 4.2 and 4.3)."""
