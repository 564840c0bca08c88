"""Configurations of the whole team: PIBT and LaCAM*."""
