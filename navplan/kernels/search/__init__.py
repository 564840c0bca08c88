"""Shortest paths, with and without time, constraints and reservations."""
