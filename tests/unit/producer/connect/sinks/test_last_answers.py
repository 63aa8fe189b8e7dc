"""What was told last of each head and pocket."""

from __future__ import annotations

import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from producer.connect.delivery_log import Delivery, DeliveryLog
from producer.connect.sinks import last_answers
from producer.connect.sinks.last_answers import LastAnswers, newest
from producer.contract.answers import CheckAnswer
from producer.contract.plant_event import PlantEvent, plant_event
from producer.contract.vocabulary import CheckState
from tests.integration.plant import check, fault, verdict


def test_nothing_older_takes_the_place_of_the_last_though_it_is_sent_again(tmp_path: Path) -> None:
    said = [verdict(1), check("go"), check("review"), fault(), verdict(1)]
    events = [plant_event("p", "station-1", answer, 0.0) for answer in said]
    with closing(DeliveryLog(tmp_path / "deliveries.db")) as log:
        log.keep({"cell": events}, {})
        last = LastAnswers(log, "cell")
        for delivery in log.due("cell", time.time(), 10):
            log.delivered("cell", [delivery], time.time(), last.remember(delivery))
        numbers = [delivery.number for delivery in log.latest("cell", None, 10)][::-1]
        assert LastAnswers(log, "cell").kept == [(numbers[2], events[2]), (numbers[4], events[4])]
        log.replay("cell", [events[1].id], time.time())
        [again] = log.due("cell", time.time() + 1, 10)
        for known in (last, LastAnswers(log, "cell")):
            assert not known.is_last(again)
            assert known.remember(again) == {}


def test_what_waits_counts_before_it_is_told(tmp_path: Path) -> None:
    go, replace = (plant_event("p", "station-1", check(state), 0.0) for state in ("go", "replace"))
    with closing(DeliveryLog(tmp_path / "deliveries.db")) as log:
        log.keep({"cell": [go, replace]}, {})
        told, waiting = log.due("cell", time.time(), 10)
        log.delivered("cell", [told], time.time(), {})
        after = LastAnswers(log, "cell")
        assert [event for _, event in after.kept] == [replace]
        assert not after.is_last(told)
        assert after.remember(waiting)


def test_an_older_run_and_an_older_answer_of_a_run_do_not_take_the_place_of_the_newest(tmp_path: Path) -> None:
    noon = datetime(2026, 11, 29, 12, tzinfo=UTC)

    def of(run: CheckAnswer, revision: int, minute: int, state: CheckState) -> PlantEvent:
        order = {"revision": revision, "begun_at": noon + timedelta(minutes=minute), "state": state}
        return plant_event("p", "station-1", CheckAnswer(**run.model_dump(exclude={"schema_version"}) | order), 0.0)

    newer, older, before = check(), check(), check()  # the id of a run says nothing: it has a station's clock
    said = [of(newer, 2, 5, "replace"), of(older, 9, 1, "go"), of(newer, 1, 5, "go"), of(newer, 3, 5, "review")]
    with_no_place = plant_event("p", "station-1", before, 0.0)
    with closing(DeliveryLog(tmp_path / "deliveries.db")) as log:
        last = LastAnswers(log, "cell")
        log.keep({"cell": [*said, with_no_place]}, {})
        *deliveries, from_before = log.due("cell", time.time(), 10)
        assert [bool(last.remember(delivery)) for delivery in deliveries] == [True, False, False, True]
        assert [event for _, event in newest((one.number, one.event) for one in deliveries).values()] == [said[3]]
        assert last.remember(from_before), "a worker of before: the later delivery counts"


def test_an_answer_that_is_out_of_date_is_not_told(tmp_path: Path) -> None:
    run = check()

    def said(revision: int, state: CheckState) -> PlantEvent:
        answer = CheckAnswer(**run.model_dump(exclude={"schema_version"}) | {"revision": revision, "state": state})
        return plant_event("p", "station-1", answer, 0.0)

    with closing(DeliveryLog(tmp_path / "deliveries.db")) as log:
        events, checks = log.as_said([said(1, "replace"), said(5, "replace")])
        log.keep({}, {}, checks)
        assert events[0].id == events[1].id
        assert log.as_said([said(3, "go")])[0] == []
        assert [event.data.revision for event in log.as_said([said(6, "go")])[0]] == [6]


def test_what_was_given_up_leaves_no_answer_of_before_it(tmp_path: Path) -> None:
    go, replace = (plant_event("p", "station-1", check(state), 0.0) for state in ("go", "replace"))
    with closing(DeliveryLog(tmp_path / "deliveries.db")) as log:
        log.keep({"mill": [go]}, {})
        [told] = log.due("mill", time.time(), 10)
        log.delivered("mill", [told], time.time(), LastAnswers(log, "mill").remember(told))
        assert [event for _, event in LastAnswers(log, "mill").kept] == [go]
        log.keep({"mill": [replace]}, {})
        log.give_up("mill", [replace.id], time.time())
        last = LastAnswers(log, "mill")
        assert last.kept == []
        assert not last.is_last(told)


def test_what_waits_is_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last_answers, "_AT_ONCE", 2)
    events = [plant_event("p", "station-1", verdict(pocket), 0.0) for pocket in (1, 2, 3, 1, 2)]
    with closing(DeliveryLog(tmp_path / "deliveries.db")) as log:
        log.keep({"broker": events}, {})
        behind, pieces = log.behind, []

        def piece(*arguments: Any) -> list[Delivery]:
            pieces.append(behind(*arguments))
            return pieces[-1]

        monkeypatch.setattr(log, "behind", piece)
        assert [event for _, event in LastAnswers(log, "broker").kept] == events[2:]
        assert max(map(len, pieces)) == 2


def test_what_is_no_go_takes_the_place_of_any_go_and_a_go_of_one_photograph_of_no_whole_head(tmp_path: Path) -> None:
    noon = datetime(2026, 11, 29, 12, tzinfo=UTC)

    def of(minute: int, state: CheckState, size: int = 3) -> PlantEvent:
        order = {"revision": 1, "begun_at": noon + timedelta(minutes=minute), "state": state, "size": size}
        return plant_event("p", "station-1", CheckAnswer(**check().model_dump(exclude={"schema_version"}) | order), 0.0)

    said = [
        (of(10, "go"), True),
        (of(5, "replace"), True),  # of an older run, but nobody is to release the head now
        (of(3, "go"), False),
        (of(4, "review"), False),  # what is shown releases nothing, so the newer run's stays
        (of(7, "go"), True),
        (of(8, "replace"), True),
        (of(9, "go", size=1), False),  # one pocket was published: the others are as they were
        (of(9, "review", size=1), False),  # else the next go of one pocket would be that of the head
        (of(11, "go", size=1), False),
        (of(12, "go"), True),
        (of(13, "go", size=1), False),
        (of(14, "replace", size=1), True),
        (of(15, "go"), True),
        (of(16, "go", size=1), False),
    ]
    with closing(DeliveryLog(tmp_path / "deliveries.db")) as log:
        last = LastAnswers(log, "cell")
        log.keep({"cell": [event for event, _ in said]}, {})
        for delivery, (_, holds) in zip(log.due("cell", time.time(), 20), said, strict=True):
            assert bool(last.remember(delivery)) is holds
        assert [event for _, event in LastAnswers(log, "cell").kept] == [said[-2][0]], "what waits is taken in order"
