"""Celery and Redis."""
