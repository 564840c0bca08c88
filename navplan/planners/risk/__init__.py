"""Distance under a budget of risk, for one agent and for many that share it."""
