"""Photographs as a browser may have them: by capture, decoded, made small and encoded anew."""
