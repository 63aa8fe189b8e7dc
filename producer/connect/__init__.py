"""The way out: every answer of the line, carried on to the systems of the plant and kept until they have it."""
