"""What holds last of each head and pocket, kept in the delivery log for a system that has forgotten it.

That is what a sink was told last, or what waits for it: a system that comes back is shown the newest at once, and never
in passing a `go` that has been overtaken. What was given up counts too: of its head nothing is shown, for the answer
before it holds no more. Neither is anything of before the sink's reading (`producer.connect.readings`). Both still say
what is older than they are.

Nothing older takes its place, though it come later: who reads only what holds now would take it for new. Of checks that
is the answer of the newest run, by its place in the line's order (`begun_at`; never by a station's clock), and of one
run that with the highest revision. Where one of two answers has no such place, from a worker of before, the later
delivery counts, as it always did. Two rules are on the safe side, for what is shown may release a head: what comes
later and is no `go` takes the place of any `go`, though its run be older; and a check of one photograph says nothing of
the other pockets, so of what was said of several it takes the place of a `go` alone, and with no `go`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import merge
from typing import Final

from producer.connect.delivery_log import Delivery, DeliveryLog, State
from producer.contract.answers import CheckAnswer
from producer.contract.plant_event import PLANT_EVENTS, PlantEvent
from producer.contract.plant_news import FaultRun, ModelChange

Numbered = tuple[int, PlantEvent]
"""An answer with the number of its delivery, which rises from one to the next."""


_AT_ONCE: Final = 1_000
"""Deliveries that are read in one step: a million may wait, and others use the log too."""


class LastAnswers:
    """The last answers of one sink."""

    def __init__(self, log: DeliveryLog, sink: str):
        """Read those that the log keeps, of what was told and of what waits.

        Args:
            log: the connector's.
            sink: whose they are.

        Raises:
            sqlite3.Error: it cannot be read.
        """
        self._since = log.readings.since(sink)
        given_up = sorted(newest(_in(log, sink, "given up")).values(), key=_number)
        shown = sorted(map(_numbered, log.shown(sink).values()), key=_number)
        self._last = newest(merge(shown, _in(log, sink, "waiting"), given_up, key=_number))
        unknown = {number for number, _ in given_up}
        held = [one for one in self._last.values() if one[0] > self._since and one[0] not in unknown]
        self.kept: list[Numbered] = sorted(held, key=_number)
        """The number of each and the answer, in the order in which they came."""
        self.former = [event for number, event in shown if number <= self._since]
        """What the sink may show of before its reading, for which nobody vouches."""

    def is_last(self, delivery: Delivery) -> bool:
        """Whether nothing later has been told of the same; of what holds for no time there is no last."""
        subject = subject_of(delivery.event)
        if subject is None or delivery.number <= self._since:
            return False
        return _is_later((delivery.number, delivery.event), self._last.get(subject))

    def remember(self, delivery: Delivery) -> dict[str, str]:
        """Take an answer for the last one, if it is; what `Told.shown` is to keep of it."""
        subject = subject_of(delivery.event)
        if subject is None or not self.is_last(delivery):
            return {}
        self._last[subject] = (delivery.number, delivery.event)
        return {subject: as_kept(self._last[subject])}


def subject_of(event: PlantEvent) -> str | None:
    """What the event holds of until the next such event; None of one that holds for no time."""
    if event.is_state:
        return event.subject
    match event.data:
        case FaultRun(station=station):
            return f"fault run of {station}"
        case ModelChange(role=role):
            return f"model {role}"
    return None


def newest(answers: Iterable[Numbered]) -> dict[str, Numbered]:
    """The last answer to each subject, of some in the order in which they came."""
    last: dict[str, Numbered] = {}
    for answer in answers:
        subject = subject_of(answer[1])
        if subject is not None and _is_later(answer, last.get(subject)):
            last[subject] = answer
    return last


def as_kept(answer: Numbered) -> str:
    """An answer as the delivery log keeps it."""
    return f"{answer[0]} {answer[1].as_json()}"


def _is_later(answer: Numbered, before: Numbered | None) -> bool:
    if before is None:
        return True
    new, old = answer[1].data, before[1].data
    is_told_later = answer[0] >= before[0]
    if not isinstance(new, CheckAnswer) or not isinstance(old, CheckAnswer):
        return is_told_later
    if new.check_id == old.check_id:
        has_order = new.revision != old.revision and new.revision and old.revision
        return new.revision > old.revision if has_order else is_told_later
    if new.state != "go" and old.state == "go":
        return is_told_later
    if new.size == 1 < old.size:
        return False
    if new.begun_at and old.begun_at and new.begun_at != old.begun_at:
        return new.begun_at > old.begun_at
    return is_told_later


def _in(log: DeliveryLog, sink: str, state: State) -> Iterator[Numbered]:
    """The deliveries to a sink in one state, in the order in which they came."""
    rows = log.behind(0, sink, state, _AT_ONCE)
    while rows:
        yield from ((delivery.number, delivery.event) for delivery in rows)
        rows = log.behind(rows[-1].number, sink, state, _AT_ONCE)


def _number(answer: Numbered) -> int:
    return answer[0]


def _numbered(text: str) -> Numbered:
    if text.startswith("{"):  # as brokers' were kept before
        return 0, PLANT_EVENTS.validate_json(text)
    number, _, event = text.partition(" ")
    return int(number), PLANT_EVENTS.validate_json(event)
