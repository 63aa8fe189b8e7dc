"""One connection to a PLC's server: its variables by the names of the connector's file, read and written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from asyncua import Client, ua

from producer.connect.configuration.node_ids import in_namespaces
from producer.connect.opcua.plc_values import Variable, alone

VARIABLES_AT_ONCE: Final = 100
"""Variables that are read in one call: a PLC takes so many, and no more."""


class PlcConnection:
    """A client for one connection. A namespace's index is good for one alone: the PLC may have another order next."""

    def __init__(self, client: Client):
        """Nothing is connected yet; `client` knows how."""
        self._client = client
        self._former: list[str] = []
        self._present: list[str] = []
        self.variables: dict[str, Variable] = {}
        """What the PLC says that each variable is."""

    async def connect(self, namespaces: Callable[[list[str]], list[str]], nodes: Collection[str]) -> None:
        """Be let in, and learn what the variables are.

        Args:
            namespaces: given the URIs of the PLC's namespaces, those by which the file's indexes count.
            nodes: the variables, as the file names them.

        Raises:
            OSError, TimeoutError, ua.UaError: the PLC cannot be reached, or does not let us in.
            ValueError: it has not the variables.
        """
        await self._client.connect()
        self._present = await self._client.get_namespace_array()
        self._former = namespaces(self._present)
        for node in nodes:
            self.variables[node] = await self.variable(node)

    @property
    def address(self) -> str:
        """Where the PLC is, whatever name it was reached by.

        Raises:
            OSError: the connection was lost.
        """
        protocol = self._client.uaclient.protocol
        if protocol is None or protocol.transport is None:
            raise OSError("the connection was lost")
        host, port, *_ = protocol.transport.get_extra_info("peername")
        return f"{host}:{port}"

    async def disconnect(self) -> None:
        """End it."""
        await self._client.disconnect()

    async def variable(self, name: str) -> Variable:
        """What the PLC says that a variable is.

        Raises:
            ValueError: there is none by that NodeId.
        """
        try:
            node = self._client.get_node(self._node_id(name))
            kind, value = await asyncio.gather(node.read_data_type_as_variant_type(), node.read_value())
        except ua.UaError as error:
            raise ValueError(f"{name} cannot be read: {error}") from None
        return Variable(name, kind, len(value) if isinstance(value, list) else None)

    async def holds(self, values: Mapping[str, ua.Variant]) -> bool:
        """Whether the PLC has these values."""
        held = await self.values([*values])
        # Some servers have no text where it is empty.
        return all(
            one == value.Value or (one is None and not value.Value)
            for value, one in zip(values.values(), held, strict=True)
        )

    async def values(self, names: Sequence[str]) -> list[Any]:
        """What the PLC has in these variables."""
        held: list[Any] = []
        for first in range(0, len(names), VARIABLES_AT_ONCE):
            nodes = [self._client.get_node(self._node_id(name)) for name in names[first : first + VARIABLES_AT_ONCE]]
            held += await self._client.read_values(nodes)
        return held

    async def write(self, values: Mapping[str, ua.Variant]) -> None:
        """Write these in one call.

        Raises:
            ValueError: the PLC does not take one.
        """
        nodes = [ua.NodeId.from_string(self._node_id(name)) for name in values]
        answers = await self._client.uaclient.write_attributes(nodes, list(map(alone, values.values())))
        for name, answer in zip(values, answers, strict=True):
            if not answer.is_good():
                raise ValueError(f"{name} cannot be written: {answer.name}")

    def _node_id(self, name: str) -> str:
        return in_namespaces(name, self._former, self._present)
