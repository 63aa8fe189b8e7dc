"""Terminal output of the commands: streams, colours, logs, error messages."""
