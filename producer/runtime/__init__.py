"""What any process needs, of whatever package: periodic work, growing pauses, outages said once, types of arrays."""
