"""Image stores: a folder, or an object store."""
