"""Who drives: the interface of low levels, and the unlearned ones by name."""
