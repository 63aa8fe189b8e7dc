"""The worker's side of the line: capture events in, verdicts out, and the models that decide them."""
