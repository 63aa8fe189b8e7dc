"""A small PLC: a server of OPC UA with a few variables, as a process. What is written stands in a file, a line each.

Its program is the recipe of docs/integration.md ("A PLC's own variables"). The run that it waits for stands in
FILE.run, and whenever it decides otherwise, FILE.decided has a line more. Where there is FILE.NAME.denied as it starts,
nobody may write that variable; while there is FILE.NAME.kept it takes nothing, and says that it did. Where there is
FILE.other as it starts, another program's namespace with the same variables comes before its own. By FILE.reset,
once and while all sessions stand, variables have other values: what it says, in JSON, or without one the start value.

Its arguments: ADDRESS CERTIFICATE KEY TRUSTED USER PASSWORD FILE
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from asyncua import Server, ua
from asyncua.common.callback import CallbackType
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.crypto.uacrypto import load_certificate, x509_from_der
from asyncua.server.internal_server import InternalServer

VARIABLES = {
    "State": ua.Variant(0, ua.VariantType.Int16),
    "Replace": ua.Variant([False] * 8, ua.VariantType.Boolean),
    "Review": ua.Variant([0] * 4, ua.VariantType.Int16),
    "Operation": ua.Variant("", ua.VariantType.String),
    "CheckId": ua.Variant("", ua.VariantType.String),
    "Sequence": ua.Variant(0, ua.VariantType.UInt16),
    "Heartbeat": ua.Variant(0, ua.VariantType.UInt16),
}


GO = 1
SILENT = 20.0
CYCLE = 0.1
"""Seconds: a PLC takes a tenth of that, but this one, in Python, would take a third of a core for it."""


class Program:
    """The recipe, cycle by cycle; it keeps nothing over a cold start."""

    def __init__(self, file: Path):
        self._run, self._decided = Path(f"{file}.run"), Path(f"{file}.decided")
        self._heartbeat: int | None = None
        self._beats, self._beaten_at = 0, 0.0
        self._decision = ""

    async def cycle(self, nodes: dict[str, Any]) -> None:
        heartbeat = await nodes["Heartbeat"].read_value()
        if heartbeat != self._heartbeat:
            self._heartbeat, self._beaten_at, self._beats = heartbeat, time.monotonic(), self._beats + 1
        alive = self._beats > 1 and time.monotonic() - self._beaten_at < SILENT
        run = self._run.read_text(encoding="utf-8") if self._run.exists() else ""
        before = await nodes["CheckId"].read_value()
        state = await nodes["State"].read_value()
        same = before == await nodes["CheckId"].read_value()
        released = run != "" and before == run and same and state == GO and alive
        decision = f"{'release' if released else 'hold'} {run}"
        if decision != self._decision:
            with self._decided.open("a", encoding="utf-8") as file:
                file.write(decision + "\n")
            self._decision = decision


class Users:
    def __init__(self, name: str, password: str, certificate: Any):
        self._wanted = (name, password, certificate)

    def get_user(self, _: Any, username: Any = None, password: Any = None, certificate: Any = None) -> User | None:
        came = (username, password, x509_from_der(certificate))
        return User(role=UserRole.User, name=username) if came == self._wanted else None


class _Filled(InternalServer):
    """Has the standard's own nodes from the process that it is forked from."""

    async def load_standard_address_space(self, *_: object) -> None:
        from tests.integration.opcua_nodes import STANDARD

        self.aspace._nodes = STANDARD._nodes


def _unless(kept: Path) -> Any:
    def setter(node: Any, attribute: ua.AttributeIds, value: ua.DataValue) -> None:
        if not kept.exists():
            node.attributes[attribute].value = value

    return setter


async def serve(address: str, certificate: str, key: str, trusted: str, user: str, password: str, file: str) -> None:
    users = Users(user, password, await load_certificate(trusted))
    server = Server(_Filled(user_manager=users))  # type: ignore[arg-type]
    await server.init()
    await server.set_application_uri("urn:plc-server")
    server.set_endpoint(address)
    await server.load_certificate(certificate)
    await server.load_private_key(key)
    server.set_security_policy([ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt])
    server.set_identity_tokens([ua.UserNameIdentityToken])
    if Path(f"{file}.other").exists():
        other = await server.register_namespace("urn:other")
        for name, value in VARIABLES.items():
            node = await server.nodes.objects.add_variable(ua.NodeId(name, other), ua.QualifiedName(name, other), value)
            await node.set_writable()
    index = await server.register_namespace("urn:plc")
    nodes = {}
    for name, value in VARIABLES.items():
        node = await server.nodes.objects.add_variable(ua.NodeId(name, index), ua.QualifiedName(name, index), value)
        if not Path(f"{file}.{name}.denied").exists():
            await node.set_writable()
        server.iserver.set_attribute_value_setter(node.nodeid, _unless(Path(f"{file}.{name}.kept")))
        nodes[name] = node

    with Path(file).open("a", encoding="utf-8") as written:

        def note(event: Any, _: Any) -> None:
            if event.is_external:
                for one in event.request_params.NodesToWrite:
                    if one.NodeId.NamespaceIndex != index:
                        continue
                    written.write(json.dumps([one.NodeId.Identifier, one.Value.Value.Value]) + "\n")
                written.flush()

        server.subscribe_server_callback(CallbackType.PostWrite, note)  # type: ignore[arg-type]
        async with server:
            program = Program(Path(file))
            while True:
                if (reset := Path(f"{file}.reset")).exists():
                    for name, value in json.loads(reset.read_text(encoding="utf-8")).items():
                        start = VARIABLES[name]
                        await nodes[name].write_value(start if value is None else ua.Variant(value, start.VariantType))
                    reset.unlink()
                await program.cycle(nodes)
                await asyncio.sleep(CYCLE)


def main() -> None:
    asyncio.run(serve(*sys.argv[1:]))
