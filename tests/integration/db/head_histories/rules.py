"""What must hold of the answers about a head after each step, whatever happened: none may be better than the truth.

Only differences towards GO break a rule: that somebody looks at a head in vain is no danger.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from db.console import left_open
from db.line import checks
from db.line.checks import Check
from db.queries import head_inserts, head_overview, replace_list
from db.queries.head_answer import HeadOverview
from db.queries.head_inserts import HeadNow
from db.queries.whole_runs import WholeRun, whole_runs
from producer.contract.answers import CheckAnswer
from tests.integration.db.head_histories.truth import Photo, Truth
from tests.integration.db.head_histories.workshop import MACHINE, Workshop

_OF_CHECKS: Final = 14
"""How many of the last checks are compared."""


@dataclass(frozen=True)
class HeadAnswers:
    """All that the line says of a head, and what is true."""

    head: str
    truth: Truth
    board: HeadOverview
    listed: set[int]
    retained: CheckAnswer | None
    mtconnect: HeadNow | None
    checks: Mapping[UUID, Check]
    to_station: Mapping[UUID, CheckAnswer]
    run: WholeRun | None
    """What its last run says, where that says all."""

    @property
    def state(self) -> str | None:
        """What the board says."""
        return None if self.board.answer is None else self.board.answer.state

    @property
    def is_go(self) -> bool:
        """Whether other systems are shown a go."""
        return self.retained is not None and self.retained.state == "go"


def ask(workshop: Workshop, truth: Truth, head: str) -> HeadAnswers:
    """Ask for all of them."""
    register = workshop.retained.register
    with workshop.database.reading() as session:
        run = whole_runs(session).get((MACHINE, head))
        [board] = head_overview.overviews(session, [(MACHINE, head)], declared={head: register} if register else None)
        return HeadAnswers(
            head,
            truth,
            board,
            {row.pocket for row in replace_list.to_replace(session, MACHINE, head)},
            workshop.retained.of.get(head),
            head_inserts.head_now(session, MACHINE, head, register),
            _checks(session, head),
            workshop.to_station,
            run if run is not None and register in (None, 0, run.pockets) else None,
        )


def broken(of: HeadAnswers) -> list[str]:
    """The rules that do not hold, each with what breaks it."""
    return [f"{of.head}: {rule}: {but}" for rule, breaks in RULES.items() if (but := breaks(of))]


def _checks(session: Session, head: str) -> dict[UUID, Check]:
    return {of.check_id: of for of in checks.recent(session, machine=MACHINE, head=head, limit=_OF_CHECKS)}


def _board_is_go_beside_another_truth(of: HeadAnswers) -> object:
    return of.state == "go" and {pocket: word for pocket, word in of.truth.words(of.head).items() if word != "intact"}


def _systems_are_go_beside_another_truth(of: HeadAnswers) -> object:
    # The last check says nothing about a run that has begun: what was not judged yet takes no go away.
    words = of.truth.judged_words(of.head)
    return of.is_go and {pocket: word for pocket, word in words.items() if word not in ("intact", "pending")}


def _systems_are_go_beside_a_check_that_knows_better(of: HeadAnswers) -> object:
    doubts = {pocket: check for pocket, check in of.board.doubts.items() if of.board.words[pocket] != "missing"}
    return of.is_go and {pocket: check.check_id for pocket, check in doubts.items() if check.state == "pending"}


def _is_go_beside_a_pocket_that_was_never_seen(of: HeadAnswers) -> object:
    known = {*of.truth.words(of.head)}
    never = {pocket for pocket, word in of.board.words.items() if pocket not in known and word == "missing"}
    return (of.state == "go" or of.is_go) and never


def _is_go_and_listed(of: HeadAnswers) -> object:
    return (of.is_go or of.state == "go") and of.listed


def _listed_and_not_on_the_board(of: HeadAnswers) -> object:
    return of.board.answer is not None and of.listed - {*of.board.answer.replace}


def _damaged_and_not_listed(of: HeadAnswers) -> object:
    return of.truth.known_damage(of.head) - of.listed


def _is_go_beside_what_a_person_said(of: HeadAnswers) -> object:
    late = of.truth.late_damage(of.head)
    return late - of.listed or ((of.state == "go" or of.is_go) and late)


def _mtconnect_is_better_than_the_board(of: HeadAnswers) -> object:
    inserts = of.mtconnect.inserts if of.mtconnect else ()
    intact = {insert.pocket for insert in inserts if insert.word == "intact"}
    return {pocket for pocket in intact if of.board.words.get(pocket) not in ("intact", "pending")} | intact & of.listed


def _station_was_told_go_of_a_check_that_is_none(of: HeadAnswers) -> object:
    return {
        check_id: (check.state, pockets)
        for check_id, check in of.checks.items()
        if check_id in of.to_station and of.to_station[check_id].state == "go" and check.state in ("replace", "review")
        if (pockets := {photo.pocket for photo in of.truth.of_check(check_id) if _says_no_go_now(of.truth, photo)})
    }


def _last_run_leaves_open_another_than_the_board(of: HeadAnswers) -> object:
    open_now = left_open.of_head(of.board)
    unknown = {pocket for word in left_open.UNKNOWN for pocket in open_now.get(word, ())}
    return of.run is not None and unknown ^ (of.run.open.keys() - of.listed)


def _says_no_go_now(truth: Truth, photo: Photo) -> bool:
    is_newest = truth.arrived(photo.head, photo.pocket)[-1] is photo
    return is_newest and photo.word not in ("intact", "pending")


RULES: Final[Mapping[str, Callable[[HeadAnswers], object]]] = {
    "the board shows no GO unless the newest photograph of each pocket is intact": _board_is_go_beside_another_truth,
    "systems are shown no go while the newest photograph that was judged is not intact, or a check had none": (
        _systems_are_go_beside_another_truth
    ),
    "systems are shown no go while a check that pends doubts a pocket": (
        _systems_are_go_beside_a_check_that_knows_better
    ),
    "nothing is a go while a pocket of the head was never photographed": _is_go_beside_a_pocket_that_was_never_seen,
    "nothing is a go while the replace list has an insert of the head": _is_go_and_listed,
    "the board names what the replace list has": _listed_and_not_on_the_board,
    "the replace list has all damage that is known": _damaged_and_not_listed,
    "the list has it, and nothing is a go, while a person has said damage of the insert in a pocket, and no photograph"
    " of since shows it": _is_go_beside_what_a_person_said,
    "MTConnect calls no insert intact that the board or the replace list does not": _mtconnect_is_better_than_the_board,
    "a station was told of its check what the check says now": _station_was_told_go_of_a_check_that_is_none,
    "a run that says all of a head leaves open what the board does": _last_run_leaves_open_another_than_the_board,
}
