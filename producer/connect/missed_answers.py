"""Answers that Redis may have lost are asked for of a worker, so that what the systems show need not be withdrawn.

A Redis that was restarted may have lost the last answers, and nothing in its stream says so. The database has them. So
a worker is asked to send again what was sent since the connector read last. Until it has, nothing is vouched for. What
was not lost comes again with the id that it had, and changes nothing.

A little more is asked for than can be missing, because the clocks of Redis, of the database and of workers differ, and
an answer may be sent later than it was written. But nothing may come again of which the log does not know that it was
told: it would overtake what is newer. So nothing is asked for from before the log knows all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Final

from producer.connect.deliveries.delivery_log import KEPT, DeliveryLog
from producer.connect.stream_freshness import now
from producer.contract.answers import STREAM_FIELD
from producer.contract.missed_answers import MissedAnswersEnd, MissedAnswersRequest
from producer.delivery.stream_reader import StreamEntry, order

ANSWERED_WITHIN: Final = 120.0
"""Seconds for which a worker's answer is waited for, which may be starting too; meanwhile no system is told that the
connector is there."""

BEFORE: Final = 600
"""Seconds before what was read last from which on all is asked for."""

_LONGEST: Final = int(KEPT) - 24 * 3600
"""Seconds of the past: the log must still know what it has told since."""

_REQUEST: Final = "say again"
"""The note of the request that is not answered yet; empty where there is none. Delivery logs have it by this name."""

_KNOWN_SINCE: Final = "all known since"
"""The note of the second since which the log knows all that was told."""


class MissedAnswers:
    """Which of the line's answers may be missing; used by the one thread that reads them."""

    def __init__(self, deliveries: DeliveryLog, position: str, ask: Callable[[str], None]):
        """Read what was asked for before.

        Args:
            deliveries: the connector's log.
            position: the id of the last entry that was read.
            ask: has workers see a request; an empty one is none.
        """
        self._ask = ask
        self._request = MissedAnswersRequest.read(deliveries.note(_REQUEST) or "")
        self._asked_at: float | None = None
        self._known_since = int(deliveries.note(_KNOWN_SINCE) or 0)
        self._position = position
        # What was read, and what before it could not be for a while. Ids go on ahead where the clock of Redis was set
        # back; when one was read that lies ahead is not known any more after a start.
        self._read_to = self._before = second_of(position) if second_of(position) <= time.time() else 0
        self._resumed_at = now()

    @property
    def is_open(self) -> bool:
        """Whether a worker was asked, and has not answered yet."""
        return self._request is not None

    @property
    def problem(self) -> str | None:
        """Why nothing is vouched for yet, while it is open."""
        return "Redis may have lost answers: a worker is asked to send them again" if self.is_open else None

    def wait(self) -> bool:
        """Whether a worker may still answer; it is asked if it was not yet."""
        if self._request is not None and self._asked_at is None:
            self._ask(str(self._request))
            self._asked_at = now()
        return self._asked_at is not None and now() - self._asked_at < ANSWERED_WITHIN

    def heard(self, position: str, *, resumed: bool) -> None:
        """All up to an entry of the stream is read; `resumed`: after a time in which it could not be."""
        if resumed:  # what was written in that time may have been sent only now
            self._before, self._resumed_at = self._read_to, now()
        if position != self._position:
            self._position, self._read_to = position, min(second_of(position), int(time.time()))

    def begin(self, position: str) -> dict[str, str] | None:
        """Ask for what was said since the last entry that was read; the notes to be kept.

        None if that is too long ago, or before the log knows all: then nothing that was shown before can be believed.
        """
        if self._request is None:
            read_to = min(second_of(position), self._read_to)
            is_settled = now() - self._resumed_at > BEFORE or not self._before
            since = (read_to if is_settled else min(read_to, self._before)) - BEFORE
            if since <= self._known_since or time.time() - since > _LONGEST:
                return None
        else:
            since = self._request.since
        self._request, self._asked_at = MissedAnswersRequest.new(since), None
        return {_REQUEST: str(self._request)}

    def answer(self, entries: Iterable[StreamEntry]) -> bool | None:
        """Whether these entries say that all was sent again, or (false) that it cannot be; None if neither."""
        if self._request is None:
            return None
        ends = (MissedAnswersEnd.read(entry.fields.get(STREAM_FIELD, b"")) for entry in entries)
        return next((one.complete for one in ends if one is not None and one.request == self._request.request), None)

    def end(self) -> dict[str, str]:
        """Ask no more; the notes to be kept."""
        if self._request is None:
            return {}
        self._request = self._asked_at = None
        self._ask("")
        return {_REQUEST: ""}

    def known_from(self, position: str) -> dict[str, str]:
        """Nothing from before an entry, or if there is none from before now, may come again; the notes to be kept."""
        asked_since = 0 if self._request is None else self._request.since + BEFORE
        self._known_since = max(self._known_since, asked_since, second_of(position) or int(time.time()))
        return {_KNOWN_SINCE: str(self._known_since)}


def second_of(position: str) -> int:
    """When the entry of that id was written, in seconds since the epoch by the clock of Redis."""
    return order(position)[0] // 1000
