"""The systems that answers are carried on to, each in a module of its own."""
