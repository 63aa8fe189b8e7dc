"""What only the database knows is told once, in order, and again after a crash before it was noted."""

from datetime import timedelta
from uuid import UUID

from db.learning import model_registry
from db.line import insert_changes
from db.people import audited_insert_changes
from db.people.external_insert_changes import take
from db.queries import plant_news
from producer.contract.insert_change import InsertChange, KeptChange
from producer.contract.plant_event import plant_event
from tests.integration.db.conftest import T0
from tests.integration.db.test_station_history import photographed


def untold(line) -> list:
    with line.database.reading() as session:
        return plant_news.untold(session)


def sent_since(line, moment=T0) -> list:
    with line.database.reading() as session:
        return plant_news.sent_since(session, moment)


def ids(news) -> list[str]:
    return [plant_event("p", getattr(one, "station", ""), one, 1.0).id for one in news]


def note(line, news) -> None:
    with line.database.transaction() as session:
        plant_news.note(session, news)


def test_every_change_of_a_model_s_role_is_told_in_order(line) -> None:
    assert untold(line) == []
    for model in ("m-1", "m-2"):
        line.model(model)
    with line.database.transaction() as session:
        model_registry.promote(session, "m-1", by="trainer", reason="first", at=T0)
        model_registry.start_shadow(session, "m-2", by="ana", reason="a try", at=T0)
    first = untold(line)
    assert [(news.role, news.model, news.action, news.by) for news in first] == [
        ("champion", "m-1", "promoted", "trainer"),
        ("shadow", "m-2", "promoted", "ana"),
    ]
    assert untold(line) == first, "until it is noted"
    note(line, first)
    assert ids(sent_since(line)) == ids(first), "the same events"
    assert sent_since(line, T0 + timedelta(seconds=1)) == []
    with line.database.transaction() as session:
        model_registry.promote(session, "m-2", by="ana", reason="better", at=T0 + timedelta(hours=1))
    assert [(news.role, news.model) for news in untold(line)] == [("champion", "m-2"), ("shadow", None)]


def test_a_changed_insert_that_no_photograph_shows_yet_is_told_and_so_is_that_it_was_not(line) -> None:
    photograph = line.see(1, 0, "intact")
    place = photograph.machine, photograph.head, photograph.pocket

    def changed(**said) -> insert_changes.InsertChange:
        values = {"by": "ana", "at": T0 + timedelta(minutes=5), "first": None} | said
        with line.database.transaction() as session:
            return audited_insert_changes.record(session, *place, **values)[0]

    assert untold(line) == []
    changed(first=photograph.capture_id)
    changed(late=True, by="a panel")  # by another system, which is answered by itself
    assert untold(line) == []
    line.see(1, 10, "intact")
    change = changed(at=T0 + timedelta(minutes=15))
    changed(at=T0 + timedelta(minutes=16))  # the button was pressed twice
    (news,) = untold(line)
    assert (news.machine, news.head, news.pocket, news.at, news.by) == (*place, change.at, "ana")
    assert (news.via, news.withdrawn) == ("", False)
    with line.database.transaction() as session:
        audited_insert_changes.withdraw(session, change.id, by="ana", at=T0)
    both = untold(line)
    assert both == [news, news.model_copy(update={"withdrawn": True})]
    note(line, both[:1])
    assert untold(line) == both[1:]
    note(line, both)
    assert untold(line) == []


def test_a_change_that_is_withdrawn_and_recorded_again_is_other_news(line) -> None:
    ahead = line.see(1, 10 * 365 * 24 * 60, "intact")  # so that each change lies just behind it
    place = ahead.machine, ahead.head, ahead.pocket
    for _ in range(2):
        with line.database.transaction() as session:
            change, _ = audited_insert_changes.record(session, *place, by="ana", at=T0, first=None)
            audited_insert_changes.withdraw(session, change.id, by="ana", at=T0)
    news = untold(line)
    assert [of.withdrawn for of in news] == [False, True, False, True]
    assert len({of.at for of in news}) == 1
    assert len({of.change_id for of in news}) == 2


def test_a_run_is_told_when_it_begins_and_when_it_ends(line) -> None:
    seen = [photographed(line, number, "unusable") for number in range(5)]
    (began,) = untold(line)
    assert (began.station, began.since, began.ended, began.captures) == ("st-1", seen[0].captured_at, False, 5)
    photographed(line, 5, "unusable")
    (again,) = untold(line)  # a crash came between: one more photograph by now, and the same event
    assert plant_event("p", "st-1", again, 1.0).id == plant_event("p", "st-1", began, 1.0).id
    note(line, [again])
    assert untold(line) == []
    assert (ids(sent_since(line)), sent_since(line, began.since + timedelta(seconds=1))) == (ids([began]), [])
    photographed(line, 6)
    (ended,) = untold(line)
    assert (ended.since, ended.ended) == (began.since, True)
    note(line, [ended])
    assert untold(line) == []


def test_a_changed_insert_is_told_again_as_it_was_and_none_that_was_not_told_is(line) -> None:
    photograph = line.see(1, 0, "intact")
    place = photograph.machine, photograph.head, photograph.pocket

    def changed(minutes: int, **said) -> None:
        with line.database.transaction() as session:
            audited_insert_changes.record(
                session, *place, by="ana", at=T0 + timedelta(minutes=minutes), **{"first": None} | said
            )

    changed(5)
    news = untold(line)
    note(line, news)
    assert sent_since(line) == news
    assert sent_since(line, T0 + timedelta(minutes=6)) == []
    changed(15, first=line.see(1, 10, "intact").capture_id)
    line.see(1, 20, "intact")
    said = dict(zip(("machine", "head", "pocket"), place, strict=True))
    report = InsertChange(change_id=UUID(int=7), by="a panel", **said)
    with line.database.transaction() as session:
        answer = take(session, KeptChange(change=report, said_at=T0 + timedelta(minutes=25), via="broker"))
    assert answer.at is not None
    assert sent_since(line) == news, "the panel gets an answer of its own"
