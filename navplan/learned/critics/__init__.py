"""Distance and risk, as networks say them."""
