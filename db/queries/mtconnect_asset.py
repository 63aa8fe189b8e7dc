"""A head as an MTConnect cutting tool: a document of the Asset Information Model, each insert a cutting item.

Elements, their order and their words are those of MTConnect 2.0, Part 4.0 (assets) and its schema `MTConnectAssets`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Literal
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from db.engine.times import utc
from db.queries.head_inserts import HeadNow, InsertNow
from producer.contract.names import designation_form, safe_name

VERSION: Final = "2.0"
"""The version of MTConnect: what is written here is valid from 1.7 to 2.7, but for the namespace."""

NAMESPACE: Final = f"urn:mtconnect.org:MTConnectAssets:{VERSION}"

MEDIA_TYPE: Final = "application/xml"

Status = Literal["NEW", "USED", "EXPIRED", "BROKEN", "UNKNOWN"]
"""What a `CutterStatus` says here, of all that the standard has."""

_DAMAGED: Final[Mapping[str | None, Status]] = {"worn": "EXPIRED", "broken": "BROKEN"}
"""By the kind of damage, where it is known; EXPIRED says no more than that the insert must be replaced."""


def item_status(insert: InsertNow) -> Status:
    """The status of an insert.

    NEW is only an unused insert: one that a person has put in since the last operation, or for which the line counts no
    operation. Damage is what `_DAMAGED` says. An insert that a person must look at is
    UNKNOWN.
    """
    match insert.word:
        case "new":
            return "NEW"
        case "intact":
            return "NEW" if insert.operations == 0 else "USED"
        case "damaged":
            return _DAMAGED.get(insert.label, "EXPIRED")
    return "UNKNOWN"


def tool_status(inserts: Sequence[InsertNow]) -> list[Status]:
    """The status of a head: what its worst inserts are, UNKNOWN before USED, NEW where all are."""
    states = {item_status(insert) for insert in inserts}
    ended: tuple[Status, ...] = ("EXPIRED", "BROKEN")
    if states.intersection(ended):
        return [status for status in ended if status in states]
    if "UNKNOWN" in states:
        return ["UNKNOWN"]
    return ["NEW"] if states == {"NEW"} else ["USED"]


def document(head: HeadNow, created: datetime, sender: str) -> str:
    """The document of a head, in ASCII, so that it is the same in every encoding that a reader may expect.

    Args:
        head: what is known of it.
        created: when the document is made.
        sender: the host that makes it.
    """
    root = Element("MTConnectAssets", {"xmlns": NAMESPACE})
    SubElement(
        root,
        "Header",
        {
            "creationTime": utc(created),
            "sender": sender,
            "instanceId": "1",  # nothing is buffered here, so nothing begins anew
            "version": VERSION,
            "assetBufferSize": "1",
            "assetCount": "1",
            "deviceModelChangeTime": utc(head.at),  # must be there, and no device is described here
        },
    )
    SubElement(root, "Assets").append(_cutting_tool(head))
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, "us-ascii").decode("ascii")}\n'


def tag_of(head: HeadNow) -> str:
    """An `ETag` that stays as long as the tool does: a weak one, because each document says when it was made."""
    return f'W/"{hashlib.sha256(tostring(_cutting_tool(head))).hexdigest()[:32]}"'


def _cutting_tool(head: HeadNow) -> Element:
    # The line knows no serial number and no kind of a head: it is told apart by machine and head.
    names = safe_name(head.machine), safe_name(head.head)
    tool = Element(
        "CuttingTool",
        {
            "assetId": ":".join(names),
            "timestamp": utc(head.at),
            "deviceUuid": head.machine,
            "serialNumber": head.head,
            "toolId": names[1],
        },
    )
    life_cycle = SubElement(tool, "CuttingToolLifeCycle")
    life_cycle.append(_cutter_status(tool_status(head.inserts)))
    items = SubElement(life_cycle, "CuttingItems", {"count": str(len(head.inserts))})
    items.extend(_cutting_item(insert) for insert in head.inserts)
    return tool


def _cutting_item(insert: InsertNow) -> Element:
    item = Element("CuttingItem", {"indices": str(insert.pocket)})
    if insert.designation is not None:
        item.set("itemId", designation_form(insert.designation))
    item.append(_cutter_status([item_status(insert)]))
    SubElement(item, "Locus").text = f"INSERT: {insert.pocket}"
    if insert.operations is not None:
        item.append(_item_life(insert, insert.operations))
    return item


def _cutter_status(states: Sequence[Status]) -> Element:
    element = Element("CutterStatus")
    for status in states:
        SubElement(element, "Status").text = status
    return element


def _item_life(insert: InsertNow, operations: int) -> Element:
    """The operations that an insert has done, with those at which a tenth and half of such inserts are damaged."""
    # Of what the standard counts (minutes, parts, millimetres of wear) a piece of work of the head is a part.
    life = Element("ItemLife", {"type": "PART_COUNT", "countDirection": "UP"})
    if insert.remaining is not None:
        seen = insert.remaining.age  # it counts from there, however many operations nobody could tell of since
        life.set("warning", str(seen + insert.remaining.low))
        life.set("limit", str(seen + insert.remaining.operations))
    life.text = str(operations)
    return life
