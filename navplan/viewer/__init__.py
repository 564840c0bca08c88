"""Pictures and a window; draws what it is given and knows nothing of planning."""
