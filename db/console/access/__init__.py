"""Who may do what in a browser."""
