"""How much a plant needs."""
