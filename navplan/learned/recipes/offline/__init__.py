"""Recipe `offline`: critics and a policy from logs, without a simulator."""
