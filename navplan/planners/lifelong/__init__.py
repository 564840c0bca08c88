"""Goals that keep coming."""
