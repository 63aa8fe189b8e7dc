"""What the pages can do, for programs: `/api/v1`."""
