"""What stations and workers say to each other."""
