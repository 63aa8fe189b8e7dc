"""The path of one capture, from its message to its answer."""
