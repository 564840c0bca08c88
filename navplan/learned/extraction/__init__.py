"""What policies learn from logs and critics, one way a file."""
