"""The delivery log: what each sink is to be told and was told, what it shows, and when it is tried again."""
