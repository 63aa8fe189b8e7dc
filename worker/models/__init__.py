"""What is fitted, and what judges."""
