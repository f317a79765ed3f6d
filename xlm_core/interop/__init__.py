"""Models and vocabularies from and for other programs."""
