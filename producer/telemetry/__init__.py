"""Metrics over HTTP, shared with the worker."""
