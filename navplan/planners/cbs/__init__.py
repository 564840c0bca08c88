"""Conflict trees: CBS, ECBS, EECBS and what bounds and prunes them."""
