"""Readers of the publishers' file formats: each yields raw records, which are lists of fields."""
