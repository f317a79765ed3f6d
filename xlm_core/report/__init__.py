"""What a reader sees: tables beside the published numbers, training curves, and a picture of the objectives."""
