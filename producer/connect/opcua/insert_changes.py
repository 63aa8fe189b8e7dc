"""The method by which a PLC or an operator's panel says that an insert was changed."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from uuid import uuid4

import structlog
from asyncua import ua
from asyncua.common.node import Node
from pydantic import ValidationError

from producer.connect.insert_change_outbox import InsertChangeOutbox
from producer.connect.opcua.access import caller
from producer.connect.opcua.users import users_in
from producer.contract.insert_change import InsertChange
from producer.terminal.error_text import in_words

log = structlog.get_logger()

NAME: Final = "ReportInsertChange"
"""The method's browse name, at the vision system."""

_INPUTS: Final = (
    ("Machine", ua.ObjectIds.String),
    ("Head", ua.ObjectIds.String),
    ("Pocket", ua.ObjectIds.Int32),
    ("First", ua.ObjectIds.String),
    ("ChangeId", ua.ObjectIds.String),
)
_OUTPUTS: Final = (("ChangeId", ua.ObjectIds.String),)


class ReportInsertChange:
    """The method: it returns when the change is on our disk; what became of it is an event of its own."""

    def __init__(self, changes: InsertChangeOutbox, sink: str, users: Path):
        """
        Args:
            changes: where it is kept.
            sink: our name in the connector's file.
            users: the users' file, which says who may call it; what it says counts at once.
        """
        self._changes = changes
        self._sink = sink
        self._users = users

    async def build(self, index: int, parent: Node) -> None:
        """Make it below `parent`."""
        inputs, outputs = (
            [ua.Argument(Name=name, DataType=ua.NodeId(kind), ValueRank=-1) for name, kind in described]
            for described in (_INPUTS, _OUTPUTS)
        )
        node_id = ua.NodeId(f"{parent.nodeid.Identifier}.{NAME}", index)
        await parent.add_method(node_id, ua.QualifiedName(NAME, index), self._report, inputs, outputs)

    async def _report(self, _: ua.NodeId, *arguments: ua.Variant) -> Sequence[ua.Variant] | ua.StatusCode:
        user = caller()
        if user is None or not self._may_call(user):
            log.error(
                "an insert change was refused: its user may not tell any",
                user=user,
                hint="`insert-station connect opcua user NAME --insert-changes` prints the line of one that may",
            )
            return ua.StatusCode(ua.StatusCodes.BadUserAccessDenied)
        if len(arguments) != len(_INPUTS):
            return ua.StatusCode(ua.StatusCodes.BadArgumentsMissing)
        if wrong := _of_another_type(arguments):
            log.error("an insert change was passed over: arguments are of another type", user=user, arguments=wrong)
            return ua.StatusCode(ua.StatusCodes.BadInvalidArgument)
        machine, head, pocket, first, change_id = (argument.Value for argument in arguments)
        fields = {"machine": machine, "head": head, "pocket": pocket, "by": user}
        fields |= {"first": first or None, "change_id": change_id or str(uuid4())}
        try:
            change = InsertChange.model_validate(fields, strict=False)
            await asyncio.to_thread(self._changes.keep, change, self._sink)
        except ValidationError as error:
            log.error("an insert change was passed over", user=user, problem=in_words(error, "the change"))
            return ua.StatusCode(ua.StatusCodes.BadInvalidArgument)
        except ValueError as error:
            log.error("an insert change was passed over", user=user, problem=str(error))
            return ua.StatusCode(ua.StatusCodes.BadInvalidArgument)
        except sqlite3.Error as error:
            log.error("an insert change cannot be kept", user=user, problem=str(error))
            return ua.StatusCode(ua.StatusCodes.BadResourceUnavailable)
        return [ua.Variant(str(change.change_id), ua.VariantType.String)]

    def _may_call(self, name: str) -> bool:
        try:
            user = users_in(self._users).get(name)
        except ValueError as error:
            log.error("no user may report insert changes now", problem=str(error))
            return False
        return user is not None and user.may_change_inserts


def _of_another_type(arguments: Sequence[ua.Variant]) -> list[str]:
    """The names of those that are not what the method takes; a text may be left out. asyncua does not look."""
    return [
        name
        for (name, kind), argument in zip(_INPUTS, arguments, strict=True)
        if argument.is_array
        or (argument.VariantType.value != kind and not (kind == ua.ObjectIds.String and argument.Value is None))
    ]
