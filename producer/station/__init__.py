"""One inspection station."""
