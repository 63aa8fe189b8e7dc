"""News for pages that stay open."""
