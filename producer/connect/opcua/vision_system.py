"""The vision system in our address space: its state, how it is asked for results, and the events that tell of them."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import structlog
from asyncua import Server, ua
from asyncua.common.event_objects import BaseEvent
from asyncua.common.node import Node

from producer.connect.opcua.result import Result, ResultEvaluation
from producer.connect.opcua.result_history import MOST_LISTED, Field, ResultHistory
from producer.connect.opcua.types import IDS, VisionTypes
from producer.contract.plant_event import PlantEvent

log = structlog.get_logger()

NAME: Final = "VisionSystem"
"""The browse name of the whole, below Objects."""

UNKNOWN: Final = -1
"""The `Error` of a result that is not known, or no longer."""

UNREADABLE: Final = -2
"""The `Error` where our own disk cannot be read; the log says why."""

_SEVERITY: Final = {
    ResultEvaluation.OK: 100,
    ResultEvaluation.NOT_DECIDABLE: 500,
    ResultEvaluation.UNDEFINED: 500,
    ResultEvaluation.NOT_OK: 700,
}

# The arguments of GetResultListFiltered that find something here, by the field that each is compared with.
_FILTERS: Final[dict[str, Field]] = {
    "MeasId": "measurement",
    "PartId": "part",
    "ExternalRecipeId": "operation",
    "InternalRecipeId": "recipe",
    "InternalConfigurationId": "configuration",
    "JobId": "job",
}
_STATE_NUMBERS: Final = {"Operational": 4, "ContinuousExecution": 8}
"""Those of the standard's node set."""

_LIST_IDS: Final = tuple(field for field in IDS if field != "ResultId")


class VisionSystem:
    """The object, and what it can do."""

    def __init__(
        self,
        server: Server,
        index: int,
        types: VisionTypes,
        history: ResultHistory,
        result_of: Callable[[PlantEvent], Result],
    ):
        """
        Args:
            server: not started yet.
            index: of our namespace.
            types: what it is made of.
            history: what can be asked again.
            result_of: the result that an event is.
        """
        self._server = server
        self._index = index
        self._types = types
        self._history = history
        self._result_of = result_of
        self._event = BaseEvent()

    async def build(self) -> Node:
        """Make the object below Objects."""
        objects, types = self._server.nodes.objects, self._types
        system = await objects.add_object(
            ua.NodeId(NAME, self._index),
            ua.QualifiedName(NAME, self._index),
            objecttype=types.vision_system,
            instantiate_optional=False,
        )
        machine = await self._child(system, "VisionStateMachine", types.state_machine)
        mode = await self._child(machine, "AutomaticModeStateMachine", types.automatic_mode)
        await self._enter(machine, "Operational", types.operational)
        await self._enter(mode, "ContinuousExecution", types.continuous)
        management = await self._child(system, "ResultManagement", types.result_management)
        await self._answer(management, "GetResultById", self._get_result_by_id, *_BY_ID)
        await self._answer(management, "GetResultListFiltered", self._get_result_list, *_LIST)
        for source in (system, self._server.nodes.server):
            await source.set_event_notifier([ua.EventNotifier.SubscribeToEvents])
        event_type = await self._server.create_custom_event_type(
            self._index,
            "InsertResultReadyEventType",
            types.result_ready,
            [(name, kind) for name, kind in _OWN_FIELDS.items()],
        )
        self._event.EventType = event_type.nodeid
        self._event.SourceNode = system.nodeid
        self._event.SourceName = NAME
        return system

    async def tell(self, result: Result) -> None:
        """Send the event of a result to whoever has subscribed, at the system or at the server."""
        event = self._event
        event.EventId = result.id.encode()
        event.Time = result.created.astimezone(UTC)
        event.ReceiveTime = datetime.now(UTC)
        event.Message = ua.LocalizedText(result.message, "en")
        event.Severity = _SEVERITY[result.evaluation]
        fields = self._types.fields(result)
        for name in (*IDS, *_PLAIN_FIELDS):
            event.add_property(name, fields.get(name), _PLAIN_FIELDS.get(name, ua.VariantType.ExtensionObject))
        own = (int(result.evaluation), result.answer, result.pocket)
        for (name, kind), value in zip(_OWN_FIELDS.items(), own, strict=True):
            event.add_property(name, value, kind)
        # asyncua hands no event up from the system to the server, where most clients listen.
        for source in (self._event.SourceNode, self._server.nodes.server.nodeid):
            event.emitting_node = source
            await self._server.iserver.subscription_service.trigger_event(event)

    async def _child(self, parent: Node, name: str, kind: ua.NodeId) -> Node:
        """The child of that name, which the parent's type may have brought."""
        try:
            return await parent.get_child(ua.QualifiedName(name, self._types.index))
        except ua.UaError:
            return await parent.add_object(
                ua.NodeId(f"{parent.nodeid.Identifier}.{name}", self._index),
                ua.QualifiedName(name, self._types.index),
                objecttype=kind,
                instantiate_optional=False,
            )

    async def _enter(self, machine: Node, name: str, state: ua.NodeId | None) -> None:
        """Show the state in which a state machine is; it is in no other, for the stations alone set it going."""
        if state is None:
            node = await machine.add_object(
                ua.NodeId(f"{machine.nodeid.Identifier}.{name}", self._index),
                ua.QualifiedName(name, self._types.index),
                objecttype=ua.NodeId(ua.ObjectIds.StateType),
            )
            number = await node.get_child("0:StateNumber")
            await number.write_value(_STATE_NUMBERS[name], ua.VariantType.UInt32)
            state = node.nodeid
        current = await machine.get_child("0:CurrentState")
        await current.write_value(ua.LocalizedText(name, "en"))
        await (await current.get_child("0:Id")).write_value(state)

    async def _answer(
        self,
        parent: Node,
        name: str,
        method: Callable[..., Any],
        inputs: Sequence[tuple[str, str | ua.VariantType, bool]],
        outputs: Sequence[tuple[str, str | ua.VariantType, bool]],
    ) -> None:
        """Have a method answered, which the parent's type may have brought."""
        qualified = ua.QualifiedName(name, self._types.index)
        try:
            self._server.link_method(await parent.get_child(qualified), method)
        except ua.UaError:
            node_id = ua.NodeId(f"{NAME}.ResultManagement.{name}", self._index)
            await parent.add_method(
                node_id, qualified, method, list(map(self._argument, inputs)), list(map(self._argument, outputs))
            )

    def _argument(self, described: tuple[str, str | ua.VariantType, bool]) -> ua.Argument:
        name, kind, many = described
        data_type = self._types.data[kind] if isinstance(kind, str) else ua.NodeId(kind.value)
        return ua.Argument(Name=name, DataType=data_type, ValueRank=1 if many else -1)

    async def _get_result_by_id(self, _: ua.NodeId, *arguments: ua.Variant) -> list[ua.Variant] | ua.StatusCode:
        if (refused := _refused(_BY_ID[0], arguments)) is not None:
            return refused
        try:
            event = await asyncio.to_thread(self._history.by_id, _text(arguments[0]) or "")
        except sqlite3.Error as error:
            log.error("a result cannot be read", problem=str(error))
            return _answered(ua.Variant(self._types.nothing()), error=UNREADABLE)
        if event is None:
            return _answered(ua.Variant(self._types.nothing()), error=UNKNOWN)
        return _answered(ua.Variant(self._types.structure(self._result_of(event))))

    async def _get_result_list(self, _: ua.NodeId, *arguments: ua.Variant) -> list[ua.Variant] | ua.StatusCode:
        if (refused := _refused(_LIST[0], arguments)) is not None:
            return refused
        state, most, start = arguments[0].Value, arguments[9].Value, arguments[10].Value
        texts = {name: _text(id_) or "" for name, id_ in zip(_LIST_IDS, arguments[1:9], strict=True)}
        wanted: dict[Field, str | int] = {field: texts[name] for name, field in _FILTERS.items() if texts[name]}
        if state:
            wanted["state"] = state
        try:
            if any(texts[name] for name in _LIST_IDS if name not in _FILTERS):  # ids that no result here has
                events: list[PlantEvent] = []
                complete = True
            else:
                events, complete = await asyncio.to_thread(self._history.listed, wanted, start, most or MOST_LISTED)
        except sqlite3.Error as error:
            log.error("results cannot be read", problem=str(error))
            return _listed([], complete=False, error=UNREADABLE)
        return _listed([self._types.structure(self._result_of(event)) for event in events], complete=complete)


_Arguments = tuple[tuple[str, str | ua.VariantType, bool], ...]

_ERROR: Final = ("Error", ua.VariantType.Int32, False)
_HANDLE: Final = ("ResultHandle", ua.VariantType.UInt32, False)
_TIMEOUT: Final = ("Timeout", ua.VariantType.Int32, False)

_BY_ID: Final[tuple[_Arguments, _Arguments]] = (
    (("ResultId", IDS["ResultId"], False), _TIMEOUT),
    (_HANDLE, ("Result", "ResultDataType", False), _ERROR),
)
_LIST: Final[tuple[_Arguments, _Arguments]] = (
    (
        ("ResultState", ua.VariantType.Int32, False),
        *((name, IDS[name], False) for name in _LIST_IDS),
        ("MaxResults", ua.VariantType.UInt32, False),
        ("StartIndex", ua.VariantType.UInt32, False),
        _TIMEOUT,
    ),
    (
        ("IsComplete", ua.VariantType.Boolean, False),
        ("ResultCount", ua.VariantType.UInt32, False),
        _HANDLE,
        ("ResultList", "ResultDataType", True),
        _ERROR,
    ),
)

_PLAIN_FIELDS: Final = {
    "IsPartial": ua.VariantType.Boolean,
    "IsSimulated": ua.VariantType.Boolean,
    "ResultState": ua.VariantType.Int32,
    "CreationTime": ua.VariantType.DateTime,
    "ResultContent": ua.VariantType.Variant,
}
_OWN_FIELDS: Final = {
    "ResultEvaluation": ua.VariantType.Int32,
    "Answer": ua.VariantType.String,
    "Pocket": ua.VariantType.Int32,
}


def _refused(described: _Arguments, arguments: Sequence[ua.Variant]) -> ua.StatusCode | None:
    """Why a method is not called with these arguments; None where it is. asyncua checks neither number nor types."""
    if len(arguments) != len(described):
        missing = len(arguments) < len(described)
        return ua.StatusCode(ua.StatusCodes.BadArgumentsMissing if missing else ua.StatusCodes.BadTooManyArguments)
    for (_, kind, _), argument in zip(described, arguments, strict=True):
        fits = _text(argument) is not None if isinstance(kind, str) else argument.VariantType is kind
        if not fits or argument.is_array:
            return ua.StatusCode(ua.StatusCodes.BadInvalidArgument)
    return None


def _text(argument: ua.Variant) -> str | None:
    """What stands in a structure of one id, empty where there is none; None where it is no such structure.

    A client that has no such structure may send the text itself.
    """
    value = argument.Value
    text = getattr(value, "Id", value)
    return text if isinstance(text, str) else "" if text is None else None


def _number(value: int, kind: ua.VariantType) -> ua.Variant:
    return ua.Variant(value, kind)


def _answered(result: ua.Variant, *, error: int = 0) -> list[ua.Variant]:
    return [_number(0, ua.VariantType.UInt32), result, _number(error, ua.VariantType.Int32)]


def _listed(results: list[Any], *, complete: bool, error: int = 0) -> list[ua.Variant]:
    return [
        ua.Variant(complete, ua.VariantType.Boolean),
        _number(len(results), ua.VariantType.UInt32),
        _number(0, ua.VariantType.UInt32),
        ua.Variant(results, ua.VariantType.ExtensionObject, is_array=True),
        _number(error, ua.VariantType.Int32),
    ]
