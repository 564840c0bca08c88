"""Suite offline-mazes: what planning and learning from logs each bring, rung by rung."""
