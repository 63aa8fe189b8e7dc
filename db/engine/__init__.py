"""Connections and versions."""
