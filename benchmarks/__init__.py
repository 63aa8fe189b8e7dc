"""Measurements of the project's promises about speed; `python -m benchmarks.run` runs them."""
