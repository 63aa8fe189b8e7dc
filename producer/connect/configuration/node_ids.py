"""NodeIds in the connector's file: one spelling for each variable, so that none is there twice unseen."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from uuid import UUID


def as_spelled(node: str) -> str:
    """The one spelling of a NodeId: numbers without zeros before them, no namespace where it is 0.

    Raises:
        ValueError: it is none.
    """
    first, _, rest = node.partition(";")
    index, identifier = (int(first[3:]), rest) if first.startswith("ns=") else (0, node)
    kind, _, value = identifier.partition("=")
    try:
        match kind:
            case "i":
                value = str(int(value))
            case "g":
                value = str(UUID(value))
            case "b":
                value = base64.b64encode(base64.b64decode(value, validate=True)).decode()
    except (ValueError, binascii.Error):
        raise ValueError(f"{node} is no NodeId: copy it from the PLC's server") from None
    return f"ns={index};{kind}={value}" if index else f"{kind}={value}"


def in_namespaces(node: str, former: Sequence[str], present: Sequence[str]) -> str:
    """A NodeId whose index is of the namespaces `former`, by the order in which a server has them now.

    Raises:
        ValueError: the server has that namespace no more.
    """
    first, _, identifier = node.partition(";")
    index = int(first[3:]) if first.startswith("ns=") else 0
    if not 1 < index < len(former):  # the standard's and the server's own stay; where there was none the server says so
        return node
    if former[index] not in present:
        raise ValueError(f"{node}: the PLC has the namespace {former[index]} no more")
    return f"ns={present.index(former[index])};{identifier}"
