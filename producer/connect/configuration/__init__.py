"""The connector's file: which systems are told what, and how each entry of it is spelled."""
