"""A station and a worker process whose images are in S3, which goes away and comes back."""

from __future__ import annotations

from pathlib import Path

import pytest

from db.line import faults
from producer.contract.event import new_id
from producer.delivery.outbox import Outbox
from producer.simulation.head import labelled_images
from producer.station.station import Station
from producer.storage.opening import open_image_store
from tests.integration.test_worker_process import Line
from tests.s3 import S3Server
from tests.support import RedisProcess, wait_until


def test_an_s3_that_is_away_costs_a_line_time_and_nothing_else(
    tmp_path: Path, redis_server: RedisProcess, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3 = S3Server()
    s3.start()
    root = f"{s3.new_bucket(monkeypatch)}/images"  # before the line, whose worker gets this environment
    line = Line(tmp_path, redis_server, sqlite_url)
    line.environment["INSERTS_IMAGES"] = root
    outbox = Outbox(tmp_path / "outbox.db")
    photographs = [image for image, _ in labelled_images(8, seed=1, size=224)]
    try:
        with Station("station-1", open_image_store(root), outbox, redis_server.url) as station:
            check = new_id()

            def submit(number: int) -> None:
                where = {"machine": "m", "head": "h", "operation": "op", "check_id": check, "check_size": 8}
                station.submit(photographs[number], pocket=number + 1, **where)  # type: ignore[arg-type]

            for number in range(6):
                submit(number)
            s3.stop()
            with pytest.raises(OSError, match="nothing was kept: the store cannot be reached"):
                submit(6)
            assert len(outbox) == 6
            worker = line.start_worker()
            wait_until(lambda: "image store is away" in line.log_file.read_text(), 60, "a worker that waits")
            s3.start()
            wait_until(lambda: len(outbox) == 0, 60, "six verdicts")
            s3.stop()
            s3.start()
            submit(6)
            submit(7)
            assert station.wait_for([check], 60)[check].answer.state == "review"  # type: ignore[union-attr]
            assert worker.poll() is None
        with line.database.reading() as session:
            assert faults.search(session, state=None) == []
        assert len(line.verdicts()) == 8
    finally:
        outbox.close()
        line.end()
        s3.stop()
