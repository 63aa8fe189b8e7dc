"""What is asked across line and learning."""
