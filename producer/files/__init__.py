"""Files and folders that are wholly there or not there at all."""
