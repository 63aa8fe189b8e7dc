"""Reports how the sinks are doing, for the console: under a key in Redis that goes when its connector has gone.

Beside the connector's id it asks workers for what the connector may have missed.
"""

from __future__ import annotations

import socket
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

import redis

from producer.connect.connector_problems import current_states
from producer.connect.deliveries.delivery_log import DeliveryLog
from producer.contract.connector_report import (
    CONNECTORS,
    KEPT_FOR,
    REPORT_EVERY,
    ConnectorReport,
    SinkState,
    report_key,
)
from producer.delivery.redis_connection import connect
from producer.delivery.stream_reader import CALL_TIMEOUT
from producer.runtime.outage_log import OutageLog
from producer.runtime.periodic import Periodic

_ID: Final = "connector"
"""The note in the delivery log that has this connector's id, made when it first runs."""

_LONGEST_PROBLEM: Final = 400


def report_of(site: str, sinks: list[SinkState], now: datetime) -> ConnectorReport:
    """What is reported of `sinks`; a long problem is cut."""
    short = (replace(sink, problem=sink.problem and sink.problem[:_LONGEST_PROBLEM]) for sink in sinks)
    return ConnectorReport(site=site, host=socket.gethostname()[:255], written_at=now, sinks=tuple(short))


class SinkReporter(Periodic):
    """Reports every few seconds, from entering the block to its end; what was reported last goes by itself.

    Nothing that fails here keeps a sink from its events.
    """

    def __init__(self, site: str, deliveries: DeliveryLog, redis_url: str):
        """Nothing is connected yet.

        Raises:
            sqlite3.Error: the delivery log cannot be written.
        """
        super().__init__(
            REPORT_EVERY, name="report-sinks", failure="how systems are told is not reported", at_once=True
        )
        self._site = site
        self._deliveries = deliveries
        self._redis: redis.Redis = connect(redis_url, timeout=CALL_TIMEOUT)
        self._id = deliveries.note(_ID) or uuid4().hex
        deliveries.keep({}, {_ID: self._id})
        self._request = ""
        self._outage = OutageLog("the console does not see the systems' state", "the console sees it again")

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self._redis.close()

    def turn(self) -> None:
        """Report, unless Redis is away or the delivery log cannot be read."""
        try:
            self._report()
            self._outage.ends()
        except (redis.RedisError, OSError, sqlite3.Error) as error:
            self._outage.begins(f"{type(error).__name__}: {error}")

    def ask(self, request: str) -> None:
        """Have workers see a request (`producer.contract.missed_answers`) from now on; an empty one is none."""
        self._request = request
        self.turn()

    def _report(self) -> None:
        report = report_of(self._site, current_states(self._deliveries), datetime.now(UTC))
        self._redis.set(report_key(self._id), report.model_dump_json(), ex=KEPT_FOR)
        self._redis.hset(CONNECTORS, self._id, self._request)
