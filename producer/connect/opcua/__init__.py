"""OPC UA: the answers in the words of OPC 40100-1 and 40001-101, and who may read them."""
