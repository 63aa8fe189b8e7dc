from __future__ import annotations

import pytest
from kombu.exceptions import OperationalError

from worker.broker.app import make_app
from worker.broker.kombu_fixes import RECONNECT_EVERY, CarefulTransport, PromptConnection
from worker.embedded.redis_server import free_port


@pytest.mark.parametrize(
    "url", ["redis://:secret@127.0.0.1:6379/3", "rediss://127.0.0.1/0", "redis+socket:///tmp/none"]
)
def test_a_worker_s_connections_are_careful_and_prompt_for_every_url(url: str) -> None:
    app = make_app(url)
    with app.connection_for_read() as reading, app.connection_for_write() as writing, reading.clone() as again:
        for connection in (reading, writing, again):
            assert isinstance(connection, PromptConnection)
            assert isinstance(connection.transport, CarefulTransport)
        assert "secret" not in reading.as_uri()


def test_a_redis_that_is_long_away_is_looked_for_as_often_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("kombu.utils.functional.sleep", slept.append)
    connection = make_app(f"redis://127.0.0.1:{free_port()}/0").connection_for_read()
    with pytest.raises(OperationalError):
        connection.ensure_connection(None, 20)
    assert sum(slept) == pytest.approx(20 * RECONNECT_EVERY)
