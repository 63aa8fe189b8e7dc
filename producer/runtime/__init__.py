"""What any process needs, of whatever package: periodic work, growing pauses, and outages said once."""
