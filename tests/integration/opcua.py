"""The other side of OPC UA: what a server of ours needs, and a client that comes to it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from asyncua import ua
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256
from asyncua.sync import Client, ThreadLoop

from producer.connect.opcua.certificates import new_certificate
from producer.connect.opcua.node_sets import MACHINE_VISION
from producer.connect.opcua.types import IDS, NAMESPACE
from producer.connect.opcua.users import user_line
from tests.support import SHARED
from worker.embedded.redis_server import free_port

NODE_SET = SHARED / "data" / "nodesets" / "Opc.Ua.MachineVision.NodeSet2.xml"
needs_node_set = pytest.mark.skipif(not NODE_SET.exists(), reason="the OPC Foundation's node set is not here")

PASSWORD = "a good password"


def identity(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate and a key, as an application of that name has them."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key.pem"
    if not certificate.exists():
        key_text, text = new_certificate(f"urn:{name}", ["127.0.0.1"], 2)
        certificate.write_bytes(text)
        key.write_bytes(key_text)
    return certificate, key


class Plant:
    """What stands around a server: certificates, users, whom it trusts; and the connector's file for it."""

    def __init__(self, folder: Path, sink: str = "cell"):
        self.folder = folder
        self.sink = sink
        self.port = free_port()
        self.server = identity(folder, "server")
        self.client = identity(folder, "client")
        self.users = folder / "users"
        self.users.write_text(user_line("plc", PASSWORD) + "\n", encoding="utf-8")
        self.trusted = folder / "trusted"
        self.trusted.mkdir()
        self.trust(self.client[0])

    def trust(self, certificate: Path) -> None:
        (self.trusted / certificate.name).write_bytes(certificate.read_bytes())

    @property
    def url(self) -> str:
        return f"opc.tcp://127.0.0.1:{self.port}"

    def file(self, more: str = "") -> str:
        return (
            f'site = "plant-1"\n[opcua.{self.sink}]\naddress = "{self.url}"\ncertificate_file = "{self.server[0]}"\n'
            f'key_file = "{self.server[1]}"\nusers_file = "{self.users}"\ntrusted_folder = "{self.trusted}"\n{more}'
        )

    def new_client(
        self, loop: ThreadLoop, own: tuple[Path, Path] | None = None, user: str | None = "plc", password: str = PASSWORD
    ) -> Client:
        """A client, not connected yet."""
        certificate, key = own or self.client
        client = Client(self.url, timeout=30, tloop=loop, watchdog_intervall=30)  # this machine may be busy
        client.application_uri = f"urn:{certificate.stem}"
        client.set_security(
            SecurityPolicyBasic256Sha256, str(certificate), str(key), server_certificate=str(self.server[0])
        )
        if user is not None:
            client.set_user(user)
            client.set_password(password)
        return client

    @contextmanager
    def session(self, **chosen: Any) -> Iterator[Session]:
        with ThreadLoop(timeout=30) as loop:
            client = self.new_client(loop, **chosen)
            client.connect()
            try:
                yield Session(client)
            finally:
                with suppress(ConnectionError, TimeoutError, ua.UaError):  # the server may be dead by now
                    client.disconnect()


class Session:
    """A client that is connected."""

    def __init__(self, client: Client):
        self.client = client
        self.ns = client.get_namespace_index(NAMESPACE)
        uris = client.get_namespace_array()
        self.types = uris.index(MACHINE_VISION) if MACHINE_VISION in uris else self.ns
        self.system = client.nodes.objects.get_child(f"{self.ns}:VisionSystem")
        self.heard: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._loaded = False

    def event_notification(self, event: Any) -> None:
        with self._lock:
            self.heard.append({name: value for name, value in vars(event).items() if not name.startswith("_")})

    def status_change_notification(self, status: Any) -> None:
        pass

    def subscribe(self, source: Any = None) -> None:
        kind = self.client.get_node(ua.ObjectIds.BaseEventType).get_child(
            [f"{self.types}:ResultReadyEventType", f"{self.ns}:InsertResultReadyEventType"]
        )
        subscription = self.client.create_subscription(50, self)
        subscription.subscribe_events(source or self.system, kind)

    def variable(self, head: str, name: str) -> Any:
        return self.client.get_node(f"ns={self.ns};s={head}/{name}").read_value()

    def results(self, most: int = 0, start: int = 0, state: int = 0, **ids: str) -> tuple[list[Any], bool]:
        """What GetResultListFiltered answers."""
        names = ("MeasId", "PartId", "ExternalRecipeId", "InternalRecipeId", "ExternalConfigurationId")
        names += ("InternalConfigurationId", "ProductId", "JobId")  # type: ignore[assignment]
        kinds = [self._kind(name) for name in names]
        structures = [kind(Id=ids.get(name, "")) for name, kind in zip(names, kinds, strict=True)]
        number = ua.VariantType.UInt32
        management = self.system.get_child(f"{self.types}:ResultManagement")
        complete, count, _handle, listed, error = management.call_method(
            f"{self.types}:GetResultListFiltered",
            ua.Variant(state, ua.VariantType.Int32),
            *(ua.Variant(each, ua.VariantType.ExtensionObject) for each in structures),
            *(ua.Variant(each, number if 0 <= each < 2**32 else ua.VariantType.Int64) for each in (most, start)),
            ua.Variant(0, ua.VariantType.Int32),
        )
        assert count == len(listed or [])
        assert error == 0
        return listed or [], complete

    def all_results(self, piece: int = 100) -> list[Any]:
        """Everything that is listed, asked for piece by piece, the oldest first."""
        found: list[Any] = []
        complete = False
        while not complete:
            listed, complete = self.results(most=piece, start=len(found))
            found += listed
        return found[::-1]

    def result(self, result_id: str) -> tuple[Any, int]:
        management = self.system.get_child(f"{self.types}:ResultManagement")
        _handle, result, error = management.call_method(
            f"{self.types}:GetResultById",
            ua.Variant(self._kind("ResultId")(Id=result_id), ua.VariantType.ExtensionObject),
            ua.Variant(0, ua.VariantType.Int32),
        )
        return result, error

    def load(self) -> None:
        """Learn what structures there are; it takes its time."""
        if not self._loaded:
            for name in {*IDS.values(), "ResultDataType"}:  # asyncua keeps classes by name, those of another server too
                if hasattr(ua, name):
                    delattr(ua, name)
            self.client.load_data_type_definitions()
            self._loaded = True

    def _kind(self, name: str) -> Any:
        self.load()
        return getattr(ua, IDS[name])


def event_of(result: Any) -> dict[str, Any]:
    """The plant's event that stands in a result."""
    _evaluation, _word, text = (each.Value for each in result.ResultContent)
    event: dict[str, Any] = json.loads(text)
    return event


def ids(results: Sequence[Any]) -> list[str]:
    return [result.ResultId.Id for result in results]
