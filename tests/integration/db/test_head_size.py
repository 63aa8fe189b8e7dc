"""A check whose size nobody said is held against what the line knows of its head."""

from typing import Any

import uuid6

from db.line import captures, checks, head_size, verdicts
from db.line.captures import Arrival
from tests.database_support import status_of


def known(line, machine: str = "mill-1", head: str = "head-1") -> int:
    with line.database.reading() as session:
        return head_size.known(session.connection(), machine, head)


def come_to(line, *pockets: int, minute: float, **changes: Any) -> list[tuple[str, tuple[int, ...]]]:
    """What the check of some intact pockets is and lacks as each of them comes; nobody said how many there are."""
    states, check_id = [], uuid6.uuid7()
    for pocket in pockets:
        capture = line.capture(pocket, minute, check_id=check_id, check_size=max(pockets), **changes)
        with line.database.transaction() as session:
            captures.arrive(session, [Arrival(capture, capture.captured_at, counted=True)])
            verdicts.record(session, line.verdict(capture.capture_id))
            ended = checks.finish(session, [check_id])
        found = status_of_check(line, check_id)
        assert [check.state for check in ended] == ([] if found.state == "pending" else [found.state])
        states.append((found.state, found.missing))
    return states


def status_of_check(line, check_id) -> checks.Check:
    with line.database.reading() as session:
        found = status_of(session, check_id)
    assert found is not None
    return found


def test_pockets_that_a_pending_check_of_anybody_told_are_missing_in_one_that_only_counts(line) -> None:
    assert known(line) == 0
    line.see(1, check_size=6, station="another")
    assert known(line) == 6
    assert come_to(line, 1, 2, minute=1) == [("pending", ()), ("review", (3, 4, 5, 6))]
    assert come_to(line, 1, 2, minute=2)[-1][0] == "review", "asking again makes it no go"


def test_one_that_counts_as_many_or_is_the_first_is_a_go(line) -> None:
    assert come_to(line, 1, 2, minute=1)[-1] == ("go", ())
    assert come_to(line, 1, 2, 3, minute=2)[-1] == ("go", ())
    assert come_to(line, 1, 2, minute=3)[-1] == ("review", (3,))


def test_a_smaller_size_that_somebody_says_counts_from_then_on(line) -> None:
    line.see(1, check_size=6)
    check_id = uuid6.uuid7()
    for pocket in (1, 2):
        line.see(pocket, 5, "intact", check_id=check_id, check_size=2)
    assert known(line) == 2
    assert come_to(line, 1, 2, minute=6)[-1] == ("go", ())


def test_a_pocket_that_was_photographed_alone_is_known_too(line) -> None:
    line.see(5, check_id=uuid6.uuid7(), check_size=1)
    assert known(line) == 5
    line.see(1, 5, check_size=3, check_id=uuid6.uuid7())
    assert known(line) == 3, "a later check says how many there are"
    line.see(4, 6, check_id=uuid6.uuid7(), check_size=1)
    assert known(line) == 4


def test_a_head_comes_from_another_machine_with_its_pockets(line) -> None:
    line.see(1, check_size=6, machine="mill-2")
    assert known(line) == 6
    line.see(1, 5, check_size=2, check_id=uuid6.uuid7())
    assert (known(line), known(line, machine="mill-2"), known(line, head="head-9")) == (2, 6, 0)
