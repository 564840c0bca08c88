"""Suites that time navplan beside a named peer."""
