"""The reader of a page: in which language it is written, and how numbers and moments are."""
