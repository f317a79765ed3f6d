"""Word embeddings across languages (paper, sections 4.5 and 5.5)."""
