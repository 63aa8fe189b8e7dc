"""The delivery log: nothing twice, nothing overtaken, nothing forgotten."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from producer.connect.deliveries.delivery_log import KEPT, DeliveryLog
from producer.connect.deliveries.retry_schedule import next_attempt
from producer.contract.answers import CheckAnswer
from producer.contract.plant_event import PlantEvent, plant_event
from producer.contract.plant_news import Hold
from tests.integration.plant import check, verdict


def event(pocket: int = 1, head: str = "H12") -> PlantEvent:
    return plant_event("plant-1", "station-1", verdict(pocket, head=head), 1000.0)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[DeliveryLog]:
    log = DeliveryLog(tmp_path / "connect" / "deliveries.db")
    yield log
    log.close()


def ids(log: DeliveryLog, sink: str = "mes", now: float = 0.0) -> list[str]:
    return [delivery.event.id for delivery in log.due(sink, now, 100)]


def test_an_event_is_kept_once_for_each_sink_with_the_position(log: DeliveryLog) -> None:
    said = event()
    log.keep({"mes": [said], "broker": [said]}, {"position": "1-0"})
    log.keep({"mes": [said], "broker": [said]}, {"position": "2-0"})
    assert (ids(log), ids(log, "broker"), log.note("position")) == ([said.id], [said.id], "2-0")
    assert log.due("mes", 0.0, 1)[0].event == said
    log.delivered("mes", log.due("mes", 0.0, 1), 5.0, {})
    log.keep({"mes": [said]}, {})  # said again after it was delivered
    assert (ids(log), ids(log, "broker")) == ([], [said.id])


def test_a_check_s_answer_that_is_what_it_was_before_is_another_event(log: DeliveryLog) -> None:
    answers = (answer := check("replace", [2]), answer.model_copy(update={"state": "go", "replace": []}))
    replace, go = (plant_event("plant-1", "station-1", answer, 1000.0) for answer in answers)
    other = event()
    log.keep({}, {}, log.with_event_ids([replace, other])[1])
    told, said = log.with_event_ids([replace, go, go, replace, other, replace])
    assert told[0] == replace  # said again, and nothing else was said meanwhile
    assert told[1].id == told[2].id
    assert told[3].id == told[5].id
    assert len({replace.id, told[1].id, told[3].id}) == 3
    assert told[4] == other
    assert told[3].data == replace.data
    log.keep({"mes": told}, {}, said)
    assert ids(log) == list(dict.fromkeys(event.id for event in told))
    assert log.with_event_ids([replace])[0] == [told[3]]
    for delivery in log.due("mes", 0.0, 100):  # it was away, and was told days later: an event of that id is here
        log.delivered("mes", [delivery], 900.0 + delivery.number, {})
    last = max(delivery.ended_at or 0.0 for delivery in log.latest("mes", "delivered", 100))
    log.forget(last + KEPT)
    assert log.with_event_ids([replace])[0] == [told[3]]
    log.forget(last + 1.0 + KEPT)
    assert log.with_event_ids([replace])[0] == [replace]


def test_a_later_answer_that_is_what_was_said_against_is_another_event(log: DeliveryLog) -> None:
    first = check("go").model_copy(update={"revision": 5})
    hold = Hold(check_id=first.check_id, machine="mill-1", head="H12", pocket=2, at=datetime.now(UTC), revision=6)
    verdicts = [verdict(2, outcome).model_copy(update={"check_id": first.check_id}) for outcome in ("intact", "unsure")]
    answers = [first, *(first.model_copy(update={"revision": revision}) for revision in (6, 7))]
    replace = first.model_copy(update={"state": "replace", "replace": [2]})
    go, go_6, go_7, held, intact, unsure, other = (
        plant_event("plant-1", "station-1", one, 1000.0) for one in (*answers, hold, *verdicts, replace)
    )
    for against in (held, unsure):
        told, said = log.with_event_ids([against, go, intact, go_6, against, go_6, against, go_7])
        assert [of.id for of in told if isinstance(of.data, CheckAnswer)][:3] == [go.id] * 3, "once more"
        assert told[-1].id == log.with_event_ids([go, against, go_6])[0][-1].id != go.id
        log.keep({}, {}, said)
        assert log.with_event_ids([go_7])[0] == [told[-1]]
        log.forget(9e9)
        assert log.with_event_ids([go, against, other])[0][-1].id not in (go.id, other.id)
        of_before = go.model_copy(update={"data": first.without_order()})
        assert log.with_event_ids([of_before, against, of_before])[0][-1].id == go.id, "from an older worker"


def test_nothing_overtakes_what_is_tried_again_of_its_own_head(log: DeliveryLog) -> None:
    first, second, other = event(1), event(2), event(1, head="H13")
    log.keep({"mes": [first, second, other]}, {})
    log.failed(log.due("mes", 0.0, 1)[0], 0.0, "refused", 60.0)
    assert ids(log, now=10.0) == [other.id]
    assert log.next_due("mes", 10.0) == 60.0, "and not before, though more of its head waits"
    assert ids(log, now=60.0) == [first.id, second.id, other.id]
    log.failed(log.due("mes", 60.0, 1)[0], 60.0, "refused", None)
    assert ids(log, now=60.0) == [second.id, other.id]
    (given_up,) = log.latest("mes", "given up", 10)
    assert (given_up.event.id, given_up.attempts, given_up.problem) == (first.id, 2, "refused")


def test_what_was_refused_by_a_clock_that_was_ahead_does_not_wait_for_it(log: DeliveryLog) -> None:
    first, second = event(1), event(2)
    log.keep({"mes": [first, second]}, {})
    tomorrow = 90_000.0
    log.failed(log.due("mes", tomorrow, 1)[0], tomorrow, "refused", next_attempt(1, tomorrow + 20_000.0))
    assert ids(log, now=tomorrow) == []
    assert ids(log, now=0.0) == [first.id, second.id]
    assert log.next_due("mes", 0.0) is None
    log.failed(log.due("mes", 0.0, 1)[0], 0.0, "refused", max(next_attempt(9, 0.0) or 0.0 for _ in range(100)))
    assert ids(log, now=0.0) == [], "the longest step is no such time"


@pytest.mark.parametrize("content", [b"rubbish" * 1000, "truncated"])
def test_a_log_that_is_damaged_says_what_to_do(tmp_path: Path, content: bytes | str) -> None:
    path = tmp_path / "deliveries.db"
    log = DeliveryLog(path)
    log.keep({"mes": [event()] * 3}, {})
    log.close()
    path.write_bytes(content if isinstance(content, bytes) else path.read_bytes()[:5000])
    with pytest.raises(sqlite3.DatabaseError, match="are taken away `connect run` begins with what the line says next"):
        DeliveryLog(path)


def test_what_was_refused_is_due_by_a_new_connection(log: DeliveryLog) -> None:
    first, second = event(1), event(2)
    log.keep({"mes": [first, second], "broker": [first]}, {})
    for sink in ("mes", "broker"):
        log.failed(log.due(sink, 0.0, 1)[0], 0.0, "refused", 86_400.0)
    log.try_again("mes", 7.0)
    assert (ids(log, now=7.0), ids(log, "broker", 7.0)) == ([first.id, second.id], [])


def test_a_person_may_send_again_and_give_up(log: DeliveryLog) -> None:
    first, second = event(1), event(2)
    log.keep({"mes": [first, second]}, {})
    assert log.by_hand.give_up("mes", [first.id], 0.0) == 1
    with pytest.raises(ValueError, match=f"mes has no event {first.id} that waits"):
        log.by_hand.give_up("mes", [second.id, first.id], 0.0)
    assert ids(log) == [second.id]
    with pytest.raises(ValueError, match="mes has no event unknown, so nothing was changed"):
        log.by_hand.replay("mes", [first.id, "unknown"], 0.0)
    assert ids(log) == [second.id]
    assert log.by_hand.replay("mes", [first.id, first.id], 0.0) == 1
    assert ids(log) == [first.id, second.id]


def test_the_state_of_a_sink_says_since_when_and_what_waits(log: DeliveryLog) -> None:
    log.set_up("mes", False, "not reached yet", 10.0)
    log.set_up("mes", False, "no answer", 20.0)
    log.keep({"mes": [event(1), event(2)]}, {})
    (sink,) = log.sinks()
    assert (sink.up, sink.problem, sink.since, sink.waiting, sink.oldest) == (False, "no answer", 10.0, 2, 1000.0)
    log.set_up("mes", True, None, 30.0)
    log.delivered("mes", log.due("mes", 0.0, 100), 31.0, {"topic": "text"})
    (sink,) = log.sinks()
    assert (sink.up, sink.since, sink.waiting, sink.oldest, sink.delivered, sink.last_at) == (True, 30, 0, None, 2, 31)
    assert log.shown("mes") == {"topic": "text"}
    log.disable("mes", True)
    assert log.is_disabled("mes")
    assert not log.is_disabled("unknown")


def test_what_a_sink_refuses_is_its_problem_until_it_takes_it(log: DeliveryLog) -> None:
    log.set_up("mes", True, None, 10.0)
    log.set_up("broker", True, None, 10.0)
    log.keep({"mes": [event(1), event(2)], "broker": [event(1)]}, {})
    log.failed(log.due("mes", 0.0, 1)[0], 0.0, "it answered 400", 60.0)
    assert [(sink.name, sink.up, sink.problem, sink.waiting) for sink in log.sinks()] == [
        ("broker", True, None, 1),
        ("mes", True, "it answered 400", 2),
    ]
    log.delivered("mes", log.due("mes", 60.0, 100), 61.0, {})
    assert [sink.problem for sink in log.sinks()] == [None, None]


def test_what_was_delivered_is_forgotten_after_a_week_and_what_waits_never(log: DeliveryLog) -> None:
    done, waiting = event(1), event(2)
    log.keep({"mes": [done, waiting]}, {})
    log.delivered("mes", log.due("mes", 0.0, 1), 100.0, {})
    log.forget(100.0 + KEPT)
    assert len(log.latest(None, None, 10)) == 2
    log.forget(101.0 + KEPT)
    assert [row.event.id for row in log.latest(None, None, 10)] == [waiting.id]


@pytest.mark.parametrize(("days", "waits"), [(6, False), (8, True)])
def test_what_was_given_up_and_is_said_again_is_the_same_event_for_a_week(
    log: DeliveryLog, days: int, waits: bool
) -> None:
    said, other = event(1), event(2)
    log.keep({"mes": [said, other]}, {})
    log.by_hand.give_up("mes", [said.id], time.time() - days * 24 * 3600)
    log.keep({"mes": [said, other]}, {})
    assert ids(log) == [other.id, *([said.id] if waits else [])]


def test_who_is_away_for_too_long_loses_its_oldest_and_others_nothing(log: DeliveryLog) -> None:
    said = [event(pocket) for pocket in range(1, 6)]
    log.keep({"mes": said, "broker": said[:2]}, {})
    log.delivered("mes", log.due("mes", 0.0, 1), 1.0, {})
    assert log.forget_oldest(2) == {"mes": 2}
    assert log.forget_oldest(2) == {}
    assert ids(log) == [one.id for one in said[3:]]
    assert len(ids(log, "broker")) == len(log.latest("mes", "waiting", 9)) == 2


def test_nothing_is_said_of_a_sink_that_is_no_longer_configured_and_what_waits_for_it_stays(log: DeliveryLog) -> None:
    log.set_up("mes", False, "no answer", 1.0)
    log.set_up("broker", True, None, 1.0)
    log.keep({"mes": [event()]}, {})
    log.configure(["broker"])
    assert [sink.name for sink in log.sinks()] == ["broker"]
    assert len(ids(log)) == 1


def test_events_of_checks_and_verdicts_of_one_head_share_an_order() -> None:
    said = plant_event("plant-1", "station-1", check(), 1.0)
    assert said.order == event().order
    assert said.subject == "mill-1/H12"
