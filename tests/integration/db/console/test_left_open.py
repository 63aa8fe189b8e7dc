"""What nobody knows of a whole plant: what is read at once of most heads is what is read of each head by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import uuid6

from db.console import left_open
from db.line import captures, faults, incomplete_checks, insert_changes, verdicts
from db.line.captures import Arrival
from db.queries import head_overview, replace_list
from db.queries.whole_runs import whole_runs
from tests.console_support import console_on
from tests.integration.conftest import on_both_engines
from tests.integration.db.conftest import T0, Line
from tests.support import next_of

pytestmark = on_both_engines  # what is asked of a whole plant is asked of the database by itself

POCKETS = 3


class Heads:
    """Heads that were photographed run after run, each by its name."""

    def __init__(self, line: Line) -> None:
        self.line = line

    def run(self, head: str, minute: float, *outcomes: str | None, **how: Any) -> list[Any]:
        """A run whose pockets come to these outcomes, one each minute."""
        of = {"check_id": uuid6.uuid7(), "check_size": POCKETS, "head": head} | how
        return [self.line.see(pocket, minute + pocket / 10, word, **of) for pocket, word in enumerate(outcomes, 1)]

    def good(self, head: str, minute: float = 0, **how: Any) -> list[Any]:
        """A run in which all is intact."""
        return self.run(head, minute, *["intact"] * POCKETS, **how)

    def stand_in(self, head: str, pocket: int, minute: float, **how: Any) -> None:
        """Bytes that are no photograph have come of a pocket."""
        of = {"check_id": uuid6.uuid7(), "check_size": 1, "head": head} | how
        capture = self.line.capture(pocket, minute, **of)
        with self.line.database.transaction() as session:
            captures.arrive(session, [Arrival(capture, capture.captured_at, shows=False)])
            verdicts.record(session, self.line.verdict(capture.capture_id, "unusable"))

    def late(self, head: str, pocket: int, minute: float, received: float, outcome: str, **how: Any) -> None:
        """A photograph by itself that came after it was taken."""
        capture = self.line.capture(pocket, minute, head=head, check_id=uuid6.uuid7(), check_size=1, **how)
        with self.line.database.transaction() as session:
            captures.record(session, capture, T0 + timedelta(minutes=received))
            verdicts.record(session, self.line.verdict(capture.capture_id, outcome))


def fill(heads: Heads) -> None:
    """A plant with every kind of what may be open, and of what is not."""
    line = heads.line
    heads.good("intact")
    for minute in range(8):
        heads.good("again and again", 20 * minute)
    heads.run("flagged", 0, "unsure", "unusable", "damaged")
    heads.run("flagged before", 0, "unsure", "unusable", "damaged")
    heads.good("flagged before", 30)
    heads.run("damage behind what cannot be used", 0, "damaged", "intact", "intact")
    heads.run("damage behind what cannot be used", 30, "unusable", "intact", "intact")
    said = [heads.run(f"said {label}", 0, "unsure", "intact", "intact")[0] for label in ("intact", "worn", "unusable")]
    for capture, label in zip(said, ("intact", "worn", "unusable"), strict=True):
        line.say(capture, label)
    line.say(heads.good("good, said unusable")[0], "unusable")
    of_before = heads.run("said worn later", 0, "intact", "intact", "intact")[0]
    heads.run("said worn later", 30, "unsure", "unsure", "intact")
    line.say(of_before, "worn", at=T0 + timedelta(minutes=60))
    heads.run("to be judged", 0, None, "intact", "intact")
    (failed, *_) = heads.run("failed", 0, None, "intact", "intact")
    doubted, tried_again = heads.good("in doubt"), heads.good("tried again")
    with line.database.transaction() as session:
        text = {"station": "st-1", "reason": "image_missing", "detail": "", "event": "{}", "at": T0}
        faults.record(session, capture_id=failed.capture_id, check_id=failed.check_id, pocket=1, **text)
        faults.record(session, capture_id=None, check_id=doubted[0].check_id, pocket=2, **text)
        text |= {"event": "{ }"}
        fault = faults.record(session, capture_id=None, check_id=tried_again[0].check_id, pocket=3, **text)
        faults.requeue(session, fault.id)
    heads.good("missed")
    heads.run("missed", 30, "intact", "intact")
    heads.run("larger before", 0, "intact", "intact", check_size=4)
    with line.database.transaction() as session:
        incomplete_checks.give_up(session, incomplete_checks.awaited(session))
    heads.good("under way")
    heads.run("under way", 30, "intact", "unsure")
    for minute in range(10, 70, 10):
        heads.run("larger before", minute, "intact", "intact", check_size=2)
    heads.good("stood in for")
    heads.stand_in("stood in for", 2, 10)
    first = heads.good("stood in for earlier")[0]
    heads.good("stood in for earlier", 5)
    heads.stand_in("stood in for earlier", 2, 5.15, check_id=first.check_id, check_size=POCKETS)
    heads.good("taken again")
    heads.run("taken again", 10, "unsure", check_size=1)
    heads.run("taken again and whole", 10, "unsure", check_size=1)
    heads.good("taken again and whole", 20)
    for head, received in (("out of order", 40), ("in order", 20)):
        lost, of = next_of(), {"head": head, "check_id": uuid6.uuid7(), "check_size": POCKETS}
        line.see(1, 30, "intact", capture_id=next_of(lost), **of)
        for pocket in (2, 3):
            line.see(pocket, 30, "intact", **of)
        heads.late(head, 1, 20, received, "unsure", capture_id=lost)
    heads.good("of two", check_id=(shared := uuid6.uuid7()))
    heads.run("of two others", 0, "intact", "unsure", "intact")
    heads.run("of two others", 10, "intact", check_id=shared)
    heads.run("twice in one run", 0, "unsure", check_id=(twice := uuid6.uuid7()))
    heads.good("twice in one run", 1, check_id=twice)
    heads.run("one by one", 0, "intact", check_size=1)
    line.see(2, 1, "unsure", head="one by one", check_id=uuid6.uuid7(), check_size=1)
    heads.run("of one pocket", 0, "unusable", check_size=1)
    line.see(5, 0, "intact", head="of its fifth pocket", check_id=uuid6.uuid7(), check_size=1)
    heads.run("changed", 0, "unsure", "unusable", "intact")
    with line.database.transaction() as session:
        insert_changes.record(session, "mill-1", "changed", 1, by="ana", at=T0 + timedelta(minutes=60))
    heads.run("of two machines", 0, "unsure", "intact", "intact")
    heads.run("of two machines", 30, "intact", "unusable", "intact", machine="mill-2")


WHOLE = {
    *("intact", "again and again", "flagged", "flagged before", "said intact", "said worn", "said unusable"),
    *("said worn later", "taken again and whole", "in order", "of one pocket", "changed", "of two machines"),
}
"""The heads whose last run says all; only the others are read one by one."""


def test_nothing_that_is_open_in_a_head_is_lost_where_a_plant_is_read_at_once(line, console) -> None:
    fill(Heads(line))
    with line.database.reading() as session:
        heads = head_overview.heads(session)
        to_replace = replace_list.places_to_replace(session)
        at_once = left_open.unknown(console, session, heads, to_replace)
        one_by_one = left_open.left_open(console, session, heads, most=len(heads))
        whole = whole_runs(session)
    of_each = {
        (*of, pocket)
        for of, words in one_by_one.items()
        for word, pockets in words.items()
        for pocket in pockets
        if word in left_open.UNKNOWN
    }
    assert {*at_once} == of_each
    assert len(at_once) == len(of_each)
    assert {head for _, head in whole} == WHOLE
    assert len({head for _, head, _ in of_each}) > 15, "there is much to be lost"


def test_a_head_of_which_the_register_says_more_than_its_runs_lacks_a_pocket(line, console, tmp_path) -> None:
    Heads(line).good("intact")
    register = tmp_path / "heads.toml"
    register.write_text(f"[heads.intact]\npockets = {POCKETS + 1}\n", encoding="utf-8")
    registered = console_on(console.settings.url, tmp_path, heads=register)
    with line.database.reading() as session:
        asked = [left_open.unknown(one, session, [("mill-1", "intact")], []) for one in (console, registered)]
    registered.database.close()
    assert asked == [[], [("mill-1", "intact", POCKETS + 1)]]
