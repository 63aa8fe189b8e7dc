"""Where a verdict came from: a small map over the photograph, as it is kept, and as it is drawn."""
