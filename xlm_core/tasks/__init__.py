"""The tasks: each trains or measures a model and writes its result to a file."""
