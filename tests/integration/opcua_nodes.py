"""The nodes that the standard gives every server of OPC UA: to make them takes longer than all else of its start.

They are made when this is imported, by a process from which servers are forked.
"""

from __future__ import annotations

from asyncua.server.address_space import AddressSpace, NodeManagementService
from asyncua.server.standard_address_space import standard_address_space

STANDARD = AddressSpace()
standard_address_space.fill_address_space(NodeManagementService(STANDARD))
