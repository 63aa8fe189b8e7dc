"""A check whose size nobody said is held against what the line knows of its head."""

from typing import Any

import uuid6

from db.line import captures, checks, head_size, verdicts
from db.line.captures import Arrival
from producer.contract.names import IMPORTED
from tests.database_support import status_of


def known(line, head: str = "head-1") -> int:
    with line.database.reading() as session:
        return head_size.known(session.connection(), head)


def come_to(line, *pockets: int, minute: float, **changes: Any) -> list[tuple[str, tuple[int, ...]]]:
    """What the check of some intact pockets is and lacks as each of them comes; nobody said how many there are."""
    states, check_id = [], uuid6.uuid7()
    for pocket in pockets:
        capture = line.capture(pocket, minute, check_id=check_id, check_size=max(pockets), **changes)
        with line.database.transaction() as session:
            captures.arrive(session, [Arrival(capture, capture.captured_at, counted=True)])
            verdicts.record(session, line.verdict(capture.capture_id))
            ended = checks.finish(session, [check_id])
        with line.database.reading() as session:
            found = status_of(session, check_id)
        assert [check.state for check in ended] == ([] if found.state == "pending" else [found.state])
        states.append((found.state, found.missing))
    return states


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


def test_nothing_makes_a_head_smaller_not_a_slow_clock_nor_a_check_of_some_pockets(line) -> None:
    line.see(1, 60, check_size=4)
    line.see(1, -600, check_size=6, check_id=uuid6.uuid7(), station="slow")
    for pocket in (1, 2):
        line.see(pocket, 90, "intact", check_id=uuid6.uuid7(), check_size=2)
    assert known(line) == 6
    assert come_to(line, 1, 2, 3, 4, minute=100)[-1] == ("review", (5, 6))


def test_a_pocket_that_was_photographed_alone_is_known_too_and_a_head_in_whichever_machine(line) -> None:
    line.see(5, check_id=uuid6.uuid7(), check_size=1, machine="mill-2")
    line.see(1, 1, check_id=uuid6.uuid7(), check_size=2)
    line.see(9, 2, check_id=uuid6.uuid7(), check_size=1, machine=IMPORTED)
    assert (known(line), known(line, "head-9")) == (5, 0)
    assert come_to(line, 1, 2, minute=3, machine="mill-3")[-1] == ("review", (3, 4, 5))
