"""What a check of a head says is written into a PLC's own variables, though the PLC is away for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from producer.connect.delivery_log import DeliveryLog
from tests.integration.opcua import identity
from tests.integration.plant import check, connecting, verdict
from tests.integration.plc import Plc
from tests.support import RedisProcess, wait_until
from worker.line.notifier import Notifier


@pytest.fixture
def plc(tmp_path: Path) -> Iterator[Plc]:
    plc = Plc(tmp_path)
    plc.start()
    yield plc
    plc.kill()


def test_a_plc_has_the_last_check_of_its_head_also_after_it_was_away(
    tmp_path: Path, redis_server: RedisProcess, plc: Plc
) -> None:
    line = Notifier(redis_server.url)
    with connecting(tmp_path, redis_server.url, plc.configured()) as connector:
        wait_until(lambda: connector.status()["mill"]["up"], 60)
        line.send(
            [("station-1", answer) for answer in [verdict(1), check("replace", [3, 8]), check("go", head="other")]]
        )
        wait_until(lambda: plc.values("Sequence"))
        assert plc.written()[:-1] == [
            ["State", 2],
            ["Replace", [False, False, True, False, False, False, False, True]],
            ["Review", [0, 0, 0, 0]],
            ["Operation", "op-1"],
        ]
        beats = len(plc.values("Heartbeat"))
        wait_until(lambda: len(plc.values("Heartbeat")) > beats, 30)
        # What was said while the PLC was away is overtaken by the last of it: no PLC may act on the others.
        plc.kill()
        away = [check("go"), check("go"), check("review")]
        line.send([("station-1", answer) for answer in away])
        # Those before the last may count as told by then: a PLC that was reached just now is told the last alone.
        wait_until(lambda: not connector.status()["mill"]["up"] and connector.status()["mill"]["waiting"] in (1, 3), 60)
        plc.start()
        wait_until(lambda: connector.status()["mill"]["waiting"] == 0, 60)
        # It is told first what held when it went, and then the last.
        assert plc.values("State") == [2, 2, 3]
        first, again, last = plc.values("Sequence")
        assert first == again < last
        # More pockets than its variable has room for: refused in words, and nothing of it is written.
        line.send([("station-1", check("replace", [9]))])
        with closing(DeliveryLog(connector.data / "connect" / "deliveries.db")) as log:
            wait_until(lambda: "9 are needed" in str([one.problem for one in log.latest("mill", "waiting", 1)]))
        assert len(plc.values("State")) == 3
    line.close()


def test_a_server_that_is_not_the_plc_is_not_spoken_to(tmp_path: Path, redis_server: RedisProcess, plc: Plc) -> None:
    stranger = identity(tmp_path, "stranger")
    text = plc.configured().replace(str(plc.server[0]), str(stranger[0]))
    wait_until(plc.listens, 60)
    with connecting(tmp_path, redis_server.url, text) as connector:
        wait_until(lambda: "is server_certificate_file its" in str(connector.status()["mill"]["problem"]), 60)
        assert plc.written() == plc.values("Heartbeat") == []
