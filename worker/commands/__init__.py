"""The command `insert-worker`."""
