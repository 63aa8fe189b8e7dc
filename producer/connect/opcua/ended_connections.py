"""Connections whose session has ended: a client that vanished (switched off, a cable) never closes its own.

asyncua (2.1.0) ends a session that is silent for longer than its timeout, but keeps its connection: once there are as
many of these as it accepts, no client could connect any more.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

from asyncua import Server
from asyncua.server.internal_session import SessionState

from producer.runtime.outage_log import OutageLog

LOOK_EVERY: Final = 5.0
"""Seconds between two looks."""

LEFT_OPEN: Final = 30.0
"""Seconds for which a connection may stay without a session: its client may begin another one by it."""


async def drop_ended(server: Server) -> None:
    """While the server runs, cut off clients without a session for a while; say so if no other can connect."""
    full = OutageLog("our OPC UA server lets in no further client", "our OPC UA server lets in clients again")
    while True:
        await asyncio.sleep(LOOK_EVERY)
        for client in [*server.bserver.clients]:
            session, heard_at = client.processor.session, client.processor.session_last_activity or 0.0
            is_over = session is not None and session.state is SessionState.Closed
            if is_over and time.monotonic() - heard_at > LEFT_OPEN:
                client.transport.abort()
        if len(server.bserver.clients) >= server.iserver.max_connections:
            full.begins(f"{server.iserver.max_connections} are connected")
        else:
            full.ends()
