"""Delivery: the outbox, sending with retries, and reading the answers."""
