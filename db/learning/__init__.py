"""What people and models say."""
