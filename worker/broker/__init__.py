"""Celery and Redis, with their workarounds."""
