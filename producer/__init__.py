"""The station's side of the line: an image in, a capture event out, the verdict back.

What other programs may import is here (`from producer import Station`), whichever module it lives in;
docs/integration.md says what each is for. It is loaded when it is first asked for: `import producer` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from producer.commands.opening import open_station
    from producer.contract.answers import ANSWERS, Answer, CheckAnswer, FaultAnswer, VerdictAnswer, stream_of
    from producer.contract.event import INSPECT_QUEUE, INSPECT_TASK, SCHEMA_VERSION, CaptureEvent, new_id
    from producer.contract.names import check_name, safe_name
    from producer.contract.region import Edge, Polygon, Region
    from producer.contract.vocabulary import CheckState, Outcome
    from producer.delivery.outbox import Outbox
    from producer.delivery.outbox_room import OutboxFull
    from producer.settings import StationSettings
    from producer.station.head_check import CheckResult, Photograph, run_check
    from producer.station.station import Received, Station
    from producer.storage.opening import open_image_store
    from producer.storage.store import ImageMissing, ImageRefused, ImageStore

__all__ = [
    "ANSWERS",
    "INSPECT_QUEUE",
    "INSPECT_TASK",
    "SCHEMA_VERSION",
    "Answer",
    "CaptureEvent",
    "CheckAnswer",
    "CheckResult",
    "CheckState",
    "Edge",
    "FaultAnswer",
    "ImageMissing",
    "ImageRefused",
    "ImageStore",
    "Outbox",
    "OutboxFull",
    "Outcome",
    "Photograph",
    "Polygon",
    "Received",
    "Region",
    "Station",
    "StationSettings",
    "VerdictAnswer",
    "check_name",
    "new_id",
    "open_image_store",
    "open_station",
    "run_check",
    "safe_name",
    "stream_of",
]

_MODULES = {
    "commands.opening": ("open_station",),
    "contract.answers": ("ANSWERS", "Answer", "CheckAnswer", "FaultAnswer", "VerdictAnswer", "stream_of"),
    "contract.event": ("INSPECT_QUEUE", "INSPECT_TASK", "SCHEMA_VERSION", "CaptureEvent", "new_id"),
    "contract.names": ("check_name", "safe_name"),
    "contract.region": ("Edge", "Polygon", "Region"),
    "contract.vocabulary": ("CheckState", "Outcome"),
    "delivery.outbox": ("Outbox",),
    "delivery.outbox_room": ("OutboxFull",),
    "settings": ("StationSettings",),
    "station.head_check": ("CheckResult", "Photograph", "run_check"),
    "station.station": ("Received", "Station"),
    "storage.opening": ("open_image_store",),
    "storage.store": ("ImageMissing", "ImageRefused", "ImageStore"),
}


def __getattr__(name: str) -> Any:
    """A public name, from the module that it lives in (PEP 562)."""
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"producer.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
