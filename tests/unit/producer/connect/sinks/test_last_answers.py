"""What was told last of each head and pocket."""

from __future__ import annotations

import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from producer.connect.deliveries.delivery_log import Delivery, DeliveryLog
from producer.connect.sinks import last_answers
from producer.connect.sinks.last_answers import Answers, LastAnswers, Remembered
from producer.contract.answers import CheckAnswer
from producer.contract.plant_event import PlantEvent, plant_event
from producer.contract.plant_news import Hold, InsertChangeAnswer
from producer.contract.vocabulary import CheckState
from tests.integration.plant import check, fault, verdict

HOLD = {"machine": "mill-1", "head": "H12", "pocket": 2, "at": datetime(2026, 11, 29, 12, tzinfo=UTC)}


def test_nothing_older_takes_the_place_of_the_last_though_it_is_sent_again(tmp_path: Path) -> None:
    said = [verdict(1), check("go"), check("review"), fault(), verdict(1)]
    events = [plant_event("p", "station-1", answer, 0.0) for answer in said]
    with closing(DeliveryLog(tmp_path / "deliveries.db")) as log:
        log.keep({"cell": events}, {})
        last = LastAnswers(log, "cell")
        for delivery in log.due("cell", time.time(), 10):
            log.delivered("cell", [delivery], time.time(), last.remember(delivery).kept)
        numbers = [delivery.number for delivery in log.latest("cell", None, 10)][::-1]
        assert LastAnswers(log, "cell").kept == [(numbers[2], events[2]), (numbers[4], events[4])]
        log.by_hand.replay("cell", [events[1].id], time.time())
        [again] = log.due("cell", time.time() + 1, 10)
        for known in (last, LastAnswers(log, "cell")):
            assert known.remember(again) == Remembered()


def test_what_waits_counts_before_it_is_told(tmp_path: Path) -> None:
    go, replace = (plant_event("p", "station-1", check(state), 0.0) for state in ("go", "replace"))
    with closing(DeliveryLog(tmp_path / "deliveries.db")) as log:
        log.keep({"cell": [go, replace]}, {})
        told, waiting = log.due("cell", time.time(), 10)
        log.delivered("cell", [told], time.time(), {})
        after = LastAnswers(log, "cell")
        assert [event for _, event in after.kept] == [replace]
        assert after.remember(told).shows is None
        assert after.remember(waiting).shows == (waiting.number, replace)


def test_what_is_said_behind_what_waits_is_news_and_what_is_told_is_shown_in_its_turn(tmp_path: Path) -> None:
    run = check("go")
    said = [run, verdict(1), check("go", head="H13"), run.model_copy(update={"state": "replace", "replace": [1]})]
    go, pocket, other, replace = (plant_event("p", "station-1", answer, 0.0) for answer in said)
    with closing(DeliveryLog(tmp_path / "deliveries.db")) as log:
        log.keep({"cell": [go]}, {})
        last = LastAnswers(log, "cell")
        log.keep({"cell": [pocket, other, replace]}, {})
        due = log.due("cell", time.time(), 3)
        assert [event for _, event in last.news(due)] == [replace]
        assert last.news() == []
        shown = [last.remember(delivery).shows for delivery in due]
        assert shown == [None, (due[1].number, pocket), (due[2].number, other)]
        assert [event for _, event in last.kept] == [pocket, other, replace]


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
        assert [last.remember(delivery).shows is not None for delivery in deliveries] == [True, False, False, True]
        answers = Answers(log.sizes.of, ((one.number, one.event) for one in deliveries))
        assert answers.last("mill-1/H12", lambda _: True) == (deliveries[3].number, said[3])
        assert last.remember(from_before).shows, "a worker of before: the later delivery counts"


def test_an_answer_that_is_out_of_date_is_not_told(tmp_path: Path) -> None:
    run = check()

    def said(revision: int, state: CheckState) -> PlantEvent:
        answer = CheckAnswer(**run.model_dump(exclude={"schema_version"}) | {"revision": revision, "state": state})
        return plant_event("p", "station-1", answer, 0.0)

    with closing(DeliveryLog(tmp_path / "deliveries.db")) as log:
        events, checks = log.with_event_ids([said(1, "replace"), said(5, "replace")])
        log.keep({}, {}, checks)
        assert events[0].id == events[1].id
        assert log.with_event_ids([said(3, "go")])[0] == []
        late, next_one = (
            plant_event("p", "", Hold(**HOLD | {"check_id": run.check_id, "revision": revision}), 0.0)
            for revision in (4, 5)
        )
        assert log.with_event_ids([late, next_one])[0] == [next_one], "which the answer may not know"
        assert [event.data.revision for event in log.with_event_ids([said(6, "go")])[0]] == [6]


def test_what_was_given_up_leaves_no_answer_of_before_it(tmp_path: Path) -> None:
    go, replace = (plant_event("p", "station-1", check(state), 0.0) for state in ("go", "replace"))
    with closing(DeliveryLog(tmp_path / "deliveries.db")) as log:
        log.keep({"mill": [go]}, {})
        [told] = log.due("mill", time.time(), 10)
        log.delivered("mill", [told], time.time(), LastAnswers(log, "mill").remember(told).kept)
        assert [event for _, event in LastAnswers(log, "mill").kept] == [go]
        log.keep({"mill": [replace]}, {})
        log.by_hand.give_up("mill", [replace.id], time.time())
        last = LastAnswers(log, "mill")
        assert last.kept == []
        assert last.remember(told).shows is None


def test_what_waits_is_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last_answers, "_DELIVERIES_AT_ONCE", 2)
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
            assert (last.remember(delivery).shows is not None) is holds
        assert [event for _, event in LastAnswers(log, "cell").kept] == [said[-2][0]], "what waits is taken in order"


def test_of_a_head_all_is_kept_that_counts_and_no_more(tmp_path: Path) -> None:
    def said(run: CheckAnswer, size: int, minute: int, state: CheckState, revision: int = 1) -> PlantEvent:
        order = {"revision": revision, "begun_at": datetime(2026, 11, 29, 12, minute, tzinfo=UTC), "size": size}
        order |= {"state": state, "replace": [3] if state == "replace" else []}
        return plant_event("p", "station-1", CheckAnswer(**run.model_dump(exclude={"schema_version"}) | order), 0.0)

    whole, one, next_one = check(), check(), check()
    first = [said(whole, 5, 1, "replace"), said(one, 1, 3, "replace")]
    with closing(DeliveryLog(tmp_path / "deliveries.db")) as log:

        def told(events: list[PlantEvent]) -> list[PlantEvent | None]:
            log.keep({"mill": events}, {})
            last, shows = LastAnswers(log, "mill"), []
            for delivery in log.due("mill", time.time(), 10):
                remembered = last.remember(delivery)
                log.delivered("mill", [delivery], time.time(), remembered.kept)
                shows.append(None if remembered.shows is None else remembered.shows[1])
            return shows

        assert told(first) == [first[0], None]
        overruled = said(whole, 5, 1, "go", revision=2)
        assert told([overruled]) == [None], "another connection, which shows what waits from its beginning"
        assert [event for _, event in LastAnswers(log, "mill").kept] == [first[1]]
        later = said(next_one, 5, 4, "go")
        assert told([later]) == [later], "the last one is shown once more when its turn comes"
        assert [text.partition(" ")[2] for text in log.shown("mill").values()] == [later.as_json()]
        log.sizes.declare({"H12": 9})
        assert LastAnswers(log, "mill").kept == [], "the register says that it was no check of the whole head"


def test_what_is_told_as_an_event_after_a_break_still_says_which_runs_are_older(tmp_path: Path) -> None:
    def of(minute: int, state: CheckState) -> PlantEvent:
        order = {"begun_at": datetime(2026, 11, 29, 12, minute, tzinfo=UTC), "state": state, "revision": 1}
        return plant_event("p", "station-1", CheckAnswer(**check().model_dump(exclude={"schema_version"}) | order), 0.0)

    with closing(DeliveryLog(tmp_path / "deliveries.db")) as log:
        log.readings.begin({"mill": ""}, 0, {})
        log.keep({"mill": [of(11, "replace")]}, {})
        log.readings.begin_anew()
        for event in (None, of(10, "go"), newest := of(12, "go")):
            log.keep({"mill": [event] if event else []}, {})
            last = LastAnswers(log, "mill")
            for delivery in log.due("mill", time.time(), 10):
                log.delivered("mill", [delivery], time.time(), last.remember(delivery).kept)
            shown = [answer for _, answer in LastAnswers(log, "mill").kept]
            assert shown == ([newest] if event is newest else [])


def test_nothing_counts_that_was_said_before_a_backup_was_restored_whatever_its_numbers_say(tmp_path: Path) -> None:
    """Neither what is shown, what waits, nor what was given up; and the clock may be behind."""

    def of(minute: int, state: CheckState, revision: int, head: str = "H12") -> PlantEvent:
        order = {"begun_at": datetime(2026, 11, 29, 12, minute, tzinfo=UTC), "state": state, "revision": revision}
        answer = CheckAnswer(**check(head=head).model_dump(exclude={"schema_version", "replace", "review"}) | order)
        return plant_event("p", "station-1", answer, 0.0)

    with closing(DeliveryLog(tmp_path / "deliveries.db")) as log:
        log.readings.begin({"mill": ""}, 0, {})
        before = [of(30, "go", 900), of(40, "go", 950), of(30, "go", 900, "H13")]
        log.keep({"mill": before}, {})
        last, now = LastAnswers(log, "mill"), time.time()
        shown, refused, waiting = log.due("mill", now, 10)
        log.delivered("mill", [shown], now, last.remember(shown).kept)
        log.failed(refused, now, "no", None)
        log.keep({}, {}, is_state=False, forgets=True)
        log.delivered("mill", [], now, last.remember(shown).kept)  # its thread was not there yet
        last = LastAnswers(log, "mill")
        assert last.kept == []
        assert last.remember(waiting) == Remembered()
        log.keep({"mill": [of(10, "review", 5), of(10, "review", 5, "H13")]}, {})
        log.keep({"mill": [of(20, "go", 6)]}, {})
        states = {event.order: event.data.state for _, event in LastAnswers(log, "mill").kept}
        assert states == {"mill-1/H12": "go", "mill-1/H13": "review"}


def test_what_is_kept_of_a_changed_insert_goes_when_it_is_taken_back_or_a_run_has_seen_it(tmp_path: Path) -> None:
    at = datetime(2026, 11, 29, 12, tzinfo=UTC)
    values = {"change_id": check().check_id, "machine": "mill-1", "head": "H12", "pocket": 2, "by": "ana", "via": ""}
    changed, taken_back, refused = (
        plant_event("p", "", InsertChangeAnswer(**values | more), 0.0)
        for more in ({"at": at}, {"at": at, "withdrawn": True}, {"refused": "nothing is known of it"})
    )
    first, second = (
        plant_event("p", "s", check().model_copy(update={"begun_at": at + timedelta(minutes=minute)}), 0.0)
        for minute in (-1, 1)
    )
    again = plant_event("p", "", changed.data.model_copy(update={"change_id": check().check_id}), 0.0)
    with closing(DeliveryLog(tmp_path / "deliveries.db")) as log:
        holds = [(first, first), (changed, changed), (taken_back, first), (again, again), (refused, again)]
        for event, shown in [*holds, (second, second)]:
            log.keep({"mill": [event]}, {})
            known = LastAnswers(log, "mill")
            assert [one for _, one in known.kept] == [shown], "what waits counts"
            for delivery in log.due("mill", time.time(), 10):
                log.delivered("mill", [delivery], time.time(), known.remember(delivery).kept)
            assert [one for _, one in LastAnswers(log, "mill").kept] == [shown]
        assert len(log.shown("mill")) == 1


def test_an_insert_change_that_an_earlier_version_kept_still_counts(tmp_path: Path) -> None:
    at = datetime(2026, 11, 29, 12, tzinfo=UTC)
    values = {"change_id": check().check_id, "machine": "mill-1", "head": "H12", "pocket": 2, "by": "ana", "via": ""}
    changed, later = (
        plant_event("p", "", InsertChangeAnswer(**values | {"at": at + timedelta(minutes=minute)}), 0.0)
        for minute in (0, 1)
    )
    with closing(DeliveryLog(tmp_path / "deliveries.db")) as log:
        for event in (changed, later):
            log.keep({"mill": [event]}, {})
            (delivery,) = log.due("mill", time.time(), 10)
            kept = LastAnswers(log, "mill").remember(delivery).kept
            if event is changed:
                kept = dict(zip(["mill-1/H12 change of 2"], kept.values(), strict=True))
            log.delivered("mill", [delivery], time.time(), kept)
        texts = [text.partition(" ")[2] for text in log.shown("mill").values()]
        assert sorted(texts) == sorted(event.as_json() for event in (changed, later))


def test_what_is_kept_of_a_verdict_against_its_head_goes_when_its_check_is_answered(tmp_path: Path) -> None:
    at = datetime(2026, 11, 29, 12, tzinfo=UTC)
    newer, older = (check().model_copy(update={"begun_at": at + timedelta(minutes=minute)}) for minute in (2, 1))
    damaged = verdict(2, "damaged").model_copy(
        update={"check_id": older.check_id, "judged_at": at + timedelta(minutes=5)}
    )
    go, pocket, replace = (
        plant_event("p", "s", answer, 0.0)
        for answer in (newer, damaged, older.model_copy(update={"state": "replace", "replace": [2]}))
    )

    def states(known: LastAnswers) -> dict[str, PlantEvent]:
        return {event.subject or "": event for _, event in known.kept if isinstance(event.data, CheckAnswer)}

    with closing(DeliveryLog(tmp_path / "deliveries.db")) as log:
        for event, holds in ((go, {"mill-1/H12": go}), (pocket, {}), (replace, {"mill-1/H12": replace})):
            known = LastAnswers(log, "mill")
            log.keep({"mill": [event]}, {})
            due = log.due("mill", time.time(), 10)
            news = [one.data.kind for _, one in known.news(due)]
            assert news == (["insert_change"] if event is pocket else []), "the head, before the verdict is told"
            for delivery in due:
                remembered = known.remember(delivery)
                assert remembered.shows == (delivery.number, event)
                log.delivered("mill", [delivery], time.time(), remembered.kept)
            assert states(known) == states(LastAnswers(log, "mill")) == holds
        assert len(log.shown("mill")) == 3, "the head's checks, and the pocket"


def test_what_its_own_check_has_overtaken_does_not_count_again_when_its_turn_comes(tmp_path: Path) -> None:
    def of(run: CheckAnswer, minute: int, revision: int, state: CheckState, size: int) -> PlantEvent:
        order = {"begun_at": datetime(2026, 11, 29, 12, minute, tzinfo=UTC), "state": state, "revision": revision}
        order |= {"size": size, "replace": [6] if state == "review" else []}
        return plant_event("p", "station-1", CheckAnswer(**run.model_dump(exclude={"schema_version"}) | order), 0.0)

    run = check()
    with closing(DeliveryLog(tmp_path / "deliveries.db")) as log:
        log.sizes.declare({"H12": 5})
        newest = of(check(), 2, 1, "go", 5)
        log.keep({"mill": [of(run, 1, 1, "review", 6), of(run, 1, 2, "replace", 6), newest]}, {})
        last = LastAnswers(log, "mill")
        for delivery in log.due("mill", time.time(), 10):
            log.delivered("mill", [delivery], time.time(), last.remember(delivery).kept)
        assert [event for _, event in LastAnswers(log, "mill").kept] == [newest]
