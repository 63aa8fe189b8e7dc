"""The models that are fitted, and how they judge."""
