"""Which tasks are practised."""
