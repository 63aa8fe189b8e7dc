"""The command `insert-station`."""
