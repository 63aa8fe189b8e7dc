"""What commands that show the database share, those of `insert-worker` too: tables, and who is at the terminal."""
