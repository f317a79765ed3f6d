"""Cross-lingual language model pretraining, from raw text to the last table cell (Conneau & Lample 2019)."""
