"""PIBT and LaCAM: configurations of the whole team."""
