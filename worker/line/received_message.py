"""A message as it was delivered, beside what it carries; and how one of its captures goes back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from producer.contract.event import CaptureEvent
from worker.broker.messages import celery_message


@dataclass(frozen=True)
class ReceivedMessage:
    """What is known of a message beside what it carries.

    `alone` says that it carries one event, `requeued` which fault it takes up again.
    """

    message_id: str
    retries: int
    received_at: datetime
    alone: bool
    requeued: int | None

    def back(self, event: CaptureEvent, *, retries: int | None = None, pause: timedelta = timedelta()) -> bytes:
        """A message of its own for one of its captures, not to be handled before a pause."""
        return celery_message(
            event.model_dump_json(exclude_none=True),
            self.message_id if self.alone and self.message_id else str(event.capture_id),
            retries=self.retries if retries is None else retries,
            eta=datetime.now(UTC) + pause if pause else None,
        )
