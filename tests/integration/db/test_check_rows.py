"""Checks of events that cannot be used: what the board and the list of checks say of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import uuid6

from db.line import check_revisions, check_rows, checks, faults, incomplete_checks, untold_checks, verdicts
from db.line.check_rows import NamedCheck
from db.queries import head_overview
from tests.integration.db.conftest import T0, Line


def refuse(
    line: Line, at: datetime, pockets: list[int | None], capture_id: UUID | None = None, **changes: Any
) -> NamedCheck:
    """What a worker writes of events of these pockets that it cannot use."""
    values = {"check_id": uuid6.uuid7(), "station": "st-1", "machine": "mill-1", "head": "head-1", "operation": "op-20"}
    check = NamedCheck(**(values | {"size": 1, "own_id": uuid6.uuid7()} | changes))
    with line.database.transaction() as session:
        check = replace(check, check_id=check_rows.begin(session, [check], at)[check.own_id])
    what = {"station": check.station, "check_id": check.check_id, "reason": "invalid_event", "detail": "", "at": at}
    with line.database.transaction() as session:
        for pocket in pockets:
            faults.record(session, capture_id=capture_id, pocket=pocket, event=str((check.check_id, pocket)), **what)
    return check


def whole_run(line: Line, minute: int = 0, **changes: Any) -> None:
    """A head of two pockets is photographed, and both inserts are intact."""
    for pocket in (1, 2):
        line.see(pocket, minute, "intact", check_size=2, **changes)


def answer(line: Line, machine: str = "mill-1") -> tuple[str, list[int]]:
    with line.database.reading() as session:
        [known] = head_overview.overviews(session, [(machine, "head-1")])
    assert known.answer is not None
    return known.answer.state, list(known.answer.review)


def test_a_head_is_no_go_where_a_photograph_of_it_could_not_be_used(line) -> None:
    whole_run(line)
    assert answer(line) == ("go", [])
    refused = refuse(line, T0 + timedelta(minutes=5), [2])
    assert answer(line) == ("review", [2])
    line.see(1, 6, "intact", check_size=1, check_id=uuid6.uuid7())
    assert answer(line) == ("review", [2]), "another pocket says nothing of it"
    with line.database.reading() as session:
        check = checks.find(session, refused.check_id)
        assert check is not None
        assert [of.check_id for of in checks.recent(session, state="review")] == [refused.check_id]
    assert (check.state, check.review, check.judged) == ("review", (2,), 1)
    line.see(2, 7, "intact", check_size=1, check_id=uuid6.uuid7())
    assert answer(line) == ("go", [])


def test_a_head_of_which_no_photograph_could_be_used_is_no_go(line) -> None:
    whole_run(line)
    refuse(line, T0 - timedelta(minutes=2), [1, 2], size=2)  # by a worker's clock that was set back
    assert answer(line) == ("review", [1, 2])


def test_a_check_without_any_photograph_ends_too(line) -> None:
    check = refuse(line, T0, [2], size=3)
    with line.database.transaction() as session:
        waiting = incomplete_checks.awaited(session)
        assert {check_id: (of.captures, of.last_at) for check_id, of in waiting.items()} == {check.check_id: (0, T0)}
        incomplete_checks.give_up(session, waiting)
        ended = checks.find(session, check.check_id)
    assert ended is not None
    assert (ended.state, ended.review, ended.missing) == ("review", (1, 2, 3), (1, 3))


def test_what_is_known_of_a_check_by_its_photographs_stays(line) -> None:
    line.see(1, 0, "intact", check_size=2)
    refuse(line, T0 + timedelta(minutes=1), [2], check_id=line.check_id, operation="another", size=1)
    with line.database.reading() as session:
        check = checks.find(session, line.check_id)
    assert check is not None
    assert (check.head, check.size, check.started_at, check.review) == ("head-1", 2, T0, (2,))


def test_an_event_of_no_known_pocket_may_be_of_any_pocket_of_a_run_that_was_a_go(line) -> None:
    line.see(1, 0, "intact", check_size=2)
    hanging = line.see(2, 0, check_size=2)
    refuse(line, T0 + timedelta(minutes=5), [None], check_id=line.check_id, size=0)

    def ended() -> list[tuple[str, tuple[int, ...]]]:
        with line.database.transaction() as session:
            return [(check.state, check.review) for check in checks.finish(session, [line.check_id])]

    assert answer(line) == ("pending", [1])
    assert ended() == []
    with line.database.transaction() as session:
        verdicts.record(session, line.verdict(hanging.capture_id))
    assert answer(line) == ("review", [1, 2])
    assert ended() == [("review", (1, 2))]


def test_an_event_that_cannot_be_used_makes_no_check_larger_than_its_head_is_known_to_be(line) -> None:
    whole_run(line)
    for named in (line.check_id, uuid6.uuid7()):
        refuse(line, T0 + timedelta(minutes=1), [2], check_id=named, size=100)
        assert answer(line)[0] in ("review", "pending")
        with line.database.transaction() as session:
            check = checks.find(session, named)
            incomplete_checks.give_up(session, incomplete_checks.awaited(session))
        assert check is not None
        assert check.size == 2
    assert answer(line) == ("review", [1, 2])


def test_an_event_that_names_a_check_of_another_run_or_head_is_of_its_own(line) -> None:
    """A gateway that keeps one id for ever, or for a spindle: the head is no go all the same."""
    whole_run(line)
    whole_run(line, 5, check_id=uuid6.uuid7())
    assert answer(line) == ("go", [])
    refused = refuse(line, T0 + timedelta(minutes=9), [2], check_id=line.check_id)
    assert refused.check_id == refused.own_id
    assert answer(line) == ("review", [2])


def test_an_event_without_a_head_is_of_the_head_of_its_check(line) -> None:
    whole_run(line)
    whole_run(line, 5, check_id=uuid6.uuid7())
    assert answer(line) == ("go", [])
    refused = refuse(line, T0 + timedelta(minutes=9), [2], head=None, machine=None, check_id=line.check_id)
    assert refused.check_id == refused.own_id, "the check that it names is of another run"
    assert answer(line) == ("review", [2])
    with line.database.transaction() as session:
        unknown = NamedCheck(uuid6.uuid7(), "st-1", None, None, "op-20", 1, uuid6.uuid7())
        assert check_rows.begin(session, [unknown], T0) == {}


def test_one_capture_id_for_several_photographs_hides_no_fault(line) -> None:
    """A gateway that counts its ids wrongly, and whose events cannot be used."""
    line.see(1, 0, "intact", check_size=3)
    hanging = line.see(2, 0, check_size=3)
    line.see(3, 0, "intact", check_size=3)
    for pocket in (1, 3):
        refuse(line, T0 + timedelta(minutes=1), [pocket], hanging.capture_id, check_id=line.check_id)
    with line.database.transaction() as session:
        verdicts.record(session, line.verdict(hanging.capture_id))
        assert len(faults.search(session)) == 2
    assert answer(line) == ("review", [1, 3])


def test_a_refused_event_that_is_queued_again_is_no_go_before_it_is_judged(line) -> None:
    whole_run(line)
    mended = uuid6.uuid7()
    refuse(line, T0 + timedelta(minutes=1), [2], mended, check_id=line.check_id)
    with line.database.transaction() as session:
        [fault] = faults.search(session)
        faults.requeue(session, fault.id)
    assert answer(line) == ("review", [2])
    with line.database.reading() as session:
        assert [check.check_id for check in checks.recent(session, state="review")] == [line.check_id]
    line.see(2, 2, capture_id=mended, check_size=2)
    assert answer(line) == ("pending", [])
    with line.database.transaction() as session:
        verdicts.record(session, line.verdict(mended))
    assert answer(line) == ("go", [])


def test_a_message_that_names_many_heads_of_many_machines_begins_a_check_of_each(line) -> None:
    machines, heads = [f"mill-{number}" for number in range(12)], [f"T{number}" for number in range(10)]
    for machine in machines:
        for head in heads:
            line.see(1, 0, "intact", machine=machine, head=head, check_id=uuid6.uuid7(), check_size=1)
    ids = [uuid6.uuid7() for _ in heads]
    of_tools = [NamedCheck(id_, "st-1", None, head, "op-20", 0, id_) for id_, head in zip(ids, heads, strict=True)]
    with line.database.transaction() as session:
        assert set(check_rows.begin(session, of_tools, T0 + timedelta(minutes=1))) == set(ids)
    with line.database.reading() as session:
        known = head_overview.overviews(session, [(machine, head) for machine in machines for head in heads])
    assert {of.answer and of.answer.state for of in known} == {"pending"}


def test_an_event_of_a_run_that_still_waits_is_newer_than_a_run_that_began_since(line) -> None:
    line.see(1, 0, "intact", check_size=2)
    again = uuid6.uuid7()
    line.see(1, 5, "intact", check_size=2, check_id=again)
    refused = refuse(line, T0 + timedelta(minutes=6), [1], check_id=line.check_id)
    line.see(2, 7, "intact", check_size=2, check_id=again)
    assert refused.check_id == refused.own_id
    assert answer(line) == ("review", [1])


def test_an_event_that_does_not_say_its_machine_is_of_each_that_has_the_head(line) -> None:
    for machine in ("mill-1", "mill-2"):
        check = uuid6.uuid7()
        for pocket in (1, 2):
            line.see(pocket, 0, "intact", machine=machine, check_id=check, check_size=2)
    refuse(line, T0 + timedelta(minutes=5), [2], machine=None)
    assert answer(line, "mill-1") == ("review", [2])
    assert answer(line, "mill-2") == ("pending", [])
    with line.database.transaction() as session:
        incomplete_checks.give_up(session, incomplete_checks.awaited(session))
        unknown = NamedCheck(uuid6.uuid7(), "st-1", None, "head-9", "op-20", 1, uuid6.uuid7())
        assert check_rows.begin(session, [unknown], T0) == {}
    assert answer(line, "mill-2") == ("review", [1, 2])


def test_a_doubt_is_noted_of_what_had_an_answer_alone(line) -> None:
    """Also while the check waits for another photograph than the one that is doubted."""

    def noted() -> int:
        with line.database.reading() as session:
            return len(untold_checks.untold(session).revisions)

    first = line.see(1, 0, "intact", check_size=3)
    line.see(1, 1, "intact", check_size=3)
    assert noted() == 0
    with line.database.transaction() as session:
        check_revisions.note_pending(session, [line.check_id])  # it was held, and that was told
        untold_checks.remove(session, {line.check_id: 2**31 - 1})
    assert noted() == 0
    line.see(2, 2, check_size=3, image_sha256=first.image_sha256)
    assert noted() == 1
