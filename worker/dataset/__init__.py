"""A folder of labelled photographs."""
