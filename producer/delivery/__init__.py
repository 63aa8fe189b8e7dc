"""What is kept until it is answered."""
