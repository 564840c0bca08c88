"""Compiled sensing: what bodies see of the walls."""
