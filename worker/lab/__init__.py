"""The lab's recipe."""
