"""Use of trained models on raw text."""
