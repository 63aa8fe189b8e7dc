"""The standard's own types, OPC 40100-1 (MachineVision), from the node set that the user has imported.

The file is the OPC Foundation's, and public; it does not come with this project. asyncua makes programs of what stands
in it, so it is looked at before: it may bring no entities, no names that are more than names, and no nodes of others.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree
from xml.parsers import expat

from producer.files.durable_files import write_file

NODE_SETS: Final = "nodesets"
"""The folder beside the delivery log in which it is kept."""

MACHINE_VISION: Final = "http://opcfoundation.org/UA/MachineVision"
"""The model that is used here."""

RESULT: Final = "http://opcfoundation.org/UA/Machinery/Result/"
"""OPC 40001-101, whose four words of the evaluation are used without its node set."""

BASE: Final = "http://opcfoundation.org/UA/"
"""The model of OPC UA itself, which every server has."""

BASE_VERSION: Final = (1, 5)
"""The version of it that asyncua 2 brings at least."""

LARGEST: Final = 20_000_000
"""Bytes of a node set; the largest that is published has 4 MB."""

_SCHEMA: Final = "{http://opcfoundation.org/UA/2011/03/UANodeSet.xsd}"
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_NODE_ID: Final = re.compile(r"ns=1;[isgb]=[^;]+\Z")


@dataclass(frozen=True)
class NodeSet:
    """A node set that may be used.

    Attributes:
        model: its URI.
        version: as it says, like 1.0.0.
        data: the file.
    """

    model: str
    version: str
    data: bytes

    @property
    def digest(self) -> str:
        """The SHA-256 of the file."""
        return hashlib.sha256(self.data).hexdigest()


def checked_node_set(data: bytes) -> NodeSet:
    """A file as a node set.

    Raises:
        ValueError: it is none, is none that is used here, or holds what it must not; in words.
    """
    if len(data) > LARGEST:
        raise ValueError(f"it has {len(data)} bytes, and a node set has {LARGEST} at most")
    root = _parsed(data)
    if root.tag != f"{_SCHEMA}UANodeSet":
        raise ValueError("it is no node set of OPC UA (UANodeSet)")
    models = root.findall(f"{_SCHEMA}Models/{_SCHEMA}Model")
    if len(models) != 1:
        raise ValueError(f"it says of {len(models)} models what they are, and a node set is of one")
    uri, version = models[0].get("ModelUri", ""), models[0].get("Version", "")
    if uri == RESULT:
        raise ValueError(
            "OPC 40001-101 (Machinery Result) is used without its node set, which asyncua cannot hold beside that of "
            "OPC 40100-1: both have a ResultDataType. Its words of the evaluation stand in each result"
        )
    if uri != MACHINE_VISION:
        raise ValueError(f"it is the model {uri}, and {MACHINE_VISION} is the one that is used here")
    uris = [node.text for node in root.findall(f"{_SCHEMA}NamespaceUris/{_SCHEMA}Uri")]
    if uris != [uri]:
        raise ValueError(f"it has the namespaces {', '.join(map(str, uris))}, and should have {uri} alone")
    for required in models[0].findall(f"{_SCHEMA}RequiredModel"):
        _check_required(required.get("ModelUri", ""), required.get("Version", ""))
    for node in root:
        _check_node(node)
    return NodeSet(uri, version, data)


def keep_node_set(folder: Path, node_set: NodeSet) -> Path:
    """Keep a node set in a folder, in place of the one before; where.

    Raises:
        OSError: it cannot be written.
    """
    file = folder / f"{node_set.digest}.xml"
    write_file(file, node_set.data)
    for other in folder.glob("*.xml"):
        if other != file:
            other.unlink()
    return file


def kept_node_set(folder: Path) -> NodeSet | None:
    """The node set that is kept in a folder; None where there is none.

    Raises:
        ValueError: it cannot be read, or is no longer what was imported.
    """
    files = sorted(folder.glob("*.xml"))
    if not files:
        return None
    again = "`insert-station connect opcua import` imports it again"
    try:
        node_set = checked_node_set(files[0].read_bytes())
    except (OSError, ValueError) as error:
        raise ValueError(f"the node set {files[0]} cannot be used: {error}; {again}") from None
    if len(files) > 1 or node_set.digest != files[0].stem:
        raise ValueError(f"the node set {files[0]} is not what was imported: remove it, and {again}")
    return node_set


def _parsed(data: bytes) -> ElementTree.Element:
    def refuse(name: str, *_: object) -> None:
        raise ValueError(f"it has a document type ({name}), which may bring entities: a node set has none")

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(data, True)
        return ElementTree.fromstring(data)  # noqa: S314 (without a document type there are no entities)
    except (expat.ExpatError, ElementTree.ParseError) as error:
        raise ValueError(f"it is no XML: {error}") from None


def _check_required(uri: str, version: str) -> None:
    if uri != BASE:
        raise ValueError(f"it needs the model {uri}, which is not there")
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    if numbers > BASE_VERSION:
        raise ValueError(f"it needs version {version} of OPC UA, and this is 1.05")


def _check_node(node: ElementTree.Element) -> None:
    """Whether a node is of this node set, and is called by a name where programs are made of it."""
    node_id = node.get("NodeId")
    if node_id is None:
        return
    if not _NODE_ID.match(node_id):
        raise ValueError(f"it defines the node {node_id}, which is not in its own namespace")
    if node.tag != f"{_SCHEMA}UADataType":
        return
    definition = node.find(f"{_SCHEMA}Definition")
    fields = [] if definition is None else list(definition)
    names = [node.get("BrowseName", "").rpartition(":")[2], *(field.get("Name", "") for field in fields)]
    if definition is not None:
        names.append(definition.get("Name", "").rpartition(":")[2])
    for name in names:
        if not _NAME.match(name):
            raise ValueError(f"the type {node_id} has the name {name!r}, which is none")
