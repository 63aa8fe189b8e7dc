from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from uuid import UUID

import pytest
from sqlalchemy import exc, select

from db.line import faults, verdicts
from db.schema.tables import Captures, Verdicts
from tests.database_support import open_fault


def outcome_of(line, capture) -> str | None:
    with line.database.reading() as session:
        return session.scalar(select(Captures.outcome).where(Captures.capture_id == capture.capture_id))


def kept(line, capture) -> list[tuple[str | None, str, bool]]:
    with line.database.reading() as session:
        query = select(Verdicts.model_id, Verdicts.outcome, Verdicts.current).order_by(Verdicts.id)
        return [tuple(row) for row in session.execute(query.where(Verdicts.capture_id == capture.capture_id))]


def test_a_verdict_comes_back_as_it_went_in(line) -> None:
    line.model("m-1")
    capture = line.see()
    said = {"label": "worn", "reason": "a reason", "decision": -1e-9, "evidence": bytes(range(256))}
    verdict = line.verdict(capture.capture_id, "damaged", model_id="m-1", **said)
    with line.database.transaction() as session:
        assert verdicts.current(session, capture.capture_id) is None
        assert verdicts.record(session, verdict) == verdict
    with line.database.reading() as session:
        assert verdicts.current(session, capture.capture_id) == verdict
        assert verdicts.count(session) == 1
    assert outcome_of(line, capture) == "damaged"


@pytest.mark.parametrize("model_id", [None, "m-1"])
def test_twice_is_once_and_the_first_stands(line, model_id) -> None:
    line.model("m-1")
    capture = line.see()
    first = line.verdict(capture.capture_id, "intact", model_id=model_id)
    for again in (first, replace(first, outcome="damaged", judged_at=first.judged_at + timedelta(days=1))):
        with line.database.transaction() as session:
            assert verdicts.record(session, again) == first
    assert kept(line, capture) == [(model_id, "intact", True)]
    assert outcome_of(line, capture) == "intact"


def test_another_model_takes_over_and_the_earlier_verdict_is_kept(line) -> None:
    line.model("m-1")
    line.model("m-2")
    capture = line.see(outcome="unsure")
    for model_id, outcome in (("m-1", "intact"), ("m-2", "damaged")):
        with line.database.transaction() as session:
            verdicts.record(session, line.verdict(capture.capture_id, outcome, model_id=model_id))
    assert kept(line, capture) == [(None, "unsure", False), ("m-1", "intact", False), ("m-2", "damaged", True)]
    assert outcome_of(line, capture) == "damaged"


def test_a_model_that_is_back_in_charge_has_its_own_verdict_again(line) -> None:
    line.model("m-1")
    capture = line.see(outcome="unsure")
    with line.database.transaction() as session:
        verdicts.record(session, line.verdict(capture.capture_id, "intact", model_id="m-1"))
    with line.database.transaction() as session:
        assert verdicts.record(session, line.verdict(capture.capture_id, "damaged")).outcome == "unsure"
    assert kept(line, capture) == [(None, "unsure", True), ("m-1", "intact", False)]
    assert outcome_of(line, capture) == "unsure"


@pytest.mark.parametrize("model_id", [None, "m-1"])
def test_of_many_that_record_the_same_capture_at_once_one_counts(line, model_id) -> None:
    line.model("m-1")
    capture = line.see()
    together = Barrier(8)

    def record(number: int) -> verdicts.Verdict:
        mine = line.verdict(capture.capture_id, "intact", model_id=model_id, decision=float(number))
        together.wait(30)
        with line.database.transaction() as session:
            return verdicts.record(session, mine)

    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(record, range(8)))
    assert len(found) == 1, "everybody is told the same verdict"
    assert kept(line, capture) == [(model_id, "intact", True)]


def test_of_many_models_at_once_one_verdict_is_current(line) -> None:
    names = [f"m-{number}" for number in range(6)]
    for name in names:
        line.model(name)
    capture = line.see()
    together = Barrier(len(names))

    def record(name: str) -> None:
        outcome = "damaged" if int(name[2:]) % 2 else "intact"
        together.wait(30)
        with line.database.transaction() as session:
            verdicts.record(session, line.verdict(capture.capture_id, outcome, model_id=name))

    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(record, names))
    found = kept(line, capture)
    assert sorted(name for name, _, _ in found) == names
    [(_, outcome)] = [(name, outcome) for name, outcome, current in found if current]
    assert outcome_of(line, capture) == outcome


def test_the_database_itself_allows_one_current_verdict_only(line) -> None:
    line.model("m-1")
    capture = line.see(outcome="intact")
    second = line.verdict(capture.capture_id, "damaged", model_id="m-1")
    with pytest.raises(exc.IntegrityError), line.database.transaction() as session:
        session.add(Verdicts(**vars(second), current=True))
    with pytest.raises(exc.IntegrityError), line.database.transaction() as session:
        session.add(Verdicts(**vars(replace(second, model_id=None)), current=False))


def test_a_verdict_needs_its_capture_and_its_model(line) -> None:
    with pytest.raises(exc.IntegrityError), line.database.transaction() as session:
        verdicts.record(session, line.verdict(UUID(int=5)))
    capture = line.see()
    with pytest.raises(exc.IntegrityError), line.database.transaction() as session:
        verdicts.record(session, line.verdict(capture.capture_id, model_id="nobody"))
    assert kept(line, capture) == []


def test_an_outcome_that_there_is_not_is_refused(line) -> None:
    capture = line.see()
    with pytest.raises(exc.IntegrityError, match="outcome"), line.database.transaction() as session:
        verdicts.record(session, line.verdict(capture.capture_id, "perhaps"))


def test_a_verdict_closes_the_fault_that_kept_it_waiting(line, start) -> None:
    capture = line.see()
    other = line.see(2)
    for each in (capture, other):
        with line.database.transaction() as session:
            faults.record(
                session,
                capture_id=each.capture_id,
                station="st-1",
                check_id=each.check_id,
                pocket=each.pocket,
                reason="image_missing",
                detail="no such key",
                event="{}",
                at=start,
            )
    with line.database.transaction() as session:
        verdicts.record(session, line.verdict(capture.capture_id))
    with line.database.reading() as session:
        assert open_fault(session, capture.capture_id) is None
        assert open_fault(session, other.capture_id) is not None
        [closed] = faults.search(session, state="closed")
        assert closed.capture_id == capture.capture_id
