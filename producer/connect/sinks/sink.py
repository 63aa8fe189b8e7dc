"""What the connector asks of a sink."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from producer.connect.deliveries.delivery_log import Delivery


class SinkAway(Exception):
    """The system cannot receive anything now; `retry_after` is the pause in seconds that it asked for, if any."""

    def __init__(self, problem: str, retry_after: float | None = None):
        super().__init__(problem)
        self.retry_after = retry_after


class SinkEnded(Exception):
    """The system wants no more, until a person says otherwise."""


@dataclass(frozen=True)
class DeliveryResult:
    """What became of one delivery.

    Attributes:
        delivery: which.
        refused: why the system did not take it; None where it did.
        shown: what the system shows of late, by topic.
        pause: the seconds after which a refused one is tried again, however often: it is the system that is set up
            wrongly. None: the event is refused for what it is, and some day given up.
    """

    delivery: Delivery
    refused: str | None = None
    shown: Mapping[str, str] = field(default_factory=dict)
    pause: float | None = None


class Sink(Protocol):
    """A system that receives events; used by one thread."""

    def open(self) -> bool:
        """Make sure that it can receive events; called often.

        Returns:
            Whether the connection is new: it may take now what it refused by the last one.

        Raises:
            SinkAway: it cannot be reached, or the connection was lost.
        """

    def tell(self, deliveries: Sequence[Delivery]) -> Iterator[DeliveryResult]:
        """Send it these in their order, and report the outcome of each, once that is certain.

        A delivery without an outcome must be sent again.

        Raises:
            SinkAway, SinkEnded: it takes no more of them.
        """

    def close(self) -> None:
        """Say good-bye, and drop the connection."""
