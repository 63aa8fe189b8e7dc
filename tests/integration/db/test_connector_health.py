"""What connectors report is kept, and is as old as it is."""

import json
from datetime import UTC, datetime, timedelta

from db.queries import connector_health
from tests.integration.db.conftest import T0

SINK = {
    "name": "mes", "up": True, "problem": None, "since": 1.0, "disabled": False, "waiting": 2, "oldest": 1.0,
    "given_up": 0, "delivered": 7, "last_at": 2.0,
}  # fmt: skip


def report(site: str = "plant-1", written: float = 61.0) -> str:
    at = datetime.fromtimestamp(written, UTC).isoformat()
    return json.dumps({"site": site, "host": "pc-1", "written_at": at, "sinks": [SINK]})


def heard(line, at: datetime, **reports: str) -> None:
    with line.database.transaction() as session:
        connector_health.keep(session, reports, at)


def seen(line, now: datetime) -> list[connector_health.ConnectorHealth]:
    with line.database.reading() as session:
        return connector_health.connectors(session, now)


def test_a_connector_that_is_heard_no_more_is_silent_and_then_forgotten(line) -> None:
    heard(line, T0, a=report())
    heard(line, T0 + timedelta(seconds=50), a=report())  # the same once more, as a second worker hears it
    (one,) = seen(line, T0 + timedelta(seconds=60))
    assert (one.heard_at, one.silent, one.sinks[0].word) == (T0, False, "told")
    assert one.sinks[0].lag == timedelta(minutes=1), "by the connector's clock, wherever that stands"
    (one,) = seen(line, T0 + timedelta(seconds=61))
    assert (one.silent, one.sinks[0].word, one.sinks[0].state.waiting) == (True, "not known", 2)
    heard(line, T0 + timedelta(seconds=70), a=report(written=71.0))
    assert [one.silent for one in seen(line, T0 + timedelta(seconds=80))] == [False]
    late = T0 + timedelta(days=8)
    assert seen(line, late) == []
    heard(line, late, b=report("plant-2"))
    assert [one.connector for one in seen(line, late)] == ["b"]
    assert [one.connector for one in seen(line, T0)] == ["b"], "the other is not there at all"


def test_what_is_not_understood_costs_its_own_row_and_comes_first(line) -> None:
    heard(line, T0, a=report(), b="{", c=json.dumps({"site": "<b>"}), d=report("plant-2"))
    assert [(one.connector, one.report is None, len(one.sinks)) for one in seen(line, T0)] == [
        ("b", True, 0),
        ("c", True, 0),
        ("a", False, 1),
        ("d", False, 1),
    ]
