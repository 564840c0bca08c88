"""Whole learners: how data are gathered and networks updated."""
