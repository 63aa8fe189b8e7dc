"""What the name and the bytes of a photograph's file say."""
