"""The console: pages on which people see the line, review photographs and find what happened."""
