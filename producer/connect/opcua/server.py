"""Our OPC UA server: what it says of itself, how it listens, and what it shows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from asyncua import Server, ua
from asyncua.common.connection import TransportLimits
from asyncua.crypto.permission_rules import SimpleRoleRuleset
from cryptography import x509

from producer.connect.configuration.connector_file import OpcuaSink
from producer.connect.opcua.access import GuardedServer
from producer.connect.opcua.certificates import TrustedClients, application_uri, certificate_in, key_in, require_pair
from producer.connect.opcua.ended_connections import drop_ended
from producer.connect.opcua.head_variables import HeadVariables, of_newest_heads
from producer.connect.opcua.insert_changes import ReportInsertChange
from producer.connect.opcua.node_sets import kept_node_set
from producer.connect.opcua.result import result_of
from producer.connect.opcua.result_history import ResultHistory
from producer.connect.opcua.standard_types import standard_types
from producer.connect.opcua.types import NAMESPACE, own_types
from producer.connect.opcua.vision_system import VisionSystem
from producer.contract.plant_event import PlantEvent

LARGEST_MESSAGE: Final = 4_000_000
"""Bytes of a message at most: whoever has not said who it is must not fill our memory. Some clients take it as the
limit of what we answer too; a list of results and a queue full of events stay below it."""

_CHUNK: Final = 65_535


class ResultServer:
    """The server; nothing listens before `start`."""

    def __init__(self, site: str, configuration: OpcuaSink, refused: Path, node_sets: Path, report: ReportInsertChange):
        """Read what it needs.

        Args:
            site: the plant's, for what it says of itself.
            configuration: where it listens, and whom it lets in.
            refused: where certificates of unknown clients are kept.
            node_sets: where the standard's node set is kept, if it was imported.
            report: the method that others call where an insert was changed.

        Raises:
            ValueError: a file cannot be read.
        """
        self._site = site
        self._report = report
        self._configuration = configuration
        self._read_identity()  # says at once what cannot be read
        self._node_set = kept_node_set(node_sets)
        self._guarded = partial(
            GuardedServer, configuration.users_file, TrustedClients(configuration.trusted_folder, refused)
        )
        self._guarded()  # says at once what cannot be read
        self._server: Server | None = None
        self._system: VisionSystem | None = None
        self._heads: HeadVariables | None = None
        self._result_of: Callable[[PlantEvent], object]

    async def start(self, history: ResultHistory, shown: Callable[[], Sequence[tuple[int, PlantEvent]]]) -> None:
        """Build the address space with what holds now, and listen.

        Raises:
            OSError: the port cannot be had.
            ValueError: our certificate cannot be read or is not valid now, or the node set cannot be used.
        """
        self._read_identity()  # it may have been made anew
        if not _is_valid_now(self._certificate):
            raise ValueError(
                f"our certificate {self._configuration.certificate_file} is not valid now: "
                "`insert-station connect opcua certificate` makes a new one"
            )
        server = Server(self._guarded())
        server.application_type = ua.ApplicationType.Server
        server.limits = TransportLimits(_CHUNK, _CHUNK, LARGEST_MESSAGE // _CHUNK + 1, LARGEST_MESSAGE)
        server.product_uri = "urn:insert-inspection"
        server.manufacturer_name = "insert-inspection"
        server.set_server_name(f"insert inspection {self._site}")
        await server.init()
        await server.set_application_uri(self._uri)
        server.set_endpoint(self._configuration.address)
        parts = urlsplit(self._configuration.address)
        server.socket_address = (parts.hostname or "", parts.port or 4840)
        server.iserver.certificate = self._certificate
        await server.load_private_key(self._key, format="der")
        server.set_security_policy([ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt], SimpleRoleRuleset())
        index = await server.register_namespace(NAMESPACE)
        self._simulated = frozenset(self._configuration.simulated_machines)
        types = await (own_types(server, index) if self._node_set is None else standard_types(server, self._node_set))
        system = VisionSystem(server, index, types, history, lambda event: result_of(event, self._simulated))
        node = await system.build()
        await self._report.build(index, node)
        self._heads = HeadVariables(server, index, node)
        for number, event in of_newest_heads(shown()):
            await self._heads.show(number, event, result_of(event, self._simulated))
        await server.start()
        self._server, self._system = server, system
        self._dropping = asyncio.create_task(drop_ended(server))

    def has_other_identity(self) -> bool:
        """Whether the files have another certificate by now, with its key, than clients are shown."""
        try:
            certificate = certificate_in(self._configuration.certificate_file)
            if certificate == self._certificate:
                return False
            require_pair(certificate, key_in(self._configuration.key_file))
            application_uri(certificate)
        except ValueError:  # one of them is still to be written
            return False
        return _is_valid_now(certificate)

    def _read_identity(self) -> None:
        self._certificate = certificate_in(self._configuration.certificate_file)
        self._key = key_in(self._configuration.key_file)
        require_pair(self._certificate, self._key)
        self._uri = application_uri(self._certificate)

    async def tell(self, changes: Iterable[tuple[tuple[int, PlantEvent] | None, PlantEvent | None]]) -> None:
        """Show the first event of each, by its number, and send the second, in this order; either may be missing."""
        if self._heads is None or self._system is None:
            raise RuntimeError("the server was not started")
        for shows, event in changes:
            if shows is not None:
                await self._heads.show(*shows, result_of(shows[1], self._simulated))
            if event is not None:
                await self._system.tell(result_of(event, self._simulated))
            await asyncio.sleep(0)  # others are answered, and events go out, in between

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._dropping.cancel()
            await self._server.stop()
            self._server = None


def _is_valid_now(certificate: x509.Certificate) -> bool:
    return certificate.not_valid_before_utc <= datetime.now(UTC) <= certificate.not_valid_after_utc
