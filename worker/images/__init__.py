"""Bytes and folders to pixels."""
