"""The present state of each head and pocket, kept in the delivery log for a system that has forgotten it.

The state is the last answer that was sent to a sink, or that waits for it. A system that comes back is shown the newest
state at once, and never briefly an outdated `go`. If much waits, newer states are shown before the waiting events are
sent (`news`). An answer that was given up counts too: nothing is shown for its head, because the previous answer is out
of date. Nor is anything shown from before the sink's reading (`producer.connect.deliveries.readings`). Both still say
what is older than they are; what was said before a backup was restored does not.

Of a head that is what its checks, the changes of its inserts, and the verdicts and holds against it come to
(`producer.connect.sinks.head_answers`), also that it has no state; of a pocket, a station and a model what was said
last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from heapq import merge
from typing import Final

from producer.connect.deliveries.delivery_log import Delivery, DeliveryLog, State
from producer.connect.sinks.head_answers import HeadAnswers, Numbered
from producer.contract.answers import CheckAnswer, VerdictAnswer
from producer.contract.plant_event import PLANT_EVENTS, PlantEvent
from producer.contract.plant_news import FaultRun, Hold, InsertChangeAnswer, ModelChange

_DELIVERIES_AT_ONCE: Final = 1_000
"""Deliveries that are read in one step: a million may wait, and others use the log too."""


@dataclass(frozen=True)
class Remembered:
    """What an answer changes.

    Attributes:
        shows: what its head, pocket, station or model shows from now on; None where that stays as it is.
        kept: what `DeliveryResult.shown` is to keep of it.
    """

    shows: Numbered | None = None
    kept: Mapping[str, str] = field(default_factory=dict)


class Answers:
    """The answers that count."""

    def __init__(self, pockets: Callable[[PlantEvent], int | None], answers: Iterable[Numbered] = ()):
        """Those of `answers`, which are in the order in which they came; `pockets` is `HeadSizes.of`."""
        self._pockets = pockets
        self._heads: dict[str, HeadAnswers] = {}
        self._others: dict[str, Numbered] = {}
        self.newest = 0
        """The highest number of all that were taken, also of those that count no more."""
        for answer in answers:
            self.take(answer)

    def take(self, answer: Numbered) -> list[str]:
        """Have an answer count, unless another one is later; of what else counts now."""
        return [subject for subject in subjects_of(answer[1]) if self.take_of(subject, answer)]

    def take_of(self, subject: str, answer: Numbered) -> bool:
        """Have an answer count of one of its subjects."""
        event = answer[1]
        self.newest = max(self.newest, answer[0])
        if subject == event.order:
            if subject not in self._heads:
                self._heads[subject] = HeadAnswers(self._pockets(event))
            return self._heads[subject].take(answer)
        is_later = answer[0] >= self._others.get(subject, answer)[0]
        if is_later:
            self._others[subject] = answer
        return is_later

    def last(self, subject: str, is_vouched_for: Callable[[Numbered], bool]) -> Numbered | None:
        """The state of a subject; None if it is unknown."""
        if subject in self._heads:
            return self._heads[subject].last(is_vouched_for)
        last = self._others.get(subject)
        return last if last is not None and is_vouched_for(last) else None

    def of(self, subject: str) -> list[Numbered]:
        """All that count of a subject."""
        if subject in self._heads:
            return self._heads[subject].counting
        return [self._others[subject]] if subject in self._others else []

    def subjects(self) -> list[str]:
        """Of what there are some."""
        return [*self._heads, *self._others]

    def counting(self) -> list[tuple[str, Numbered]]:
        """All of them with their subjects, in the order in which they came."""
        counting = [(subject, answer) for subject in self.subjects() for answer in self.of(subject)]
        return sorted(counting, key=lambda one: one[1][0])

    def stored(self, behind: int) -> dict[str, str]:
        """What the delivery log is to keep of them as what a sink shows; they are numbered behind a number there."""
        return {_key(subject, one): as_kept((behind + one[0], one[1])) for subject, one in self.counting()}


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
        self._log = log
        self._sink = sink
        self._seen = self._forgotten = log.readings.forgotten()
        self._changed: set[str] = set()
        self._since = log.readings.since(sink)
        refused = merge(*(_in(log, sink, state, self._seen) for state in ("given up", "put away")), key=_number)
        given_up = [answer for _, answer in Answers(log.sizes.of, refused).counting()]
        stored = {key: one for key, text in log.shown(sink).items() if (one := _numbered(text))[0] > self._seen}
        of_pockets = {key: one for key, one in stored.items() if key == _pocket_of(one[1])}
        shown = sorted((one for key, one in stored.items() if key not in of_pockets), key=_number)
        self._answers = Answers(log.sizes.of, merge(shown, self._unseen(), given_up, key=_number))
        for key, one in of_pockets.items():  # what it says of its head is kept beside it, or was settled
            self._answers.take_of(key, one)
        self._unknown = {number for number, _ in given_up}
        self._stored_numbers = {number for number, _ in stored.values()}
        self._stored: dict[str, set[str]] = {}
        for key, (_, event) in stored.items():
            subject = key if key in of_pockets else next(reversed(subjects_of(event)), key)
            self._stored.setdefault(subject, set()).add(key)

    @property
    def kept(self) -> list[Numbered]:
        """The number of each and the answer, in the order in which they came."""
        return [last for _, last in self._last_of(self._answers.subjects())]

    def news(self, due: Iterable[Delivery] = ()) -> list[Numbered]:
        """Return the states of the subjects for which a newer answer waits, since this was read or last called.

        Otherwise a system would show the old state until all events that wait before the newer one are sent.

        Args:
            due: what is told now, and is shown then.

        Raises:
            sqlite3.Error: it cannot be read; none is passed over.
        """
        in_turn = {(subject, delivery.number) for delivery in due for subject in subjects_of(delivery.event)[:1]}
        for answer in self._unseen():
            self._changed.update(self._answers.take(answer))
        changed, self._changed = self._changed, set()
        return [last for subject, last in self._last_of(changed) if (subject, last[0]) not in in_turn]

    def remember(self, delivery: Delivery) -> Remembered:
        """Take an answer that is sent."""
        subjects = subjects_of(delivery.event)
        if not subjects or delivery.number <= self._forgotten:  # it holds for no time, or no more
            return Remembered()
        subject = subjects[0]
        self._unknown.discard(delivery.number)
        before = self._known(subject)
        if delivery.number > self._answers.newest:
            self._changed.update({*self._answers.take((delivery.number, delivery.event))} - {subject})
        kept = {key: text for of in subjects for key, text in self._to_keep(of, delivery.number).items()}
        # What was read at the beginning, or is told once more, counts as it did: what overtook it may count no more.
        if all(number != delivery.number for number, _ in self._answers.of(subject)) and not _takes_back(
            delivery.event
        ):
            return Remembered(kept=kept)
        last = self._known(subject)
        is_shown = last is not None and (last is not before or last[0] == delivery.number)
        return Remembered(last if is_shown else None, kept)

    def _to_keep(self, subject: str, number: int) -> dict[str, str]:
        """What is to be kept of a subject of the answer with a number, and of what no more."""
        keys = {_key(subject, one): one for one in self._answers.of(subject)}
        before = self._stored.get(subject, set())
        self._stored[subject] = {*keys}
        # An earlier version of the connector may have kept some under other keys.
        moved = {key for key, one in keys.items() if one[0] in self._stored_numbers and key not in before}
        kept = {key: as_kept(one) for key, one in keys.items() if one[0] == number or key in moved}
        return kept | dict.fromkeys(before - keys.keys(), "")

    def _unseen(self) -> Iterator[Numbered]:
        """What waits behind all that was seen."""
        for answer in _in(self._log, self._sink, "waiting", self._seen):
            self._seen = answer[0]
            yield answer

    def _last_of(self, subjects: Iterable[str]) -> list[tuple[str, Numbered]]:
        known = [(subject, last) for subject in subjects if (last := self._known(subject)) is not None]
        return sorted(known, key=lambda one: one[1][0])

    def _known(self, subject: str) -> Numbered | None:
        """A subject's state, if known: not after an answer was given up, and not from before the reading."""
        return self._answers.last(subject, lambda one: one[0] > self._since and one[0] not in self._unknown)


def subjects_of(event: PlantEvent) -> list[str]:
    """What the event holds of until the next such event, what shows it first; none of one that holds for no time."""
    match event.data:
        case VerdictAnswer(outcome="intact"):
            return [_pocket_of(event)]
        case VerdictAnswer():
            return [_pocket_of(event), event.order]
        case CheckAnswer() | Hold() | InsertChangeAnswer(refused=None):
            return [event.order]
        case FaultRun(station=station):
            return [f"fault run of {station}"]
        case ModelChange(role=role):
            return [f"model {role}"]
    return []


def as_kept(answer: Numbered) -> str:
    """An answer as the delivery log keeps it."""
    return f"{answer[0]} {answer[1].as_json()}"


def _key(subject: str, answer: Numbered) -> str:
    """Under which an answer is kept: of a head several may count."""
    event = answer[1]
    match event.data:
        case CheckAnswer(check_id=check_id):
            return f"{subject} {check_id}"
        case InsertChangeAnswer(pocket=pocket, at=at):
            return f"{subject} change of {pocket} at {at}"
        case VerdictAnswer(check_id=check_id, pocket=pocket) if subject == event.order:
            return f"{subject} verdict on {pocket} of {check_id}"
        case Hold(check_id=check_id, pocket=pocket):
            return f"{subject} hold of {pocket} by {check_id}"
    return subject


def _pocket_of(event: PlantEvent) -> str:
    """The pocket that a verdict is on; nothing of other events."""
    return f"{event.order}/{event.data.pocket}" if isinstance(event.data, VerdictAnswer) else ""


def _takes_back(event: PlantEvent) -> bool:
    return isinstance(event.data, InsertChangeAnswer) and event.data.withdrawn


def _in(log: DeliveryLog, sink: str, state: State, number: int = 0) -> Iterator[Numbered]:
    """The deliveries to a sink in one state that come behind a number, in the order in which they came."""
    rows = log.behind(number, sink, state, _DELIVERIES_AT_ONCE)
    while rows:
        yield from ((delivery.number, delivery.event) for delivery in rows)
        rows = log.behind(rows[-1].number, sink, state, _DELIVERIES_AT_ONCE)


def _number(answer: Numbered) -> int:
    return answer[0]


def _numbered(text: str) -> Numbered:
    if text.startswith("{"):  # as brokers' were kept before
        return 0, PLANT_EVENTS.validate_json(text)
    number, _, event = text.partition(" ")
    return int(number), PLANT_EVENTS.validate_json(event)
