"""The connector before it reads: the log that it finds."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from producer.connect.configuration.connector_file import ConnectorFile, MqttSink
from producer.connect.connector import Connector
from producer.connect.connector_problems import current_states
from producer.connect.deliveries.delivery_log import DeliveryLog
from producer.connect.insert_change_outbox import InsertChangeOutbox
from producer.connect.metrics import sink_families
from tests.support import wait_until

FILE = ConnectorFile(site="p", mqtt={"broker": MqttSink(url="mqtt://127.0.0.1")})


@pytest.fixture
def changes(tmp_path: Path) -> Iterator[InsertChangeOutbox]:
    changes = InsertChangeOutbox(tmp_path)
    yield changes
    changes.close()


def begin(folder: Path, changes: InsertChangeOutbox, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Begin with what the line says next; the errors in the log."""
    with closing(DeliveryLog(folder / "deliveries.db")) as log, capture_logs() as logs:
        connector = Connector(FILE, "redis://127.0.0.1:1", log, changes)
        monkeypatch.setattr(connector._reader, "newest", lambda: "0-0")
        monkeypatch.setattr(connector._reader, "history", lambda: "ours")
        connector._begin()
        assert log.note("position") == "0-0"
    return [entry["event"] for entry in logs if entry["log_level"] == "error"]


def test_a_log_that_is_gone_is_missed(
    tmp_path: Path, changes: InsertChangeOutbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert begin(tmp_path, changes, monkeypatch) == []
    (tmp_path / "deliveries.db").unlink()
    assert begin(tmp_path, changes, monkeypatch) == [
        "the former delivery log is gone: what waited in it is only in the database"
    ]


def test_a_position_that_is_none_is_refused(tmp_path: Path, changes: InsertChangeOutbox) -> None:
    with closing(DeliveryLog(tmp_path / "deliveries.db")) as log:
        log.keep({}, {"position": "rubbish"})
        with pytest.raises(ValueError, match="'rubbish' is no position: once "):
            Connector(FILE, "redis://127.0.0.1:1", log, changes)


def test_a_line_that_cannot_be_read_is_the_state_of_every_system(tmp_path: Path, changes: InsertChangeOutbox) -> None:
    stop = threading.Event()
    with closing(DeliveryLog(tmp_path / "deliveries.db")) as log:
        running = threading.Thread(target=Connector(FILE, "redis://127.0.0.1:1", log, changes).run, args=(stop,))
        running.start()
        try:
            wait_until(lambda: "the line says cannot be read" in str([state.problem for state in current_states(log)]))
            (up,) = (
                family for family in sink_families(current_states(log), 0.0) if family.name == "inserts_connect_up"
            )
            assert [sample.value for sample in up.samples] == [0.0]
        finally:
            stop.set()
            running.join()
