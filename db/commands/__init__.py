"""The command `insert-db`."""
