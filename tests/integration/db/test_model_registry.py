from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import exc

from db.engine.database import Database
from db.learning import model_registry, snapshots
from db.learning.model_registry import Model
from db.people import audit
from db.schema.tables import Promotions
from tests.integration.conftest import on_one_engine


def promote(line, model_id: str, at, reason: str = "better") -> model_registry.Promotion:
    with line.database.transaction() as session:
        return model_registry.promote(session, model_id, by="trainer", reason=reason, at=at)


def champion(line, at=None) -> str | None:
    with line.database.reading() as session:
        found = model_registry.champion(session, at)
    return found.model_id if found else None


def test_a_model_comes_back_as_it_went_in(line) -> None:
    model = line.model("m-1")
    with line.database.reading() as session:
        assert model_registry.find(session, "m-1") == model
        assert model_registry.find(session, "m-2") is None


def test_registering_twice_changes_nothing(line) -> None:
    model = line.model("m-1")
    with line.database.transaction() as session:
        assert model_registry.register(session, model) is False
        assert model_registry.register(session, replace(model, trained_on=1)) is False
        assert model_registry.find(session, "m-1") == model
        assert model_registry.register(session, replace(model, model_id="m-2")) is True


def test_a_network_that_a_downgrade_lost_is_found_again_when_the_model_is_made_again(line) -> None:
    old, whole = line.model("m-1"), line.model("m-2", network_digest="a" * 64)
    with line.database.transaction() as session:
        assert model_registry.register(session, replace(old, network_digest="b" * 64, trained_on=1)) is False
        assert model_registry.register(session, replace(whole, network_digest="b" * 64)) is False
        assert model_registry.find(session, "m-1") == replace(old, network_digest="b" * 64)
        assert model_registry.find(session, "m-2") == whole


def test_the_newest_model_comes_first(line, start) -> None:
    for name, day in (("a", 0), ("b", 2), ("c", 1), ("d", 1)):
        line.model(name, created_at=start + timedelta(days=day))
    with line.database.reading() as session:
        assert [model.model_id for model in model_registry.recent(session)] == ["b", "c", "d", "a"]
        after = start + timedelta(days=1), "c"
        assert [model.model_id for model in model_registry.recent(session, after=after)] == ["d", "a"]
        assert [model.model_id for model in model_registry.recent(session, limit=1)] == ["b"]


def test_who_was_in_charge_when(line, start) -> None:
    line.model("a")
    line.model("b")
    assert champion(line) is None
    for hour, name in ((1, "a"), (2, "b"), (3, "a")):
        promote(line, name, start + timedelta(hours=hour))
    assert champion(line) == "a"
    for hours, expected in ((0.5, None), (1, "a"), (1.5, "a"), (2, "b"), (2.5, "b"), (3, "a"), (99, "a")):
        assert champion(line, start + timedelta(hours=hours)) == expected
    with line.database.reading() as session:
        assert [each.model_id for each in model_registry.promotions(session)] == ["a", "b", "a"]


def test_promoting_the_champion_again_is_a_no_op(line, start) -> None:
    line.model("a")
    first = promote(line, "a", start, "first")
    assert promote(line, "a", start + timedelta(hours=1), "again") == first
    with line.database.reading() as session:
        assert model_registry.promotions(session) == [first]


def test_the_last_promotion_counts_even_by_a_clock_that_is_behind(line, start) -> None:
    line.model("a")
    line.model("b")
    promote(line, "a", start)
    assert promote(line, "b", start - timedelta(minutes=5)).at == start
    assert champion(line) == "b"
    assert champion(line, start) == "b"


def test_a_model_that_nobody_registered_cannot_be_in_charge(line, start) -> None:
    with pytest.raises(LookupError, match="'ghost' is not registered"):
        promote(line, "ghost", start)


def roll_back(line, at) -> model_registry.Promotion:
    with line.database.transaction() as session:
        return model_registry.rollback(session, by="ana", reason="it misses broken ones", at=at)


@pytest.fixture
def three(line, start):
    """The champions a, b and c, an hour after each other."""
    for hour, name in enumerate("abc", 1):
        line.model(name)
        promote(line, name, start + timedelta(hours=hour))
    return start + timedelta(hours=4)


def test_a_rollback_is_a_row_and_takes_the_champion_before(line, three) -> None:
    found = roll_back(line, three)
    assert (found.model_id, found.role, found.action, found.at) == ("b", "champion", "rolled_back", three)
    assert (found.by, found.reason) == ("ana", "it misses broken ones")
    assert champion(line) == "b"
    assert champion(line, three - timedelta(minutes=1)) == "c"
    with line.database.reading() as session:
        rows = model_registry.promotions(session)
    assert rows[0] == found
    assert [(each.model_id, each.action) for each in rows] == [
        ("b", "rolled_back"),
        ("c", "promoted"),
        ("b", "promoted"),
        ("a", "promoted"),
    ]


def test_a_second_rollback_goes_further_back_and_not_forth_again(line, three) -> None:
    roll_back(line, three)
    assert roll_back(line, three).model_id == "a"
    with pytest.raises(LookupError, match="no champion before a"):
        roll_back(line, three)
    assert champion(line) == "a"
    promote(line, "c", three + timedelta(hours=1))
    assert roll_back(line, three + timedelta(hours=2)).model_id == "a", "b was rolled back before"


def test_a_champion_that_came_back_by_promotion_can_be_rolled_back(line, three) -> None:
    promote(line, "a", three)
    assert roll_back(line, three).model_id == "c"
    assert roll_back(line, three).model_id == "b"


def test_without_a_champion_there_is_none_to_go_back_to(line, start) -> None:
    with pytest.raises(LookupError, match="no model was ever in charge"):
        roll_back(line, start)
    line.model("a")
    promote(line, "a", start)
    with pytest.raises(LookupError, match="no champion before a"):
        roll_back(line, start)


def test_two_that_promote_at_once_add_one_row(line, start) -> None:
    line.model("a")
    together = Barrier(4)

    def one(number: int) -> model_registry.Promotion:
        together.wait(30)
        return promote(line, "a", start + timedelta(seconds=number))

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(one, range(4)))) == 1
    with line.database.reading() as session:
        assert len(model_registry.promotions(session)) == 1


def start_shadow(line, name: str, at) -> model_registry.Promotion:
    with line.database.transaction() as session:
        return model_registry.start_shadow(session, name, by="trainer", reason="a candidate", at=at)


def end_shadow(line, at) -> model_registry.Promotion | None:
    with line.database.transaction() as session:
        return model_registry.end_shadow(session, by="ana", reason="seen enough", at=at)


def shadow(line) -> str | None:
    with line.database.reading() as session:
        found = model_registry.shadow(session)
    return found.model_id if found else None


def test_a_shadow_begins_and_ends_and_is_never_in_charge(line, three) -> None:
    line.model("s-1")
    line.model("s-2")
    assert shadow(line) is None
    assert end_shadow(line, three) is None
    first = start_shadow(line, "s-1", three)
    assert (first.role, first.action) == ("shadow", "promoted")
    assert start_shadow(line, "s-1", three + timedelta(hours=1)) == first, "twice is once"
    assert (shadow(line), champion(line)) == ("s-1", "c")
    start_shadow(line, "s-2", three + timedelta(hours=2))
    assert shadow(line) == "s-2"
    ended = end_shadow(line, three + timedelta(hours=3))
    assert (ended.model_id, ended.role, ended.action, ended.reason) == (None, "shadow", "ended", "seen enough")
    assert (shadow(line), champion(line)) == (None, "c")
    assert end_shadow(line, three) is None
    start_shadow(line, "s-2", three + timedelta(hours=4))
    assert shadow(line) == "s-2"
    assert roll_back(line, three + timedelta(hours=5)).model_id == "b", "shadows are not in the succession"
    with line.database.reading() as session:
        assert len(model_registry.promotions(session, role="shadow")) == 4
        assert {each.role for each in model_registry.promotions(session, role="champion")} == {"champion"}


def test_a_shadow_that_is_promoted_is_no_shadow_any_more(line, three) -> None:
    line.model("s-1")
    start_shadow(line, "s-1", three)
    promote(line, "s-1", three)
    assert (shadow(line), champion(line)) == (None, "s-1")
    start_shadow(line, "c", three)
    roll_back(line, three)
    assert (shadow(line), champion(line)) == (None, "c")


def test_who_cannot_be_a_shadow(line, three) -> None:
    with pytest.raises(LookupError, match="'ghost' is not registered"):
        start_shadow(line, "ghost", three)
    with pytest.raises(ValueError, match="is in charge"):
        start_shadow(line, "c", three)


def test_the_database_itself_wants_a_champion_to_be_somebody(line, start) -> None:
    for wrong in ({"role": "champion"}, {"role": "nobody"}, {"role": "shadow", "action": "chosen"}):
        with pytest.raises(exc.IntegrityError), line.database.transaction() as session:
            session.add(Promotions(model_id=None, at=start, by="ana", reason="", **wrong))


START = datetime(2026, 11, 22, 12, tzinfo=UTC)


def learned(name: str, snapshot_id: str | None, minutes: int, fingerprint: str = "a" * 64) -> Model:
    made = START + timedelta(minutes=minutes)
    return Model(name, "b:l", fingerprint, made, ("intact", "damaged"), 10, {}, name, "0" * 64, snapshot_id)


def test_models_are_found_by_what_they_learned_from(database: Database) -> None:
    with database.transaction() as session:
        assert model_registry.newest_of_snapshots(session) is None
        snapshot = snapshots.take(session, START, []).snapshot_id
        made = [learned("first", snapshot, 1), learned("second", snapshot, 2), learned("folder", None, 3)]
        for each in (*made, learned("other", snapshot, 0, "b" * 64)):
            model_registry.register(session, each)
        model_registry.promote(session, "first", by="ana", reason="test", at=START)
        model_registry.start_shadow(session, "second", by="ana", reason="test", at=START)
    with database.reading() as session:
        assert model_registry.of_snapshot(session, snapshot, "a" * 64) == [made[1], made[0]]
        assert [each.model_id for each in model_registry.of_snapshot(session, snapshot, "b" * 64)] == ["other"]
        assert model_registry.of_snapshot(session, "nothing", "a" * 64) == []
        assert model_registry.newest_of_snapshots(session) == made[1]


@on_one_engine
def test_each_change_of_a_role_is_in_the_audit_by_a_person_or_a_program(line, three) -> None:
    with line.database.transaction() as session:
        model_registry.rollback(session, by="ana", reason="it misses some", at=three, token="a laptop")
        model_registry.start_shadow(session, "c", by="trainer", reason="a try", at=three, signed="terminal: ben")
        model_registry.start_shadow(session, "c", by="trainer", reason="again", at=three)  # it is so already
        model_registry.end_shadow(session, by="ana", reason="enough", at=three)
        model_registry.end_shadow(session, by="ana", reason="nothing to end", at=three)
    with line.database.reading() as session:
        rows = [(row.by, row.action, row.subject, row.detail) for row in audit.recent(session)]
    promoted = [("trainer", "model promoted", name, {"reason": "better"}) for name in "abc"]
    assert rows[::-1] == [
        *promoted,
        ("ana", "model rolled back", "c", {"reason": "it misses some", "to": "b", "token": "a laptop"}),
        ("terminal: ben", "shadow started", "c", {"reason": "a try", "said by": "trainer"}),
        ("ana", "shadow ended", "c", {"reason": "enough"}),
    ]
