"""`insert-worker demo`: a whole line with its data and report."""
