"""The types of OPC 40100-1 itself, from its node set, in place of our own."""

from __future__ import annotations

from typing import Final

from asyncua import Server, ua
from asyncua.common.node import Node

from producer.connect.opcua.node_sets import NodeSet
from producer.connect.opcua.types import IDS, VisionTypes

# Numbers of nodes in the published node set, version 1.0.0: a node's number stays in later ones.
_VISION_SYSTEM: Final = 1003
_RESULT_MANAGEMENT: Final = 1007
_STATE_MACHINE: Final = 1017
_AUTOMATIC_MODE: Final = 1021
_RESULT_READY: Final = 1024
_BINARY_ID: Final = 3019
_OPERATIONAL: Final = 5031
_CONTINUOUS: Final = 5059

_NAMES: Final = {
    _VISION_SYSTEM: "VisionSystemType",
    _RESULT_MANAGEMENT: "ResultManagementType",
    _STATE_MACHINE: "VisionStateMachineType",
    _AUTOMATIC_MODE: "VisionAutomaticModeStateMachineType",
    _RESULT_READY: "ResultReadyEventType",
    _BINARY_ID: "BinaryIdBaseDataType",
    _OPERATIONAL: "Operational",
    _CONTINUOUS: "ContinuousExecution",
}


async def standard_types(server: Server, node_set: NodeSet) -> VisionTypes:
    """Bring the standard's types into a server that is not started yet.

    Raises:
        ValueError: the node set cannot be brought in, or has other nodes than the standard's.
    """
    try:
        await server.import_xml(xmlstring=node_set.data.decode())
        index = await server.get_namespace_index(node_set.model)
        for number, name in _NAMES.items():
            if (await server.get_node(ua.NodeId(number, index)).read_browse_name()).Name != name:
                raise ValueError(f"its node {number} is not {name}")
        await _complete(server, server.get_node(ua.NodeId(_BINARY_ID, index)))
        names = {*IDS.values(), "ResultDataType"}
        classes = {name: getattr(ua, name) for name in names}
    except Exception as error:  # whatever asyncua makes of a file: it is named with the file
        raise ValueError(f"the node set of {node_set.model} cannot be used: {type(error).__name__}: {error}") from error

    def node(number: int) -> ua.NodeId:
        return ua.NodeId(number, index)

    return VisionTypes(
        index=index,
        vision_system=node(_VISION_SYSTEM),
        result_management=node(_RESULT_MANAGEMENT),
        state_machine=node(_STATE_MACHINE),
        automatic_mode=node(_AUTOMATIC_MODE),
        result_ready=node(_RESULT_READY),
        operational=node(_OPERATIONAL),
        continuous=node(_CONTINUOUS),
        data={name: kind.data_type for name, kind in classes.items()},
        classes=classes,
    )


async def try_out(node_set: NodeSet) -> None:
    """Bring a node set into a server that nobody reaches, to see that ours could start with it.

    Raises:
        ValueError: it could not.
    """
    server = Server()
    await server.init()
    await standard_types(server, node_set)


async def _complete(server: Server, base: Node) -> None:
    """Give the structures that add nothing to their base its fields.

    The node set leaves them out there, asyncua takes such a structure for one without any, and then no client can read
    what has one in it (OPC 10000-3, 8.49: a definition holds the inherited fields too).
    """
    fields = (await base.read_data_type_definition()).Fields
    for node in await base.get_children(refs=ua.ObjectIds.HasSubtype):
        [encoding] = [
            encoding.nodeid
            for encoding in await node.get_children(refs=ua.ObjectIds.HasEncoding)
            if (await encoding.read_browse_name()).Name == "Default Binary"
        ]
        definition = ua.StructureDefinition(
            DefaultEncodingId=encoding,
            BaseDataType=base.nodeid,
            StructureType=ua.StructureType.StructureWithOptionalFields,
            Fields=fields,
        )
        await node.write_data_type_definition(definition)
    await server.load_data_type_definitions()
