"""Monitoring: heartbeat, watchdog, metrics."""
