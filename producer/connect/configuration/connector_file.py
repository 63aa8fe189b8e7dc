"""The connector's file, TOML: which systems are told what, and how they are reached."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, get_args
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from producer.configuration.home_folder import at_home
from producer.configuration.toml_file import read_toml
from producer.connect.configuration.allow_list import checked_entry, network_in
from producer.connect.configuration.node_ids import as_spelled
from producer.contract.answers import CheckAnswer, VerdictAnswer
from producer.contract.names import NARROW, Name
from producer.contract.plant_event import EventKind, PlantEvent
from producer.contract.plant_news import Hold, InsertChangeAnswer
from producer.contract.vocabulary import SIMULATED_MACHINE
from producer.terminal.error_text import in_words

_HEADERS: Final = "[mqtt.NAME], [webhook.NAME], [opcua.NAME] or [plc.NAME]"

_File = Annotated[Path, Field(strict=False), AfterValidator(at_home)]
_Text = Annotated[str, Field(min_length=1)]
_NodeId = Annotated[str, Field(pattern=r"^(ns=\d+;)?[isgb]=.+$"), AfterValidator(as_spelled)]
_SinkName = Annotated[str, Field(pattern=f"^{NARROW}$")]


def _url(schemes: Mapping[str, int]) -> AfterValidator:
    def check(url: str) -> str:
        shown = " or ".join(f"{scheme}://" for scheme in schemes)
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ValueError(f"it cannot be read: write it like {next(iter(schemes))}://HOST") from None
        if parts.scheme not in schemes or not parts.hostname or port == 0:
            raise ValueError(f"it must begin with {shown} and name a host")
        if "@" in parts.netloc:
            raise ValueError("remove the part before the @: each client has a key and files of its own")
        return url

    return AfterValidator(check)


def _one_address(sinks: Mapping[str, MqttSink] | Mapping[str, PlcSink], port: int) -> tuple[str, str] | None:
    """The names of two sinks at one address, if there are such; `port` is that of a URL without one."""
    names: dict[tuple[str | None, int], str] = {}
    for name, sink in sinks.items():
        parts = sink.parts
        default = 8883 if parts.scheme == "mqtts" else port
        if (other := names.setdefault((parts.hostname, parts.port or default), name)) != name:
            return other, name
    return None


def _check_user(user: str | None, password_file: Path | None) -> None:
    if (user is None) != (password_file is None):
        raise ValueError("user and password_file belong together")


class _Sink(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    shows_state: ClassVar[bool] = False
    """Whether it shows what holds: such a one begins with what the stream has (`producer.connect.initial_state`)."""

    kinds: Annotated[tuple[EventKind, ...], Field(strict=False, min_length=1)] = get_args(EventKind)
    machines: Annotated[tuple[Name, ...] | None, Field(strict=False, min_length=1)] = None

    def wants(self, event: PlantEvent) -> bool:
        """Whether this system is told `event`; what names no machine, as faults do, every system has that wants it."""
        return event.kind in self.wanted_kinds and (
            self.machines is None or event.machine is None or event.machine in self.machines
        )

    @property
    def wanted_kinds(self) -> tuple[EventKind, ...]:
        """The kinds of events that it is told."""
        return self.kinds


class _StateSink(_Sink):
    """One that shows what holds. A changed insert, a verdict and a hold take away what a check says of its head."""

    shows_state: ClassVar[bool] = True

    @property
    def wanted_kinds(self) -> tuple[EventKind, ...]:
        """Whoever is told checks is told changed inserts, verdicts, holds and restored backups too."""
        return (*self.kinds, "insert_change", "verdict", "hold", "restored") if "check" in self.kinds else self.kinds


class MqttSink(_StateSink):
    """A broker."""

    url: Annotated[str, _url({"mqtt": 1883, "mqtts": 8883})]
    user: _Text | None = None
    password_file: _File | None = None
    ca_file: _File | None = None
    cert_file: _File | None = None
    key_file: _File | None = None
    version: Literal["3.1.1", "5"] = "5"
    home_assistant: bool = False
    commands: bool = False

    @model_validator(mode="after")
    def _is_whole(self) -> MqttSink:
        _check_user(self.user, self.password_file)
        if self.key_file is not None and self.cert_file is None:
            raise ValueError("key_file needs its cert_file")
        if self.parts.scheme == "mqtt" and (self.ca_file is not None or self.cert_file is not None):
            raise ValueError("ca_file and cert_file are of mqtts://: with mqtt:// all goes in the clear")
        return self

    @property
    def parts(self) -> SplitResult:
        """The URL's parts."""
        return urlsplit(self.url)


class WebhookSink(_Sink):
    """An address that events are sent to by HTTP."""

    url: Annotated[str, _url({"https": 443, "http": 80})]
    secret_files: Annotated[tuple[_File, ...], Field(strict=False, min_length=1)]
    allow: Annotated[tuple[Annotated[str, AfterValidator(checked_entry)], ...], Field(strict=False, min_length=1)]
    ca_file: _File | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> WebhookSink:
        if self.ca_file is not None and self.parts.scheme == "http":
            raise ValueError("ca_file is of https://: with http:// all goes in the clear")
        return self

    @property
    def parts(self) -> SplitResult:
        """The URL's parts."""
        return urlsplit(self.url)

    @property
    def hosts(self) -> frozenset[str]:
        """The names in `allow`."""
        return frozenset(entry.lower() for entry in self.allow if network_in(entry) is None)

    @property
    def networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The networks in `allow`."""
        return tuple(network for entry in self.allow if (network := network_in(entry)) is not None)


class OpcuaSink(_StateSink):
    """A server of our own, by OPC UA."""

    address: Annotated[str, _url({"opc.tcp": 4840})]
    certificate_file: _File
    key_file: _File
    users_file: _File
    trusted_folder: _File
    simulated_machines: Annotated[tuple[Name, ...], Field(strict=False)] = (SIMULATED_MACHINE,)


class PlcHead(BaseModel):
    """A head, and the PLC's variables for it: NodeIds as the PLC's server shows them."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    machine: Name
    head: Name
    state: _NodeId
    sequence: _NodeId
    replace: _NodeId | None = None
    review: _NodeId | None = None
    operation: _NodeId | None = None
    check_id: _NodeId | None = None

    @property
    def named(self) -> list[str]:
        """Every variable of the head, as the file names them."""
        named = (self.state, self.sequence, self.replace, self.review, self.operation, self.check_id)
        return [node for node in named if node is not None]


class PlcSink(BaseModel):
    """A PLC's own OPC UA server, whose variables are written."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    shows_state: ClassVar[bool] = True

    url: Annotated[str, _url({"opc.tcp": 4840})]
    security: Literal["Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss", "none"] = "Basic256Sha256"
    certificate_file: _File | None = None
    key_file: _File | None = None
    server_certificate_file: _File | None = None
    user: _Text | None = None
    password_file: _File | None = None
    heartbeat: _NodeId
    head: Annotated[tuple[PlcHead, ...], Field(strict=False, min_length=1)]

    @model_validator(mode="after")
    def _is_secure(self) -> PlcSink:
        files = (self.certificate_file, self.key_file, self.server_certificate_file)
        if self.security != "none" and None in files:
            raise ValueError(
                'certificate_file, key_file and server_certificate_file are needed, except with security = "none"'
            )
        if self.security == "none" and self.password_file is not None:
            raise ValueError("a password would be sent in the clear: take user and password_file away, or use security")
        _check_user(self.user, self.password_file)
        heads = [(head.machine, head.head) for head in self.head]
        if twice := {head for head in heads if heads.count(head) > 1}:
            raise ValueError(f"{' '.join(min(twice))} is there twice: one [[plc.NAME.head]] a head")
        nodes = [self.heartbeat, *(node for head in self.head for node in head.named)]
        if shared := {node for node in nodes if nodes.count(node) > 1}:
            raise ValueError(
                f"{min(shared)} is there twice: each variable of the PLC has one meaning, and is of one head"
            )
        return self

    @property
    def parts(self) -> SplitResult:
        """The URL's parts."""
        return urlsplit(self.url)

    def of(self, event: PlantEvent) -> PlcHead | None:
        """The variables of the head that `event` is a check, an insert change or a hold of, where it has some."""
        return self._of_place(event) if isinstance(event.data, CheckAnswer | Hold | InsertChangeAnswer) else None

    def wants(self, event: PlantEvent) -> bool:
        """Whether `event` says something of a head that the PLC has variables for: an `intact` insert says nothing."""
        return self._of_place(event) is not None and getattr(event.data, "outcome", None) != "intact"

    def _of_place(self, event: PlantEvent) -> PlcHead | None:
        if not isinstance(event.data, CheckAnswer | Hold | InsertChangeAnswer | VerdictAnswer):
            return None
        where = (event.data.machine, event.data.head)
        return next((head for head in self.head if (head.machine, head.head) == where), None)


Configured = MqttSink | WebhookSink | OpcuaSink | PlcSink
"""How any system is configured."""


class ConnectorFile(BaseModel):
    """What the file says."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    site: Name
    mqtt: dict[_SinkName, MqttSink] = Field(default_factory=dict)
    webhook: dict[_SinkName, WebhookSink] = Field(default_factory=dict)
    opcua: dict[_SinkName, OpcuaSink] = Field(default_factory=dict, max_length=1)
    plc: dict[_SinkName, PlcSink] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_whole(self) -> ConnectorFile:
        if twice := _one_address(self.plc, 4840):
            raise ValueError(f"plc.{twice[0]} and plc.{twice[1]} are one PLC: put all its heads into one of them")
        if twice := _one_address(self.mqtt, 1883):
            raise ValueError(
                f"mqtt.{twice[0]} and mqtt.{twice[1]} are one broker, at which a site is one client: make one of them"
            )
        return self

    def sinks(self) -> Iterator[tuple[str, Configured]]:
        """Every system, by its name."""
        yield from self.mqtt.items()
        yield from self.webhook.items()
        yield from self.opcua.items()
        yield from self.plc.items()


def read_connector_file(path: Path) -> ConnectorFile:
    """The connector's file.

    Raises:
        ValueError: it cannot be read, is no TOML, or says what it cannot say; in words.
    """
    document: dict[str, Any] = read_toml(
        path,
        what="connector's file",
        example="`insert-station connect example` prints one",
        hint=f"A system begins with {_HEADERS}, once; all texts stand in quotation marks",
    )
    try:
        file = ConnectorFile.model_validate(document)
    except ValidationError as error:
        raise ValueError(f"{path}: {in_words(error, 'the file')}") from None
    names = [name for name, _ in file.sinks()]
    if not names:
        raise ValueError(f"{path} names no system to tell: add {_HEADERS}")
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"{path}: {min(twice)} is there twice: give each system a name of its own")
    return file
