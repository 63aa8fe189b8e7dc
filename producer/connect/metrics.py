"""What a connector counts: names, and what is read from the delivery log when Prometheus asks."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator

import structlog
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from producer.connect.connector_problems import current_states
from producer.connect.deliveries.delivery_log import DeliveryLog
from producer.contract.connector_report import SinkState

log = structlog.get_logger()


def connector_metrics(deliveries: DeliveryLog) -> CollectorRegistry:
    """A registry that reads the state of every sink from `deliveries` whenever it is asked."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_SinkCollector(deliveries))
    return registry


def sink_families(sinks: Iterable[SinkState], now: float) -> list[Metric]:
    """The metrics of these sinks; `now` is in seconds since the epoch."""
    labels = ["sink"]
    up = GaugeMetricFamily("inserts_connect_up", "Whether the sink receives the line's answers.", labels=labels)
    waiting = GaugeMetricFamily("inserts_connect_waiting_events", "Events that wait for the sink.", labels=labels)
    lag = GaugeMetricFamily("inserts_connect_lag_seconds", "Age of the oldest of those events.", labels=labels)
    given_up = GaugeMetricFamily("inserts_connect_given_up_events", "Events that were tried for days.", labels=labels)
    delivered = CounterMetricFamily("inserts_connect_delivered", "Events that the sink took.", labels=labels)
    for sink in sinks:
        up.add_metric([sink.name], float(sink.up and not sink.disabled))
        waiting.add_metric([sink.name], sink.waiting)
        lag.add_metric([sink.name], 0.0 if sink.oldest is None else max(0.0, now - sink.oldest))
        given_up.add_metric([sink.name], sink.given_up)
        delivered.add_metric([sink.name], sink.delivered)
    return [up, waiting, lag, given_up, delivered]


class _SinkCollector(Collector):
    def __init__(self, deliveries: DeliveryLog):
        self._deliveries = deliveries

    def describe(self) -> list[Metric]:
        return []  # so that registering reads nothing

    def collect(self) -> Iterator[Metric]:
        try:
            yield from sink_families(current_states(self._deliveries), time.time())
        except sqlite3.Error as error:
            log.warning("the sinks cannot be read for the metrics", problem=str(error))
