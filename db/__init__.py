"""What the system knows: captures, verdicts, faults and models in one SQL database."""
