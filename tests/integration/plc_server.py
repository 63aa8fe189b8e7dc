"""A small PLC: a server of OPC UA with a few variables, as a process. What is written stands in a file, a line each.

python plc_server.py ADDRESS CERTIFICATE KEY TRUSTED USER PASSWORD FILE
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from asyncua import Server, ua
from asyncua.common.callback import CallbackType
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.crypto.uacrypto import load_certificate, x509_from_der

VARIABLES = {
    "State": ua.Variant(0, ua.VariantType.Int16),
    "Replace": ua.Variant([False] * 8, ua.VariantType.Boolean),
    "Review": ua.Variant([0] * 4, ua.VariantType.Int16),
    "Operation": ua.Variant("", ua.VariantType.String),
    "Sequence": ua.Variant(0, ua.VariantType.UInt16),
    "Heartbeat": ua.Variant(0, ua.VariantType.UInt16),
}


class Users:
    def __init__(self, name: str, password: str, certificate: Any):
        self._wanted = (name, password, certificate)

    def get_user(self, _: Any, username: Any = None, password: Any = None, certificate: Any = None) -> User | None:
        came = (username, password, x509_from_der(certificate))
        return User(role=UserRole.User, name=username) if came == self._wanted else None


async def main(address: str, certificate: str, key: str, trusted: str, user: str, password: str, file: str) -> None:
    server = Server(user_manager=Users(user, password, await load_certificate(trusted)))  # type: ignore[arg-type]
    await server.init()
    await server.set_application_uri("urn:plc-server")
    server.set_endpoint(address)
    await server.load_certificate(certificate)
    await server.load_private_key(key)
    server.set_security_policy([ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt])
    server.set_identity_tokens([ua.UserNameIdentityToken])
    index = await server.register_namespace("urn:plc")
    for name, value in VARIABLES.items():
        node = await server.nodes.objects.add_variable(ua.NodeId(name, index), ua.QualifiedName(name, index), value)
        await node.set_writable()

    with Path(file).open("a", encoding="utf-8") as written:

        def note(event: Any, _: Any) -> None:
            if event.is_external:
                for one in event.request_params.NodesToWrite:
                    written.write(json.dumps([one.NodeId.Identifier, one.Value.Value.Value]) + "\n")
                written.flush()

        server.subscribe_server_callback(CallbackType.PostWrite, note)  # type: ignore[arg-type]
        async with server:
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
