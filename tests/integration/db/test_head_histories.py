"""Random histories of a milling head: no answer about it is better than the truth, whatever comes in whatever order.

`make test` runs the same few each time, `make histories` many others (N=…). The shortest history that breaks a rule is
printed, as calls that run as they are: from `state = History()` on they are a test.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import wraps
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from db.learning import reviews
from db.line import faults, insert_changes
from db.people import audited_insert_changes, external_insert_changes
from db.queries import contact_sheet
from producer.contract.insert_change import InsertChange, KeptChange
from tests.database_support import id_at
from tests.integration.db.head_histories.rules import ask, broken
from tests.integration.db.head_histories.stations import FLAWS, NODES, RIGHT, How, Stations
from tests.integration.db.head_histories.truth import Change, Photo, Truth
from tests.integration.db.head_histories.workshop import HEAD, MACHINE, OTHER_HEAD, Workshop, moment

POCKETS: Final = 4
ALL: Final = (1, 2, 3, 4)
RANDOM: Final = int(os.environ.get("INSERTS_TEST_HISTORIES", "0"))
"""How many random histories are run; 0: the same few each time."""

HOWS: Final = st.builds(
    How,
    at=st.sampled_from(ALL),
    flaw=st.sampled_from((*[""] * 8, "damaged", "damaged", *FLAWS)),
    fate=st.sampled_from((*[""] * 6, "lost", "lost", "worker dies", "worker dies")),
    fate_at=st.sampled_from(ALL),
    one_by_one=st.booleans(),
    in_turn=st.sampled_from((True, True, False)),
    clock=st.sampled_from((*[0] * 10, 3, -3, 30, -30, 600, -600)),
    minutes=st.sampled_from((3, 0.3, 20, 40)),
)
LAST: Final = st.integers(0, 11)
"""Which of the last photographs: 0 is the newest."""
STATIONS: Final = st.sampled_from((*NODES,))


def step(**arguments: Any) -> Callable[[Callable[..., None]], Any]:
    """A rule after which all answers are compared; before it a whole head may be a GO, of which it takes something."""

    def compared(happens: Callable[..., None]) -> Any:
        @wraps(happens)
        def happens_and_compare(self: History, *args: Any, is_after_good: bool = False, **named: Any) -> None:
            if is_after_good:
                self.good()
            happens(self, *args, **named)
            self.compare()

        return rule(**arguments, is_after_good=st.sampled_from((False, False, True)))(happens_and_compare)

    return compared


class History(RuleBasedStateMachine):
    """What may happen at one head of four pockets."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = TemporaryDirectory(prefix="inserts-history-")
        self.shop = Workshop(Path(self._folder.name))
        self.truth = Truth()
        self._backup: Truth | None = None

    def teardown(self) -> None:
        self.shop.close()
        self._folder.cleanup()

    def compare(self) -> None:
        """Have everything told, and look that no answer is better than the truth."""
        self.shop.deliver(self.stations.in_turn)
        heads = (HEAD, OTHER_HEAD) if self.truth.arrived(OTHER_HEAD) else (HEAD,)
        wrong = [text for head in heads for text in broken(ask(self.shop, self.truth, head))]
        assert not wrong, "\n".join(wrong)

    @initialize(register=st.sampled_from((None, POCKETS)), are_two=st.booleans())
    def begins(self, register: int | None = None, are_two: bool = False) -> None:
        self.shop.retained.start(register)
        self.stations = Stations(self.shop, self.truth, are_two=are_two)

    @step(how=HOWS, station=STATIONS)
    def whole(self, how: How = RIGHT, station: str = "st-1") -> None:
        self.stations.operate(ALL, POCKETS, how, station)

    @step()
    def good(self) -> None:
        self.stations.operate(ALL, POCKETS, RIGHT)

    @step(pocket=st.sampled_from(ALL), how=HOWS, station=STATIONS)
    def single(self, pocket: int, how: How = RIGHT, station: str = "st-1") -> None:
        self.stations.operate([pocket], 1, how, station)

    @step(size=st.integers(2, POCKETS - 1), how=HOWS, station=STATIONS)
    def partial(self, size: int, how: How = RIGHT, station: str = "st-1") -> None:
        self.stations.operate(ALL[:size], size, how, station)

    @step(missed=st.sets(st.sampled_from(ALL), min_size=1, max_size=3), how=HOWS, gives_up=st.booleans())
    def missed(self, missed: set[int], how: How = RIGHT, gives_up: bool = True) -> None:
        """A run that passes pockets over."""
        self.stations.operate([pocket for pocket in ALL if pocket not in missed], POCKETS, how)
        if gives_up:
            self.give_up()

    @step(pocket=st.sampled_from(ALL), clock=st.sampled_from((0, 30, -30, 600)), minutes=st.sampled_from((0.3, 20)))
    def missed_while_lost(self, pocket: int, clock: float = 0, minutes: float = 0.3) -> None:
        """The next run passes over a pocket whose photograph lies lost in the outbox, and is sent again then."""
        self.stations.operate(ALL, POCKETS, How(fate="lost", fate_at=pocket, one_by_one=True, clock=clock))
        self.stations.operate([other for other in ALL if other != pocket], POCKETS, How(minutes=minutes))
        self.give_up()
        self.stations.send(self.stations.lost.pop())

    @step(pockets=st.sets(st.sampled_from(ALL), min_size=2), how=HOWS)
    def counted(self, pockets: set[int], how: How = RIGHT) -> None:
        """A folder of files without a size: as many as there are, and as the head is known to have."""
        self.stations.operate(sorted(pockets), len(pockets), how, is_counted=True)

    @step(pockets=st.sets(st.sampled_from(ALL), min_size=2, max_size=3), how=HOWS)
    def too_small(self, pockets: set[int], how: How = RIGHT) -> None:
        """A check that tells a smaller size than the highest of its pockets."""
        self.stations.operate(sorted(pockets), len(pockets), how)

    @precondition(lambda self: self._last())
    @step(of=LAST, how=HOWS)
    def retake(self, of: int = 0, how: How = RIGHT) -> None:
        """Another photograph of a pocket, in the same run."""
        before = _pick(self._last(6), of)
        self.stations.take_another(before, before.pocket, before.size, how)

    @precondition(lambda self: self._last())
    @step(of=LAST, how=HOWS)
    def larger(self, of: int = 0, how: How = RIGHT) -> None:
        """A gateway that counts what it has so far tells a larger size."""
        before = _pick(self._last(6), of)
        if 1 < before.size < POCKETS:
            self.stations.take_another(before, before.size + 1, before.size + 1, how)

    @precondition(lambda self: self._last())
    @step(of=st.lists(LAST, min_size=1, max_size=4))
    def doubled(self, of: Iterable[int]) -> None:
        self.stations.send([*dict.fromkeys(_pick(self._last(), one) for one in of)])

    @precondition(lambda self: self.stations.lost)
    @step()
    def sent_again(self) -> None:
        self.stations.send(self.stations.lost.pop(0))

    @precondition(lambda self: self.stations.unjudged)
    @step()
    def redelivered(self) -> None:
        self.stations.send(self.stations.unjudged.pop(0))

    @step()
    def gives_up(self) -> None:
        self.give_up()

    @precondition(lambda self: self._last())
    @step(of=LAST, word=st.sampled_from(("intact", "broken", "worn", "unusable")))
    def labelled(self, of: int = 0, word: str = "broken") -> None:
        photo = _pick([photo for photo in self._last() if not photo.is_refused], of)
        if photo is not None:
            self._label(photo, word)

    @precondition(lambda self: self._last())
    @step(of=LAST, slip=st.sampled_from(("intact", "unusable")), how=HOWS)
    def labelled_right_at_last(self, of: int = 0, slip: str = "intact", how: How = RIGHT) -> None:
        """A person's slip is put right once the head has been photographed again."""
        photo = _pick([photo for photo in self._last() if not photo.is_refused], of)
        if photo is not None:
            self._label(photo, slip)
            self.stations.operate(ALL, POCKETS, how)
            self._label(photo, "broken")

    @step(how=HOWS)
    def said_while_another_is_in_the_outbox(self, pocket: int = 1, how: How = RIGHT) -> None:
        self.stations.operate(ALL, POCKETS, How(pocket, "unsure"))
        self.stations.operate(ALL, POCKETS, replace(how, fate="lost"))
        self._label(self.truth.usable(HEAD, pocket)[-1], "broken")
        self.shop.minute += 1
        self.stations.send(self.stations.lost.pop())

    @precondition(lambda self: self._last())
    @step()
    def confirmed_in_bulk(self) -> None:
        """All on the contact sheet that shows what the model says."""
        with self.shop.database.transaction() as session:
            rows = [row for row in contact_sheet.sheet(session, MACHINE, HEAD) if row.confirmable]
            shown = {row.capture_id: row.outcome for row in rows if row.outcome is not None}
            at = moment(self.shop.minute)
            labelled = contact_sheet.confirm(session, MACHINE, HEAD, shown, by="bert", at=at)
        for photo in self.truth.photos:
            if photo.capture_id in labelled:
                self.truth.label(photo, contact_sheet.LABEL_OF[photo.outcome], self.shop.came)

    @precondition(lambda self: self.truth.usable(HEAD))
    @step(pocket=st.sampled_from(ALL))
    def insert_changed(self, pocket: int) -> None:
        """A person says it at the line."""
        if self.truth.usable(HEAD, pocket):
            self.record_change(pocket)

    @precondition(lambda self: self.truth.usable(HEAD))
    @step(pocket=st.sampled_from(ALL))
    def insert_changed_elsewhere(self, pocket: int) -> None:
        """Another system says it."""
        if self.truth.usable(HEAD, pocket):
            at = self._a_moment_later()
            change = InsertChange(change_id=id_at(at), machine=MACHINE, head=HEAD, pocket=pocket, by="mes")
            with self.shop.database.transaction() as session:
                answer = external_insert_changes.take(session, KeptChange(change=change, via="mqtt", said_at=at))
                if answer.refused is None:
                    self._change(insert_changes.last(session, MACHINE, HEAD, pocket).id, pocket)
            self.shop.say([answer])

    @precondition(lambda self: self.truth.changes)
    @step(of=st.integers(0, 1))
    def change_withdrawn(self, of: int = 0) -> None:
        change = _pick([*self.truth.changes][-2:], of)
        del self.truth.changes[change]
        with self.shop.database.transaction() as session:
            audited_insert_changes.withdraw(session, change, by="ana", at=moment(self.shop.minute))

    @precondition(lambda self: self._failed())
    @step(of=LAST)
    def requeued(self, of: int = 0) -> None:
        photo = _pick([photo for photo in self._failed() if not photo.is_refused], of)
        if photo is not None:
            self.shop.requeue(photo)

    @precondition(lambda self: self._failed())
    @step(of=LAST)
    def dismissed(self, of: int = 0) -> None:
        photo = _pick(self._failed(), of)
        photo.is_dismissed = True
        with self.shop.database.transaction() as session:
            faults.dismiss(session, photo.fault_number)

    @precondition(lambda self: self._last())
    @step(of=LAST, how=HOWS, singles=st.sampled_from((0, 5, 22)))
    def retake_beside_a_later_run(self, of: int = 0, how: How = RIGHT, singles: int = 22) -> None:
        """Another photograph in a run of before, after single ones of another pocket, while a later run is judged."""
        before = _pick(self._last(6), of)
        for _ in range(singles):
            self.stations.operate([before.pocket % POCKETS + 1], 1, RIGHT)
        self.stations.operate(ALL, POCKETS, How(fate="worker dies", fate_at=4, one_by_one=True))
        later = self.stations.unjudged.pop()
        self.stations.take_another(before, before.pocket, before.size, how)
        self.stations.send(later)

    @precondition(lambda self: self.stations.are_two)
    @step(pocket=st.sampled_from(ALL), flaw=st.sampled_from(("", "damaged")))
    def clock_set_right(self, pocket: int, flaw: str = "damaged") -> None:
        """A photograph by a clock that is ahead waits; one comes once it is set right, and is judged last."""
        minute = self.shop.minute
        self.shop.minute = (datetime.now(UTC) - moment(0)) / timedelta(minutes=1) + 10
        self.stations.operate([pocket], 1, How(fate="worker dies"), "st-1")
        self.shop.minute = minute
        self.stations.operate([pocket], 1, How(pocket, flaw, "worker dies"), "st-2")
        for photos in (self.stations.unjudged.pop(-2), self.stations.unjudged.pop()):
            self.stations.send(photos)

    @step()
    def backed_up(self) -> None:
        self.shop.back_up()
        self._backup = self.truth.backed_up()

    @precondition(lambda self: self._backup is not None)
    @step()
    def restored(self) -> None:
        """The last backup, on a computer whose clock is behind."""
        assert self._backup is not None
        self.shop.minute += 1
        self.shop.restore()
        self.truth.restore(self._backup, self.shop.came)

    @step(register=st.sampled_from((None, POCKETS, POCKETS + 1)))
    def connector_starts_anew(self, register: int | None) -> None:
        self.shop.retained.start(register)

    def record_change(self, pocket: int) -> None:
        """Say at the line that an insert was changed."""
        at = self._a_moment_later()
        with self.shop.database.transaction() as session:
            change, _ = audited_insert_changes.record(session, MACHINE, HEAD, pocket, by="ana", at=at, first=None)
        self._change(change.id, pocket)

    def give_up(self) -> None:
        self.shop.minute += 15
        self.truth.given_up |= self.shop.give_up()

    def _label(self, photo: Photo, word: str) -> None:
        if photo.progress == "fault":
            word = "unusable"  # nobody saw it, so no other label is taken
        with self.shop.database.transaction() as session:
            reviews.add(session, capture_id=photo.capture_id, label=word, by="ana", at=moment(self.shop.minute))
        self.truth.label(photo, word, self.shop.came)

    def _a_moment_later(self) -> datetime:
        self.shop.minute += 0.05
        return moment(self.shop.minute)

    def _change(self, change: int, pocket: int) -> None:
        self.truth.changes.setdefault(change, Change(HEAD, pocket, len(self.truth.photos)))

    def _last(self, number: int = 12) -> list[Photo]:
        return self.truth.arrived()[-number:]

    def _failed(self) -> list[Photo]:
        return [photo for photo in self.truth.photos if photo.progress == "fault" and not photo.is_dismissed]


def _pick(of: list[Any], number: int) -> Any:
    """The last for 0, so that a shortened history is of what happened last; None of none."""
    return of[-1 - number % len(of)] if of else None


@pytest.mark.flaky(reruns=0)  # other random histories may well be right
def test_no_answer_about_a_head_is_better_than_the_truth() -> None:
    run_state_machine_as_test(
        History,
        settings=settings(
            max_examples=RANDOM or 8,
            stateful_step_count=25,
            derandomize=not RANDOM,
            database=None,
            deadline=None,
            print_blob=False,
            report_multiple_bugs=False,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=[*HealthCheck],
        ),
    )
