"""What is configured, checked before it is used: paths, URLs and ports."""
