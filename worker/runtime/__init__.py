"""What any process of the worker needs, whatever it does."""
