"""Which sinks show nothing but what stands in the delivery log, and whose former states are still to be put right."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from producer.connect.delivery_log import DeliveryLog

_NOTE: Final = "vouched for"


def is_vouched_for(log: DeliveryLog, sink: str) -> bool:
    """Whether `sink` shows nothing but what stands in the log, or is told of it."""
    return bool(log.note(f"{_NOTE} {sink}"))


def vouch_for(log: DeliveryLog, sinks: Iterable[str]) -> None:
    """Note that these sinks show nothing but what stands in the log."""
    log.keep({}, {f"{_NOTE} {sink}": "yes" for sink in sinks})


def distrust(log: DeliveryLog, sinks: Iterable[str]) -> None:
    """Forget what these sinks show, and note that what they have of it is to be put right: answers were missed."""
    log.forget_shown()
    log.keep({}, {f"{_NOTE} {sink}": "" for sink in sinks})
