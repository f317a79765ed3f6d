"""The Transformer of the paper, its heads, its initialization, and its files."""
