"""A post-operation check: a whole head handed in, its answer waited for."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final
from uuid import UUID

from producer.contract.answers import CheckAnswer, FaultAnswer, VerdictAnswer
from producer.contract.event import CaptureEvent, new_id
from producer.contract.reasons.stations import NOT_HANDED_IN, NOT_STORED
from producer.contract.reasons.template import Reason, numbered
from producer.contract.region import AnyRegion
from producer.contract.vocabulary import DECIDED, Outcome, State
from producer.pictures.stand_in import stand_in
from producer.station.station import Received, Station
from producer.terminal import exit_codes

ASKED_AGAIN_AFTER: Final = 5.0
"""Seconds after which a check is asked about whose photographs are all answered; then twice as long, and so on."""


@dataclass(frozen=True)
class Photograph:
    """One insert's photograph, with what is known of the edge that it shows and of the file that it came from.

    `unguarded`: the system could not say whether a program wrote the file while it was read.
    """

    pocket: int
    image: bytes
    operations_on_edge: int | None = None
    region: AnyRegion | None = None
    file: str | None = None
    unguarded: bool = False


@dataclass(frozen=True)
class CheckResult:
    """The result of a check of `check_size` pockets.

    `submitted` holds the event of each photograph with the time (seconds of `time.monotonic`) just before it was handed
    in; `answers` holds what came back for each; `answer` is None when the check did not finish in time. `doubted` are
    pockets that a person must look at whatever the line says of them: with one the check is no "go". `not_stored` says
    of pockets why their photographs could not be handed in, though they are there.
    """

    check_id: UUID
    check_size: int
    submitted: list[tuple[CaptureEvent, float]]
    answers: dict[UUID, Received]
    answer: CheckAnswer | None
    doubted: frozenset[int] = frozenset()
    not_stored: Mapping[int, Reason] = field(default_factory=dict)

    @property
    def state(self) -> State:
        """What the check came to; a pocket that was not handed in or is doubted makes a "go" of it "review"."""
        if self.answer is not None:
            return "review" if (self.doubted or self.missing) and self.answer.state == "go" else self.answer.state
        return "review" if self.missing and len(self.answers) == len(self.submitted) else "pending"

    @property
    def missing(self) -> list[int]:
        """The pockets of which the line has no photograph."""
        unseen = set(range(1, self.check_size + 1)) - {event.pocket for event, _ in self.submitted}
        return sorted(unseen.union(self.answer.missing if self.answer is not None else ()))

    @property
    def replace(self) -> list[int]:
        """The pockets whose insert is damaged, as far as it is known."""
        if self.answer is not None:
            return self.answer.replace
        return sorted(event.pocket for event, _ in self.submitted if self._outcome(event) == "damaged")

    @property
    def damage(self) -> dict[int, str]:
        """The kind of damage, worn or broken, by pocket to replace; without pockets for which the model gave none."""
        labels = {event.pocket: label for event, _ in self.submitted if (label := self._label(event)) is not None}
        return {pocket: labels[pocket] for pocket in self.replace if pocket in labels}

    @property
    def review(self) -> list[int]:
        """The pockets that a person must look at: undecided, not answered in time, never handed in, or doubted."""
        if self.answer is not None:
            return sorted({*self.answer.review, *self.doubted, *self.missing})
        decided = {event.pocket for event, _ in self.submitted if self._outcome(event) in DECIDED}
        return sorted(set(range(1, self.check_size + 1)) - decided | self.doubted)

    @property
    def exit_code(self) -> int:
        """0 go, 1 replace, 2 a person must look or the check did not finish."""
        return exit_codes.of_check(self.state)

    def answer_to(self, event: CaptureEvent) -> VerdictAnswer | FaultAnswer | CheckAnswer | None:
        """What the line said of a photograph; None while it has said nothing."""
        received = self.answers.get(event.capture_id)
        return received.answer if received else None

    def _outcome(self, event: CaptureEvent) -> Outcome | None:
        return _outcome_of(self.answer_to(event))

    def _label(self, event: CaptureEvent) -> str | None:
        answer = self.answer_to(event)
        return answer.label if isinstance(answer, VerdictAnswer) else None


def run_check(
    station: Station,
    photographs: Sequence[Photograph],
    *,
    machine: str,
    head: str,
    operation: str,
    check_size: int,
    timeout: float,
    check_size_counted: bool = False,
    check_id: UUID | None = None,
    designation: str | None = None,
    reasons: Mapping[int, Reason] | None = None,
    on_submit: Callable[[CaptureEvent], None] | None = None,
) -> CheckResult:
    """Hand in the photographs of a head, and wait at most `timeout` seconds for the check's answer.

    `check_size` is how many pockets the head has. With `check_size_counted` it is only counted: if the line knows the
    head with more pockets, the answer is "review", with these as missing. `check_id` is the run's own id, if another
    system such as a PLC waits for its answer too; without it the check makes one. For a pocket without a photograph, a
    stand-in is handed in with its reason from `reasons`, so that the line does not wait for it: the check never ends as
    "go", and is answered at once. So is a photograph for which the image store has no room after others were handed in.

    Raises:
        ValueError: two photographs are of one pocket, or one is of a pocket that the head does not have; nothing was
            handed in. Either would fill the place of a pocket that was not photographed.
        OSError: the image store has room for no photograph, and nothing was handed in; or not even for a stand-in, and
            the message says which pockets were.
        producer.delivery.outbox_room.OutboxFull, sqlite3.Error: as of `Station.submit`.
    """
    pockets = [photograph.pocket for photograph in photographs]
    if twice := sorted({pocket for pocket in pockets if pockets.count(pocket) > 1}):
        raise ValueError(f"more than one photograph of pocket {twice[0]}: a check has one of each")
    if beyond := [pocket for pocket in pockets if not 1 <= pocket <= check_size]:
        raise ValueError(f"a photograph of pocket {beyond[0]} in a check of pockets 1 to {check_size}")
    check_id = check_id or new_id()
    submit = partial(
        station.submit,
        machine=machine,
        head=head,
        operation=operation,
        check_id=check_id,
        check_size=check_size,
        check_size_counted=check_size_counted,
        insert_designation=designation,
    )
    submitted: list[tuple[CaptureEvent, float]] = []
    stand_ins: list[CaptureEvent] = []
    not_stored: dict[int, Reason] = {}
    for photograph in photographs:
        started = time.monotonic()
        try:
            event = submit(
                photograph.image,
                pocket=photograph.pocket,
                region=photograph.region,
                operations_on_edge=photograph.operations_on_edge,
            )
        except OSError as error:
            if not submitted:
                raise
            problem = os.strerror(error.errno) if error.errno else str(error)
            left = photographs[len(submitted) :]
            not_stored = {one.pocket: NOT_STORED(pocket=one.pocket, problem=problem) for one in left}
            break
        submitted.append((event, started))
        if on_submit is not None:
            on_submit(event)
    handed_in = {event.pocket for event, _ in submitted}
    for pocket in sorted(set(range(1, check_size + 1)) - handed_in):
        reason = not_stored.get(pocket) or (reasons or {}).get(pocket) or NOT_HANDED_IN(pocket=pocket)
        try:
            stand_ins.append(submit(stand_in(reason), pocket=pocket))
        except OSError as error:
            if not handed_in:
                raise
            before = f"{numbered(sorted(handed_in))} went before, and that check ends as review: {error.strerror}"
            raise OSError(error.errno, before, error.filename) from error
    answers = _answers(station, check_id, [*(event for event, _ in submitted), *stand_ins], timeout)
    for event in stand_ins:
        answers.pop(event.capture_id, None)
    finished = answers.pop(check_id, None)
    answer = finished.answer if finished is not None and isinstance(finished.answer, CheckAnswer) else None
    return CheckResult(check_id, check_size, submitted, answers, answer, not_stored=not_stored)


def _answers(station: Station, check_id: UUID, events: Sequence[CaptureEvent], timeout: float) -> dict[UUID, Received]:
    """Wait for the answers to the events of a check and to the check itself, at most `timeout` seconds.

    An answer of the check from before all of these does not include them: if two runs have the same id, the answer of
    the earlier one is not taken for the later one's. Nothing in the outbox waits for the check's own answer. If it is
    lost, for example with a crash of Redis, the line sends it again with the answer to the last event.
    """
    end, pause = time.monotonic() + timeout, ASKED_AGAIN_AFTER
    answers = station.wait_for({event.capture_id for event in events}, timeout)
    if any(event.capture_id not in answers for event in events):
        return answers
    since = max(received.at for received in answers.values())
    while True:
        left = end - time.monotonic()
        checked = station.wait_for([check_id], min(pause, left), since=since).get(check_id)
        if checked is not None:
            if isinstance(checked.answer, CheckAnswer) and _names_all(checked.answer, events, answers):
                return {**answers, check_id: checked}
            since = math.nextafter(checked.at, math.inf)
        elif left <= pause:
            return answers
        else:
            station.ask_again(events[-1])
            pause *= 2


def _names_all(checked: CheckAnswer, events: Sequence[CaptureEvent], answers: Mapping[UUID, Received]) -> bool:
    """Whether a check's answer can include the answers to these events: it names every pocket that is not intact.

    Two processes that answer a check may send the older answer after the newer one's photographs.
    """
    unlike = {event.pocket for event in events if _outcome_of(answers[event.capture_id].answer) != "intact"}
    return unlike <= {*checked.replace, *checked.review}


def _outcome_of(answer: object) -> Outcome | None:
    return answer.outcome if isinstance(answer, VerdictAnswer) else None
