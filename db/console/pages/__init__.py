"""What a browser can ask for: one module for each page."""
