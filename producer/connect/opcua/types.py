"""The types that our address space is made of: the names of OPC 40100-1 under a namespace of our own.

A subset: what is said of an insert, and nothing that would never be filled. Where the user has imported the node set
(`insert-station connect opcua import`), the standard's own types take their place, field by field under the same names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from asyncua import Server, ua
from asyncua.common.node import Node
from asyncua.common.structures104 import new_struct, new_struct_field

from producer.connect.opcua.result import Result

NAMESPACE: Final = "urn:insert-inspection:opcua"
"""Ours: always the server's second after that of OPC UA itself and the application's own, so its index is 2."""

IDS: Final = {
    "ResultId": "ResultIdDataType",
    "MeasId": "MeasIdDataType",
    "PartId": "PartIdDataType",
    "ExternalRecipeId": "RecipeIdExternalDataType",
    "InternalRecipeId": "RecipeIdInternalDataType",
    "ExternalConfigurationId": "ConfigurationIdDataType",
    "InternalConfigurationId": "ConfigurationIdDataType",
    "ProductId": "ProductIdDataType",
    "JobId": "JobIdDataType",
}
"""The ids of a result, and the structure that each is: one field, `Id`."""

_OPTIONAL: Final = ("MeasId", "PartId", "ExternalRecipeId", "ProductId", "ExternalConfigurationId")


@dataclass(frozen=True)
class VisionTypes:
    """The types that are used, whoever's they are.

    Attributes:
        index: of their namespace.
        vision_system: the object type of the whole.
        result_management: that of what can be asked for results.
        state_machine: that of the system's state.
        automatic_mode: that of the state below it.
        result_ready: the event type.
        operational: the state in which the system is, where the types have it; else it is made with the object.
        continuous: the state below it, likewise.
        data: the data types' nodes by name.
        classes: the classes of their values by name.
    """

    index: int
    vision_system: ua.NodeId
    result_management: ua.NodeId
    state_machine: ua.NodeId
    automatic_mode: ua.NodeId
    result_ready: ua.NodeId
    operational: ua.NodeId | None
    continuous: ua.NodeId | None
    data: Mapping[str, ua.NodeId]
    classes: Mapping[str, type[Any]]

    def identity(self, field: str, text: str) -> Any:
        """The structure of an id that holds `text`."""
        return self.classes[IDS[field]](Id=text)

    def fields(self, result: Result) -> dict[str, Any]:
        """What OPC 40100-1 says of a result, by the names of `ResultDataType` and of `ResultReadyEventType`."""
        texts = {
            "ResultId": result.id,
            "MeasId": result.measurement,
            "PartId": result.part,
            "ExternalRecipeId": result.operation,
            "InternalRecipeId": result.recipe,
            "InternalConfigurationId": result.configuration,
            "JobId": result.job,
        }
        return {
            **{field: self.identity(field, text) for field, text in texts.items() if text or field not in _OPTIONAL},
            "IsPartial": result.partial,
            "IsSimulated": result.simulated,
            "ResultState": result.state,
            "CreationTime": result.created.astimezone(UTC),
            "ResultContent": [
                ua.Variant(int(result.evaluation), ua.VariantType.Int32),
                ua.Variant(result.evaluation.word, ua.VariantType.String),
                ua.Variant(result.content, ua.VariantType.String),
            ],
        }

    def structure(self, result: Result) -> Any:
        """A result as `ResultDataType`."""
        return self.classes["ResultDataType"](**self.fields(result))

    def nothing(self) -> Any:
        """A `ResultDataType` that says that there is no result."""
        return self.classes["ResultDataType"](CreationTime=datetime.fromtimestamp(0, UTC))


async def own_types(server: Server, index: int) -> VisionTypes:
    """Make the types in our own namespace.

    Args:
        server: not started yet.
        index: of our namespace.
    """
    data = {}
    for name in dict.fromkeys(IDS.values()):
        node, _ = await new_struct(server, index, name, [new_struct_field("Id", ua.VariantType.String)])
        data[name] = node.nodeid
    fields = [new_struct_field(field, data[kind], optional=field in _OPTIONAL) for field, kind in IDS.items()]
    fields += [
        new_struct_field("IsPartial", ua.VariantType.Boolean),
        new_struct_field("IsSimulated", ua.VariantType.Boolean),
        new_struct_field("ResultState", ua.VariantType.Int32),
        new_struct_field("CreationTime", ua.VariantType.DateTime),
        new_struct_field("ResultContent", ua.NodeId(ua.ObjectIds.BaseDataType), array=True),
    ]
    node, _ = await new_struct(server, index, "ResultDataType", fields)
    data["ResultDataType"] = node.nodeid
    await server.load_data_type_definitions()  # the classes: asyncua keeps them by name, also for a next start

    async def object_type(name: str, base: int = ua.ObjectIds.BaseObjectType) -> Node:
        return await server.create_custom_object_type(index, name, ua.NodeId(base))

    result_ready = await server.create_custom_event_type(
        index,
        "ResultReadyEventType",
        ua.NodeId(ua.ObjectIds.BaseEventType),
        [
            *((field, ua.VariantType.ExtensionObject, data[kind]) for field, kind in IDS.items()),
            ("IsPartial", ua.VariantType.Boolean),
            ("IsSimulated", ua.VariantType.Boolean),
            ("ResultState", ua.VariantType.Int32),
            ("CreationTime", ua.VariantType.DateTime),
            ("ResultContent", ua.VariantType.Variant, ua.NodeId(ua.ObjectIds.BaseDataType)),
        ],
    )
    machine = ua.ObjectIds.FiniteStateMachineType
    return VisionTypes(
        index=index,
        vision_system=(await object_type("VisionSystemType")).nodeid,
        result_management=(await object_type("ResultManagementType")).nodeid,
        state_machine=(await object_type("VisionStateMachineType", machine)).nodeid,
        automatic_mode=(await object_type("VisionAutomaticModeStateMachineType", machine)).nodeid,
        result_ready=result_ready.nodeid,
        operational=None,
        continuous=None,
        data=data,
        classes={name: getattr(ua, name) for name in data},
    )
