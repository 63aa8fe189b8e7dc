"""Which sinks show nothing but what stands in the delivery log, and whose former states are still to be put right."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from producer.connect.delivery_log import DeliveryLog

_NOTE: Final = "vouched for"


def is_vouched_for(log: DeliveryLog, sink: str) -> bool:
    """Whether `sink` shows nothing but what stands in the log, or is told of it."""
    return log.note(f"{_NOTE} {sink}") is not None


def vouch_for(log: DeliveryLog, sinks: Iterable[str]) -> None:
    """Note that these sinks show nothing but what stands in the log."""
    log.keep({}, {f"{_NOTE} {sink}": "yes" for sink in sinks})
