"""What holds now, as plain variables: the last answer of each head and the last of each of its pockets.

For programs of a PLC, which read variables of simple types by names that stay, and often know neither events nor
structures. `Sequence` is written last: whoever sees a new one reads what belongs to it. And there is no state while the
rest is another check's: whoever reads in between must not take the one for the other's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import structlog
from asyncua import Server, ua
from asyncua.common.node import Node

from producer.connect.opcua.result import Result, evaluation_of
from producer.contract.answers import CheckAnswer, VerdictAnswer
from producer.contract.plant_event import PlantEvent
from producer.contract.plant_news import InsertChangeAnswer
from producer.pictures.file_names import MAX_POCKET

log = structlog.get_logger()

HEADS: Final = "Heads"
"""The browse name of the folder, below the vision system."""

MOST_HEADS: Final = 500
"""Heads that have variables: a station that makes up names must not fill this process. Others have events only."""

SEQUENCES: Final = 2**32
"""A sequence number that would be as high begins again at 0."""

VARIABLES: Final[Mapping[str, tuple[ua.VariantType, Any]]] = {
    "State": (ua.VariantType.String, ""),
    "Evaluation": (ua.VariantType.Int32, 0),
    "Replace": (ua.VariantType.Int32, []),
    "Review": (ua.VariantType.Int32, []),
    "Missing": (ua.VariantType.Int32, []),
    "Size": (ua.VariantType.Int32, 0),
    "Operation": (ua.VariantType.String, ""),
    "CheckId": (ua.VariantType.String, ""),
    "ResultId": (ua.VariantType.String, ""),
    "CreationTime": (ua.VariantType.DateTime, datetime.fromtimestamp(0, UTC)),
    "IsSimulated": (ua.VariantType.Boolean, False),
    "Sequence": (ua.VariantType.UInt32, 0),
    "PocketOutcome": (ua.VariantType.String, []),
    "PocketEvaluation": (ua.VariantType.Int32, []),
    "PocketSequence": (ua.VariantType.UInt32, 0),
}
"""The variables of a head, and what they hold before there is an answer. Down to `Sequence` they are of its last check;
the arrays of the pockets begin with pocket 1, and hold the last verdict of each."""


def of_newest_heads(shown: Sequence[tuple[int, PlantEvent]]) -> list[tuple[int, PlantEvent]]:
    """Of answers in the order in which they came those of the heads that were told last, as many as have variables."""
    last = {event.order: number for number, event in shown}
    newest = set(sorted(last, key=lambda head: last[head])[-MOST_HEADS:])
    return [(number, event) for number, event in shown if event.order in newest]


class HeadVariables:
    """The folder of the heads, filled as answers come."""

    def __init__(self, server: Server, index: int, parent: Node):
        """
        Args:
            server: whose address space it is.
            index: of our namespace.
            parent: the vision system.
        """
        self._server = server
        self._index = index
        self._parent = parent
        self._folder: Node | None = None
        self._pockets: dict[str, tuple[list[str], list[int]]] = {}
        self._too_many = False

    async def show(self, number: int, event: PlantEvent, result: Result) -> None:
        """Show an answer, if it is of a head; `number` rises from each to the next."""
        if not await self._has(result.part):
            return
        sequence = number % SEQUENCES
        match event.data:
            case CheckAnswer() as check:
                await self._write(result.part, event, {"State": "", "Evaluation": 0})
                values: dict[str, Any] = {
                    "Replace": check.replace,
                    "Review": check.review,
                    "Missing": check.missing,
                    "Size": check.size,
                    "Operation": check.operation,
                    "CheckId": str(check.check_id),
                    "ResultId": event.id,
                    "CreationTime": event.time.astimezone(UTC),
                    "IsSimulated": result.simulated,
                    "State": check.state,
                    "Evaluation": int(result.evaluation),
                    "Sequence": sequence,
                }
            case InsertChangeAnswer():  # what holds of the head is that it has no state
                values = {"State": "", "Evaluation": 0, "Sequence": sequence}
            case VerdictAnswer(pocket=pocket) as verdict if 1 <= pocket <= MAX_POCKET:
                outcomes, evaluations = self._pockets[result.part]
                missing = pocket - len(outcomes)
                outcomes.extend([""] * missing)
                evaluations.extend([0] * missing)
                outcomes[pocket - 1] = verdict.outcome
                evaluations[pocket - 1] = int(evaluation_of(event))
                values = {
                    "PocketOutcome": list(outcomes),
                    "PocketEvaluation": list(evaluations),
                    "PocketSequence": sequence,
                }
            case _:
                return
        await self._write(result.part, event, values)

    async def _write(self, part: str, event: PlantEvent, values: Mapping[str, Any]) -> None:
        """Write these in their order."""
        for name, value in values.items():
            await self._server.write_attribute_value(
                self._node_id(part, name),
                ua.DataValue(
                    ua.Variant(value, VARIABLES[name][0], is_array=isinstance(value, list)),
                    SourceTimestamp=event.time.astimezone(UTC),
                    ServerTimestamp=datetime.now(UTC),
                ),
            )

    async def _has(self, part: str) -> bool:
        """Whether that head has its variables, which are made when it is first heard of."""
        if not part:
            return False
        if part in self._pockets:
            return True
        if len(self._pockets) >= MOST_HEADS:
            if not self._too_many:
                log.error("more heads than there are variables for: of new ones there are events only", head=part)
            self._too_many = True
            return False
        if self._folder is None:
            self._folder = await self._parent.add_folder(
                ua.NodeId(HEADS, self._index), ua.QualifiedName(HEADS, self._index)
            )
        head = await self._folder.add_object(ua.NodeId(part, self._index), ua.QualifiedName(part, self._index))
        for name, (kind, value) in VARIABLES.items():
            await head.add_variable(
                self._node_id(part, name),
                ua.QualifiedName(name, self._index),
                ua.Variant(value, kind, is_array=isinstance(value, list)),
            )
        self._pockets[part] = ([], [])
        return True

    def _node_id(self, part: str, name: str) -> ua.NodeId:
        return ua.NodeId(f"{part}/{name}", self._index)
