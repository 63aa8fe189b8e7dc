"""The embedded system: every process of a line on one machine."""
