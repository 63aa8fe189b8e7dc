"""A real connector reports how it tells other systems; one that is killed is heard no more, and tells no secret."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from db.engine.database import Database
from db.queries import connector_health
from db.queries.connector_health import ConnectorHealth
from producer.connect.sinks.signature import new_secret
from producer.contract.connector_report import CONNECTORS, KEPT_FOR, report_key
from tests.integration.plant import Receiver, check, connecting
from tests.support import RedisProcess, wait_until
from worker.line.connector_reports import LONGEST_REPORT, ConnectorReportsWatch
from worker.line.notifier import Notifier


def health(database: Database, later: float = 0.0) -> list[ConnectorHealth]:
    with database.reading() as session:
        return connector_health.connectors(session, datetime.now(UTC) + timedelta(seconds=later))


def test_a_connector_is_heard_until_it_is_killed(tmp_path: Path, redis_server: RedisProcess, sqlite_url: str) -> None:
    receiver, secret, redis = Receiver(), tmp_path / "secret", redis_server.client()
    secret.write_text(new_secret())
    line = Notifier(redis_server.url)
    receiver.answers = [503] * 100
    file = (
        f'site = "plant-1"\n[webhook.mes]\nurl = "http://127.0.0.1:{receiver.port}/hooks/T0K3N-123?key=P4SSW0RD"\n'
        f'allow = ["127.0.0.1"]\nsecret_files = ["{secret}"]\n'
    )
    with closing(Database(sqlite_url)) as database:
        watch = ConnectorReportsWatch(database, redis_server.url)
        with connecting(tmp_path, redis_server.url, file) as connector:
            wait_until(lambda: redis.hlen(CONNECTORS) == 1)
            (connector_id,) = redis.hkeys(CONNECTORS)
            key = report_key(connector_id)
            line.send([("station-1", check("replace", [2]))])
            wait_until(lambda: connector.status()["mes"]["problem"] == "it answered 503 Service Unavailable")
            connector.kill()
            connector.start()  # it reports at once
            wait_until(lambda: json.loads(redis.get(key))["sinks"][0]["waiting"] == 1)
            assert redis.hkeys(CONNECTORS) == [connector_id], "the same one, though it was started anew"
            watch.turn()
            (one,) = health(database)
            assert (one.silent, one.report.site, [sink.word for sink in one.sinks]) == (False, "plant-1", ["away"])
            assert (one.sinks[0].state.waiting, one.sinks[0].lag is not None) == (1, True)
            said = redis.get(key)
            assert [hidden for hidden in ("T0K3N", "P4SSW0RD", secret.read_text()) if hidden in said] == []
            connector.kill()
        # What others put there costs nobody else his row.
        redis.mset({report_key("f" * 32): "{", report_key("e" * 32): "x" * (LONGEST_REPORT + 1)})
        redis.rpush(report_key("d" * 32), "a list")
        redis.hset(CONNECTORS, mapping={"f" * 32: "", "e" * 32: "", "d" * 32: "", "../other": ""})
        assert 0 < redis.ttl(key) <= KEPT_FOR
        watch.turn()
        assert [(one.report is None, one.connector) for one in health(database)] == [
            (True, "f" * 32),
            (False, connector_id),
        ]
        assert redis.hlen(CONNECTORS) == 3
        redis.delete(key)  # as it goes by itself
        watch.turn()
        assert redis.hkeys(CONNECTORS) == ["f" * 32, "e" * 32]
        words = {sink.word for one in health(database, later=KEPT_FOR + 1) for sink in one.sinks}
        assert words == {"not known"}
    line.close()
    receiver.close()
