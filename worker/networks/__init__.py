"""Networks as LiteRT files: built from a backbone and its weights, kept under their digests, run without TensorFlow."""
