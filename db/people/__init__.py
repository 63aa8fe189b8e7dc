"""The people who use the console: accounts, sessions, and the record of what was done."""
