"""Opens the station that the settings describe, for as long as a command needs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from producer.delivery.outbox import Outbox
from producer.settings import StationSettings
from producer.station.station import Received, Station
from producer.telemetry.metrics_server import exposed


@contextmanager
def open_station(
    settings: StationSettings, on_answer: Callable[[Received], None] | None = None, *, measured: bool = False
) -> Iterator[tuple[Station, Outbox]]:
    """The station that `settings` describe, sending and listening, with its outbox.

    One that runs for long is `measured`: its metrics are served where the settings say.
    """
    redis_url = settings.broker_url()  # before anything is made in a folder that may be mistyped
    outbox = settings.open_outbox()
    try:
        images, group = settings.image_store(), settings.group
        station = Station(settings.station, images, outbox, redis_url, on_answer, group=group)
        port = settings.metrics_port if measured else None
        with exposed(station.metrics.registry, port, settings.metrics_address), station:
            yield station, outbox
    finally:
        outbox.close()
