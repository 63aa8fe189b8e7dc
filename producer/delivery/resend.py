"""What the outbox sends when, and what it sends again: the times, and the choice among what waits.

The queue is in order. So an event without an answer was lost when something that was sent later has one: it is
overtaken, and sent again. While nothing later has one it only waits in the queue, however long, and is left there. Of
what was sent last there is nothing later: it is sent again after a while, and its answer tells of all others
(decision 19).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

OVERTAKEN_AFTER: Final = 3.0
"""Seconds after a later answer in which an event may still be answered, before it is taken to be lost: several
processes answer out of order, and by about what one message takes them."""

FIRST_RESEND: Final = 5.0
"""Seconds without an answer after which the event that was sent last is sent again: a worker that is started again is
ready sooner, and judges what is in the queue."""

LAST_RESEND: Final = 300.0
"""The longest time between two attempts to send the event that was sent last, in seconds."""

HELD: Final = 60.0
"""Seconds for which what is handed in together is held at most, where the process dies that hands it in."""

_ROUNDING: Final = 10.0
"""How much further ahead than the longest wait one may lie, in seconds: clocks are set by so much all the time."""

T = TypeVar("T")


def resend_after(answers_take: float) -> float:
    """Seconds to wait for the answer to what was sent last, where answers take so many at present.

    Four times as long, within bounds. So a line that answers at once is asked soon, and one that is behind or away ever
    more rarely: of stations that hand in single captures each may be the last for a while.
    """
    return min(max(4 * answers_take, FIRST_RESEND), LAST_RESEND)


def choose_due(
    select: Callable[[str, tuple[object, ...]], list[T]], now: float, longest_wait: float, limit: int
) -> list[T]:
    """What is to be sent at `now`: first all that never left, in their order, then those that were overtaken.

    What is to leave together comes behind the others, once these are fewer than `limit`: all of it. Where there are
    none, the event that was sent last, once its time has come, with all that left together with it: no answer to a
    later one will ever say that it is lost. All others wait for such an answer.

    Args:
        select: gives what waits, by what comes behind `FROM waiting` and its values.
        now: seconds since the epoch.
        longest_wait: in seconds; a wait that lies further ahead was noted by a clock that is set back: it is over.
        limit: how many at most, but of what is to leave together.
    """
    times = (now, now + longest_wait + _ROUNDING)
    overtaken = "INDEXED BY waiting_overtaken WHERE attempts > 0 AND sending IS NULL AND (next_at <= ? OR next_at > ?)"
    events = select("WHERE attempts = 0 AND whole_from IS NULL ORDER BY number LIMIT ?", (limit,))
    alone = f"{overtaken} AND whole_from IS NULL ORDER BY next_at, number LIMIT ?"
    events += select(alone, (*times, limit - len(events)))
    if len(events) < limit:
        whole = "WHERE attempts = 0 AND (whole_from <= ? OR whole_from > ?) ORDER BY number"
        events += select(whole, (now, now + HELD + _ROUNDING))
        events += select(f"{overtaken} AND whole_from NOTNULL ORDER BY number", times)
    last = (
        "WHERE sending = (SELECT max(sending) FROM waiting) AND (next_at <= ? OR next_at > ?) AND (whole_from NOTNULL"
        " OR number = (SELECT max(number) FROM waiting WHERE sending = (SELECT max(sending) FROM waiting)))"
        " ORDER BY number"
    )
    return events or select(last, times)


def next_due(connection: sqlite3.Connection) -> float | None:
    """When the next event is due, or None while nothing waits."""
    row = connection.execute(
        "SELECT min(next_at) FROM (SELECT * FROM (SELECT next_at FROM waiting WHERE attempts = 0 LIMIT 1)"
        " UNION ALL SELECT min(next_at) FROM waiting INDEXED BY waiting_overtaken"
        " WHERE attempts > 0 AND sending IS NULL"
        " UNION ALL SELECT next_at FROM waiting WHERE sending = (SELECT max(sending) FROM waiting))"
    ).fetchone()
    return None if row[0] is None else float(row[0])


def overtake(
    connection: sqlite3.Connection, answered: Iterable[tuple[int, int | None]], last: int | None, overtaken_at: float
) -> None:
    """Have what was sent before that which is answered, or with it, sent again at `overtaken_at`.

    Of a capture that was sent twice nobody knows which of the two was answered, so it overtakes nothing, unless it is
    what was sent last: then there is nothing else to be waited for.

    Args:
        connection: the outbox's, in a transaction; what is answered is in it no more.
        answered: attempts and sending of what is answered.
        last: the last sending, before that was taken out.
        overtaken_at: seconds since the epoch.
    """
    overtaking = [sending for attempts, sending in answered if sending and (attempts == 1 or sending == last)]
    connection.execute(
        "UPDATE waiting SET sending = NULL, next_at = ? WHERE sending <= ?", (overtaken_at, max(overtaking, default=0))
    )
