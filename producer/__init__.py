"""The station's side of the line: an image in, a capture event out, the verdict back."""
