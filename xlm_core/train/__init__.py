"""The training engine: schedule, optimizer, state, loop and log. It knows nothing of objectives."""
