"""How good critics and policies are, measured."""
