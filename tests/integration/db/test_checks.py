import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier, Event
from typing import Any
from uuid import UUID

import pytest
import uuid6
from sqlalchemy import event, select, update

from db.line import check_revisions, checks, faults, verdicts
from db.queries import contact_sheet
from db.schema.tables import Checks
from producer.contract.names import IMPORTED
from producer.contract.vocabulary import LABELS, OUTCOMES, STATES
from tests.database_support import status_of


def fault(line, start, **changes: Any) -> None:
    values = {
        "capture_id": None,
        "station": "st-1",
        "check_id": line.check_id,
        "pocket": None,
        "reason": "crashed",
        "detail": "",
        "event": "{}",
        "at": start,
    }
    with line.database.transaction() as session:
        faults.record(session, **(values | changes))


def status(line) -> checks.Check:
    with line.database.reading() as session:
        found = status_of(session, line.check_id)
    assert found is not None
    return found


def test_a_check_from_its_first_capture_to_its_answer(line, start) -> None:
    line.see(1, minute=2)
    first = status(line)
    assert (first.station, first.machine, first.head, first.operation) == ("st-1", "mill-1", "head-1", "op-10")
    assert (first.size, first.started_at) == (2, start + timedelta(minutes=2))
    assert (first.state, first.judged) == ("pending", 0)
    line.see(2, minute=1, outcome="intact")
    assert (status(line).state, status(line).judged) == ("pending", 1)
    assert status(line).started_at == start + timedelta(minutes=1)
    line.see(1, minute=3, outcome="damaged")
    assert (status(line).state, status(line).replace, status(line).review) == ("replace", (1,), ())


def test_a_check_that_nobody_knows(line) -> None:
    with line.database.reading() as session:
        assert status_of(session, uuid6.uuid7()) is None


def test_an_open_fault_sends_its_pocket_to_review(line, start) -> None:
    line.see(1, outcome="intact")
    capture = line.see(2)
    fault(line, start, capture_id=capture.capture_id)
    assert (status(line).state, status(line).review) == ("review", (2,))


def test_a_fault_of_a_pocket_without_a_capture_counts_too(line, start) -> None:
    line.see(1, outcome="damaged")
    fault(line, start, pocket=2)
    found = status(line)
    assert (found.state, found.replace, found.review, found.judged) == ("replace", (1,), (2,), 2)


def test_a_fault_of_another_check_does_not(line, start) -> None:
    line.see(1, outcome="intact")
    fault(line, start, pocket=2, check_id=uuid6.uuid7())
    assert status(line).state == "pending"


@pytest.fixture
def day(line) -> dict[str, UUID]:
    """Checks of every state, the later in the list the newer."""
    found = {}
    plan = [
        ("go", "mill-1", "head-1", ["intact", "intact"]),
        ("replace", "mill-1", "head-2", ["intact", "damaged"]),
        ("review", "mill-2", "head-1", ["unsure", "intact"]),
        ("pending", "mill-2", "head-3", ["intact", None]),
    ]
    for hour, (name, machine, head, outcomes) in enumerate(plan):
        check_id = found[name] = uuid6.uuid7()
        for pocket, outcome in enumerate(outcomes, 1):
            line.see(pocket, 60 * hour, outcome, check_id=check_id, machine=machine, head=head, station=f"at-{machine}")
    return found


def test_recent(line, day) -> None:
    questions: list[tuple[dict[str, Any], list[str]]] = [
        ({}, ["pending", "review", "replace", "go"]),
        ({"machine": "mill-1"}, ["replace", "go"]),
        ({"station": "at-mill-2"}, ["pending", "review"]),
        ({"head": "head-1"}, ["review", "go"]),
        ({"state": "replace"}, ["replace"]),
        ({"state": "go", "machine": "mill-2"}, []),
        ({"limit": 2}, ["pending", "review"]),
    ]
    with line.database.reading() as session:
        for filters, expected in questions:
            found = checks.recent(session, **filters)
            assert [check.check_id for check in found] == [day[name] for name in expected], filters
            assert [check.state for check in found] == expected
            assert found == [status_of(session, check.check_id) for check in found]


def test_recent_since(line, day, start) -> None:
    with line.database.reading() as session:
        found = checks.recent(session, since=start + timedelta(hours=2))
    assert [check.state for check in found] == ["pending", "review"]


def test_a_rare_state_is_found_behind_many_others(line, start) -> None:
    for number in range(10):
        # All begin at the same moment, so that only the id tells them apart.
        line.see(1, 0, "damaged" if number in (0, 4) else "intact", check_id=uuid6.uuid7(), check_size=1)
    with line.database.reading() as session:
        assert len(checks.recent(session, state="replace", limit=1)) == 1
        assert len(checks.recent(session, state="replace", limit=5)) == 2
        assert len(checks.recent(session, state="go", limit=100)) == 8
        assert checks.recent(session, state="review") == []


@pytest.fixture
def muddle(line, start) -> list[UUID]:
    """Checks of all sorts, at the same time and one after the other, in which everything has happened to some."""
    rng = random.Random(5)  # noqa: S311 - a muddle, not a secret
    line.model("m-1")
    ids = [uuid6.uuid7() for _ in range(40)]
    for number, check_id in enumerate(ids):
        machine = rng.choice(["mill-1", "mill-2", IMPORTED])
        head = rng.choice(["head-1", "head-2"])
        place = {"check_id": check_id, "check_size": 3, "machine": machine, "head": head, "station": f"at-{machine}"}
        for pocket in range(1, rng.choice([2, 3, 3, 3]) + 1):  # of three, so the last photograph of some never came
            outcome = rng.choice([*["intact"] * (2 + 20 * (number % 2)), "damaged", "unsure", "unusable", None])
            minute = rng.choice([number // 4, number // 2])
            capture = line.see(pocket, minute, outcome, **place)
            if rng.random() < 0.2:
                line.say(capture, rng.choice(LABELS))
            if rng.random() < 0.2:
                line.see(pocket, minute + rng.choice([-1, 1]), rng.choice(OUTCOMES), **place)
            if rng.random() < 0.1:
                fault(line, start, pocket=pocket, check_id=check_id, capture_id=capture.capture_id)
        if rng.random() < 0.2:
            fault(line, start, pocket=3, check_id=check_id)
    return ids


def test_a_state_is_found_as_if_all_checks_were_gone_through(line, muddle, start) -> None:
    with line.database.reading() as session:
        states = {status_of(session, each).state for each in muddle}
        assert states == set(STATES)
        for state in STATES:
            for place in (
                {},
                {"machine": "mill-1"},
                {"machine": IMPORTED},
                {"head": "head-2", "since": start + timedelta(minutes=5)},
                {"station": "at-mill-2", "since": start + timedelta(minutes=2)},
                {"machine": "mill-2", "head": "head-1"},
                {"machine": "nowhere"},
            ):
                everything = checks.recent(session, **place, limit=1000)
                expected = [check for check in everything if check.state == state]
                for limit in (1, 3, 100):
                    found = checks.recent(session, state=state, **place, limit=limit)
                    assert found == expected[:limit], (state, place, limit)


def test_page_by_page_as_all_at_once(line, muddle) -> None:
    with line.database.reading() as session:
        for state in (None, *STATES):
            found, after = [], None
            while page := checks.recent(session, state=state, limit=5, after=after):
                found += page
                after = (page[-1].started_at, page[-1].check_id)
            assert len(found) > 2, state
            assert found == checks.recent(session, state=state, limit=1000)
        assert checks.find(session, found[0].check_id) == found[0]
        assert checks.find(session, uuid6.uuid7()) is None


def awaited(line) -> bool | None:
    with line.database.reading() as session:
        return session.scalar(select(Checks.awaited).where(Checks.check_id == line.check_id))


def test_a_check_awaits_photographs_until_every_pocket_was_photographed(line) -> None:
    line.see(1)
    line.see(1, 1, "intact")  # the same pocket again
    assert awaited(line) is True
    line.see(2)
    assert awaited(line) is False
    line.see(1, 2)
    assert awaited(line) is False


def test_of_two_that_bring_the_last_photographs_at_once_the_second_sees_the_first(line) -> None:
    both = Barrier(2)

    def bring(pocket: int) -> None:
        both.wait(30)
        line.see(pocket)

    for _ in range(8):
        line.check_id = uuid6.uuid7()
        with ThreadPoolExecutor(2) as pool:
            for each in [pool.submit(bring, pocket) for pocket in (1, 2)]:
                each.result()
        assert awaited(line) is False


def test_any_number_of_checks_takes_three_statements(line) -> None:
    for _ in range(7):
        line.see(1, 0, "intact", check_id=uuid6.uuid7(), check_size=1)
    with line.database.reading() as session:
        statements: list[str] = []
        event.listen(session.get_bind(), "before_cursor_execute", lambda *given: statements.append(given[2]))
        assert len(checks.recent(session)) == 7
    assert sum(statement.startswith("SELECT") for statement in statements) == 3


def test_finished_are_those_that_are_not_pending(line, start) -> None:
    ids = [uuid6.uuid7() for _ in range(4)]
    line.see(1, outcome="intact", check_id=ids[0])  # one of two
    line.see(1, outcome="intact", check_id=ids[1])
    line.see(2, outcome="damaged", check_id=ids[1])
    line.see(1, outcome="intact", check_id=ids[2])  # the same pocket twice is not two pockets
    line.see(1, minute=1, outcome="intact", check_id=ids[2])
    line.see(1, outcome="intact", check_id=ids[3])
    fault(line, start, check_id=ids[3], pocket=2)
    with line.database.reading() as session:
        found = {check.check_id: check.state for check in checks.finished(session, [*ids, uuid6.uuid7()])}
    assert found == {ids[1]: "replace", ids[3]: "review"}


def test_of_two_that_finish_a_check_at_once_the_last_sees_both(line) -> None:
    both = [line.see(pocket) for pocket in (1, 2)]
    began = Event()

    def end(capture) -> list[checks.Check]:
        with line.database.transaction() as session:
            check_revisions.hold(session, [line.check_id])
            began.set()
            verdicts.record(session, line.verdict(capture.capture_id))
            return checks.finish(session, [line.check_id])

    with ThreadPoolExecutor(1) as beside:
        with line.database.transaction() as session:
            check_revisions.hold(session, [line.check_id])
            last = beside.submit(end, both[1])
            assert not began.wait(0.2)
            verdicts.record(session, line.verdict(both[0].capture_id))
            assert checks.finish(session, [line.check_id]) == []
        assert last.result() == [status(line)]
    assert status(line).state == "go"


@pytest.mark.parametrize(
    ("label", "state", "replace", "review"),
    [
        ("intact", "go", (), ()),
        ("worn", "replace", (2,), ()),
        ("broken", "replace", (2,), ()),
        ("damaged", "replace", (2,), ()),
        ("unusable", "review", (), (2,)),
    ],
)
def test_a_person_s_word_stands_above_the_verdict(line, label, state, replace, review) -> None:
    for machine, outcome in enumerate(("intact", "damaged", "unsure", "unusable", None)):
        line.check_id = uuid6.uuid7()
        place = {"machine": f"mill-{machine}"}
        line.see(1, outcome="intact", **place)
        capture = line.see(2, outcome=outcome, **place)
        line.say(capture, "broken" if label == "intact" else "intact")
        line.say(capture, label)  # the newest counts
        found = status(line)
        assert (found.state, found.replace, found.review, found.judged) == (state, replace, review, 2), outcome
        with line.database.reading() as session:
            assert checks.recent(session, **place) == [found]
            assert checks.finished(session, [line.check_id]) == [found]


def test_whatever_may_change_a_check_s_answer_gives_it_its_next_revision(line) -> None:
    first, second = line.see(1, outcome="intact"), line.see(2)

    def finish(**again: Any) -> int:
        with line.database.transaction() as session:
            return max((check.revision for check in checks.finish(session, [line.check_id], **again)), default=0)

    assert finish() == status(line).revision == 0, "it is pending: nothing is told of it"
    with line.database.transaction() as session:
        verdicts.record(session, line.verdict(second.capture_id))
    first_told = finish()
    assert first_told > 0
    assert finish(again=[line.check_id]) == first_told, "told again"
    line.say(first, "broken")
    with line.database.transaction() as session:
        assert contact_sheet.confirm(
            session, "mill-1", "head-1", {second.capture_id: "intact"}, by="Ada", at=datetime.now(UTC)
        )
    judged = status(line)
    assert judged.state == "replace"
    assert finish(again=[line.check_id]) == judged.revision > first_told + 1


def test_what_a_restored_database_answers_is_newer_than_all_that_was_told_before(line) -> None:
    """Who heard the answers that it has forgotten would drop its next one, a `replace` too."""
    line.see(1, outcome="intact")
    second = line.see(2, outcome="intact")
    with line.database.transaction() as session:
        told = checks.finish(session, [line.check_id])[0].revision
        session.execute(update(Checks).values(revision=1))  # as the backup has it, from before most of the answers
    line.say(second, "broken")
    assert status(line).revision >= told > 1


def test_a_person_s_word_stands_above_a_fault(line, start) -> None:
    line.see(1, outcome="intact")
    capture = line.see(2)
    fault(line, start, capture_id=capture.capture_id)
    line.say(capture, "intact")
    assert (status(line).state, status(line).review) == ("go", ())


def test_a_word_about_an_older_photograph_is_not_about_the_newer(line) -> None:
    line.see(1, outcome="intact")
    old = line.see(2, minute=1, outcome="damaged")
    line.see(2, minute=2, outcome="unsure")
    line.say(old, "worn")
    assert (status(line).state, status(line).review) == ("review", (2,))


def test_imported_captures_are_no_checks_of_the_line(line) -> None:
    line.see(1, 0, "intact", check_id=uuid6.uuid7(), check_size=1)
    for minute in range(3):
        imported = uuid6.uuid7()
        line.see(1, minute, "unsure", machine=IMPORTED, station="import", check_id=imported, check_size=1)
    with line.database.reading() as session:
        assert [check.machine for check in checks.recent(session)] == ["mill-1"]
        assert checks.recent(session, state="review") == []
        assert checks.recent(session, station="import") == []
        assert len(checks.recent(session, machine=IMPORTED)) == 3
        assert status_of(session, imported) is not None
