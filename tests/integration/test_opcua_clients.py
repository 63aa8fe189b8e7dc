"""What clients of our OPC UA server cost others, who vanish or ask for much."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from asyncua import Client, Server, ua
from asyncua.common.utils import ServiceError

from producer.connect.opcua import ended_connections
from producer.connect.opcua.access import SUBSCRIPTIONS_EACH, GuardedServer
from producer.connect.opcua.certificates import TrustedClients
from producer.connect.opcua.ended_connections import drop_ended
from producer.connect.opcua.users import user_line
from worker.embedded.redis_server import free_port


def test_a_client_that_vanishes_takes_no_place_for_good(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ended_connections, "LOOK_EVERY", 0.05)
    monkeypatch.setattr(ended_connections, "LEFT_OPEN", 0.1)

    async def vanish() -> None:
        server = Server()
        await server.init()
        address = f"opc.tcp://127.0.0.1:{free_port()}"
        server.set_endpoint(address)
        server.iserver.min_session_timeout_ms = 200
        server.iserver.max_connections = 1
        async with server, asyncio.timeout(20):
            dropping = asyncio.create_task(drop_ended(server))
            gone, comes = Client(address), Client(address, timeout=1)
            gone.session_timeout = 200
            await gone.connect()
            for task in (gone._stale_watchdog_task, gone._supervisor_task, gone._renew_channel_task):
                task.cancel()  # it says nothing more, and never ends
            assert len(server.bserver.clients) == 1
            while server.bserver.clients:
                await asyncio.sleep(0.02)
            await comes.connect()
            await asyncio.sleep(3 * ended_connections.LOOK_EVERY)
            assert len(server.bserver.clients) == 1, "one that is there stays"
            await comes.disconnect()
            dropping.cancel()

    asyncio.run(vanish())
    assert "our OPC UA server lets in no further client" in capsys.readouterr().out


def test_one_session_has_so_many_subscriptions_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "users").write_text(user_line("plc", "a good password") + "\n", encoding="utf-8")

    async def nobody_reads(*_: object) -> None: ...

    async def subscribe() -> None:
        server = GuardedServer(tmp_path / "users", TrustedClients(tmp_path, tmp_path))
        first, other = (server.create_session(name) for name in ("first", "other"))
        asked = ua.CreateSubscriptionParameters(RequestedPublishingInterval=1000, PublishingEnabled=True)
        for _ in range(SUBSCRIPTIONS_EACH):
            await first.create_subscription(asked, nobody_reads)
        with pytest.raises(ServiceError) as refused:
            await first.create_subscription(asked, nobody_reads)
        assert refused.value.code == ua.StatusCodes.BadTooManySubscriptions
        await other.create_subscription(asked, nobody_reads)
        await server.subscription_service.delete_subscriptions([*server.subscription_service.subscriptions])

    asyncio.run(subscribe())
