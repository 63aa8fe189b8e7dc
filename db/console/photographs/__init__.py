"""Photographs in the form that a browser may have: by capture, decoded, made small and encoded again."""
