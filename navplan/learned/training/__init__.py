"""From an untrained learner to a run directory, and back."""
