"""How a command speaks: streams, colours, logs, errors in words."""
