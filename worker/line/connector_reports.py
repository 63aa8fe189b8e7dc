"""Brings what connectors report of the plant's other systems into the database, where the console finds it.

A connector has no database, and the console no Redis: a report travels as an insert change does, by a worker.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import redis
import structlog

from db.engine.database import Database
from db.queries import connector_health
from producer.contract.connector_report import CONNECTORS, REPORT_EVERY, report_key
from producer.runtime.periodic import Periodic
from worker.broker.patient_redis import connect_patiently

log = structlog.get_logger()

LONGEST_REPORT: Final = 100_000
"""Bytes of a report; one of twenty systems has some 5,000."""

_ID: Final = re.compile(r"[0-9a-f]{32}")


class ConnectorReportsWatch(Periodic):
    """Looks for reports every few seconds, from entering the block to its end; several workers may do so at once."""

    def __init__(self, database: Database, redis_url: str) -> None:
        super().__init__(
            REPORT_EVERY,
            name="connector-reports",
            failure="the console does not see how other systems are told",
            at_once=True,
        )
        self._database = database
        self._redis: redis.Redis = connect_patiently(redis_url)

    def turn(self) -> None:
        """Keep the reports unchanged: the pages that show them interpret them.

        Raises:
            DatabaseUnavailable, redis.RedisError: one of them is away; the next look is soon.
        """
        reports = dict(self._reports())
        if reports:
            with self._database.transaction() as session:
                connector_health.keep(session, reports, datetime.now(UTC))

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self._redis.close()

    def _reports(self) -> Iterator[tuple[str, str]]:
        """The report of each known connector, by its id; a connector whose report has expired is removed from Redis."""
        known: dict[bytes, bytes] = self._redis.hgetall(CONNECTORS)  # type: ignore[assignment]
        for field in known:
            connector = field.decode(errors="replace")
            report = self._report(connector) if _ID.fullmatch(connector) else None
            if report is None:
                self._redis.hdel(CONNECTORS, field)
            elif len(report) > LONGEST_REPORT:
                log.error("what a connector reports is too long, and is not shown", connector=connector)
            else:
                yield connector, report.decode(errors="replace").replace("\0", "�")

    def _report(self, connector: str) -> bytes | None:
        try:
            return self._redis.get(report_key(connector))  # type: ignore[return-value]
        except redis.ResponseError as error:
            if "WRONGTYPE" not in str(error):
                raise
            return None  # no connector of ours wrote it
