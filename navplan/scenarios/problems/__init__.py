"""Problem sets and the oracle that says what they cost at best."""
