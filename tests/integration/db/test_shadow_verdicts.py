from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import exc

from db.line import shadow_verdicts, verdicts
from db.line.shadow_verdicts import OutcomePair, ShadowVerdict, Tally
from db.queries import replace_list
from tests.database_support import shadows_of, status_of


@pytest.fixture
def said(line, start):
    """A function that makes a shadow's verdict."""
    line.model("s-1")

    def make(capture, outcome: str, **changes) -> ShadowVerdict:
        judged = ShadowVerdict(capture.capture_id, "s-1", outcome, 0.5, 0.75, start + timedelta(minutes=capture.pocket))
        return replace(judged, **changes)

    return make


def record(line, *found: ShadowVerdict) -> int:
    with line.database.transaction() as session:
        return shadow_verdicts.record(session, found)


def compare(line, model_id: str = "s-1", since=None) -> shadow_verdicts.ShadowReport:
    with line.database.reading() as session:
        return shadow_verdicts.compare(session, model_id, since)


def test_once_for_each_capture_and_model(line, said) -> None:
    line.model("s-2")
    capture = line.see(1, outcome="intact")
    first = said(capture, "damaged")
    assert record(line) == 0
    assert record(line, first) == 1
    assert record(line, replace(first, outcome="intact"), replace(first, model_id="s-2")) == 1
    with line.database.reading() as session:
        kept = shadows_of(session, capture.capture_id)
    assert sorted(kept, key=lambda each: each.model_id) == [first, replace(first, model_id="s-2")]


def test_the_line_never_sees_it(line, said) -> None:
    capture = line.see(1, outcome="intact", check_size=1)
    record(line, said(capture, "damaged"))
    with line.database.reading() as session:
        assert verdicts.current(session, capture.capture_id).outcome == "intact"
        assert verdicts.count(session) == 1
        assert replace_list.to_replace(session) == []
        assert status_of(session, line.check_id).state == "go"


def test_many_workers_at_once(line, said) -> None:
    captures = [line.see(pocket, outcome="intact") for pocket in range(1, 9)]
    together = Barrier(4)

    def one(number: int) -> int:
        mine = [said(capture, "intact") for capture in captures]
        together.wait(30)
        return record(line, *(mine if number % 2 else mine[::-1]))

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(one, range(4))) == len(captures)


def test_what_cannot_be_is_refused_whole(line, said) -> None:
    capture = line.see(1, outcome="intact")
    good = said(capture, "intact")
    for bad in (replace(good, model_id="ghost"), replace(good, outcome="perhaps"), said(line.capture(), "intact")):
        with pytest.raises(exc.IntegrityError):
            record(line, good, bad)
    assert compare(line).compared == 0


def test_a_comparison(line, said, start) -> None:
    #        the line, the shadow, a person
    told = [
        ("intact", "intact", None),
        ("intact", "intact", "intact"),
        ("intact", "damaged", "worn"),
        ("intact", "damaged", "intact"),
        ("damaged", "damaged", "broken"),
        ("unsure", "damaged", "damaged"),
        ("damaged", "unsure", "unusable"),
        (None, "damaged", "worn"),
    ]
    found = []
    for pocket, (by_line, by_shadow, label) in enumerate(told, 1):
        capture = line.see(pocket, outcome=by_line)
        found.append(said(capture, by_shadow))
        if label is not None:
            line.say(capture, label)
    record(line, *found)
    report = compare(line)
    assert (report.compared, report.agreements, report.disagreements) == (7, 3, 4)
    assert report.outcomes == (
        OutcomePair("damaged", "damaged", 1),
        OutcomePair("damaged", "unsure", 1),
        OutcomePair("intact", "damaged", 2),
        OutcomePair("intact", "intact", 2),
        OutcomePair("unsure", "damaged", 1),
    )
    assert report.reviewed == 5
    assert report.line == Tally(right=3, wrong=1, undecided=1)
    assert report.shadow == Tally(right=4, wrong=1, undecided=0)
    assert (report.first_at, report.last_at) == (start + timedelta(minutes=1), start + timedelta(minutes=7))
    assert compare(line, since=start + timedelta(minutes=6)).compared == 2


def test_a_model_that_was_never_a_shadow(line) -> None:
    report = compare(line, "nobody")
    assert (report.compared, report.outcomes, report.reviewed, report.first_at) == (0, (), 0, None)
    assert report.line == report.shadow == Tally(0, 0, 0)


def test_a_page_compares_the_newest_only(line, said) -> None:
    photographs = [line.see(pocket, outcome="intact") for pocket in (1, 2, 3)]
    record(line, *(said(each, "damaged") for each in photographs))
    with line.database.reading() as session:
        assert shadow_verdicts.compare(session, "s-1", newest=2).disagreements == 2
        different = shadow_verdicts.differences(session, "s-1", newest=2, limit=9)
        assert [each.pocket for each in different] == [3, 2]
        assert [each.pocket for each in shadow_verdicts.differences(session, "s-1", newest=3, limit=1)] == [3]
        assert shadow_verdicts.differences(session, "s-2", newest=3, limit=9) == []
