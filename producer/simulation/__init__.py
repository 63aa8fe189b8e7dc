"""Rendered inserts."""
