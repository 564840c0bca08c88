"""Simulators of bodies in a world, and their Gymnasium and PettingZoo faces."""
