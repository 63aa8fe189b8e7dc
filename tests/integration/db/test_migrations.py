from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from threading import Barrier
from uuid import UUID

import pytest
import uuid6
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import insert, inspect, select, table, text, update

from db.engine import migrate, schema_version
from db.engine.database import Database, SchemaOutdated
from db.engine.engines import make_engine
from db.engine.url import sqlite_file
from db.learning import leases, model_registry, remaining_lives, reviews, snapshots
from db.learning.remaining_lives import LifeFit, RemainingLife
from db.learning.survival_curve import SurvivalCurve
from db.line import captures, checks, faults, incomplete_checks, shadow_verdicts, station_days, untold_changes, verdicts
from db.line.incomplete_checks import Awaited
from db.line.insert_changes import InsertChange
from db.line.insert_histories import SuspectedChange
from db.line.shadow_verdicts import ShadowVerdict
from db.line.station_days import StationDay
from db.people import accounts, audit, sessions, tokens
from db.people.session_limits import Limits
from db.queries import connector_health, plant_news, replace_list
from db.schema.tables import (
    Base,
    Captures,
    CapturesAhead,
    Checks,
    Evaluations,
    InsertChanges,
    LateLabels,
    Pockets,
    Reviews,
    ToldInsertChanges,
    UtcDateTime,
    Verdicts,
)
from producer.contract.plant_news import FaultRun

ADDED = {
    *("reviews", "snapshots", "snapshot_items", "shadow_verdicts", "leases"),
    *("accounts", "sessions", "audit", "tokens"),
    *("insert_changes", "evaluations", "station_days", "life_fits", "remaining_lives", "suspected_changes"),
    *("told_insert_changes", "untold_insert_changes", "told_news", "connector_reports"),
    *("awaited_checks", "untold_checks", "captures_ahead", "late_labels"),
}
"""The tables that schema 0001 does not have."""


def structure(url: str) -> dict[str, object]:
    """All that the engine itself knows of its tables: more than Alembic compares."""
    engine = make_engine(url, create=True)
    inspector = inspect(engine)
    # Of all tables at once: asked for one by one, PostgreSQL takes twenty times as many questions.
    columns, keys = inspector.get_multi_columns(), inspector.get_multi_pk_constraint()
    unique, references = inspector.get_multi_unique_constraints(), inspector.get_multi_foreign_keys()
    conditions, indexes = inspector.get_multi_check_constraints(), inspector.get_multi_indexes()
    engine.dispose()
    return {
        place[1]: {
            "columns": [{**each, "type": str(each["type"])} for each in columns[place]],
            "key": keys[place],
            "unique": sorted(unique[place], key=str),
            "references": sorted(references[place], key=str),
            "checks": sorted(conditions[place], key=str),
            "indexes": sorted(({**each, "dialect_options": _conditions(each)} for each in indexes[place]), key=str),
        }
        for place in columns
        if place[1] != "alembic_version"
    }


def _conditions(index) -> dict[str, str]:
    return {name: str(value) for name, value in index.get("dialect_options", {}).items()}


def test_models_and_migrations_agree(database_url) -> None:
    engine = make_engine(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_models_and_migrations_make_the_very_same_tables(database_url, empty_database_url) -> None:
    path = sqlite_file(empty_database_url)
    if path is not None:
        path.parent.mkdir()
    engine = make_engine(empty_database_url, create=True)
    Base.metadata.create_all(engine)
    engine.dispose()
    made = structure(empty_database_url)
    first = {"captures", "checks", "faults", "models", "pockets", "promotions", "verdicts"}
    assert set(made) == first | ADDED
    assert structure(database_url) == made


def test_every_step_goes_up_and_down_and_up_again(empty_database_url) -> None:
    url = empty_database_url
    steps = [each.revision for each in ScriptDirectory.from_config(schema_version.alembic_config()).walk_revisions()][
        ::-1
    ]
    assert steps == schema_version.revisions()[::-1], "each file is named by its revision"
    before = [None, *steps]
    for step, earlier in zip(steps, before, strict=False):
        migrate.upgrade(url, step)
        there = structure(url)
        migrate.downgrade(url, earlier or "base")
        assert migrate.current(url) == earlier
        migrate.upgrade(url, step)
        assert structure(url) == there
    assert migrate.current(url) == schema_version.head() == steps[-1]
    migrate.downgrade(url, "base")
    assert structure(url) == {}


def test_down_and_up_with_data(line) -> None:
    capture = line.see(outcome="damaged")
    line.model("m-1")
    with line.database.transaction() as session:
        verdicts.record(session, line.verdict(capture.capture_id, model_id="m-1"))
    line.database.close()
    migrate.downgrade(line.database.url, "base")
    migrate.upgrade(line.database.url)
    line.database.check_schema()
    with line.database.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for bring in (migrate.upgrade, partial(migrate.downgrade, revision="0001")):
        with pytest.raises(SchemaOutdated, match="9999, which this version does not know"):
            bring(line.database.url)
    with line.database.reading() as session:
        assert captures.find(session, capture.capture_id) is None
    line.see(outcome="damaged")


def test_learning_goes_and_comes_back_and_all_else_stays(line, start) -> None:
    """Schema 0002 down to 0001 and up again, with data in every table: what 0001 has words for is untouched."""
    captures_, lost = _filled(line, start)
    before = _contents(line.database.url)
    line.database.close()
    migrate.downgrade(line.database.url, "0001")
    assert migrate.current(line.database.url) == "0001"
    old = _contents(line.database.url)
    assert set(before) - set(old) == ADDED
    for name, rows in old.items():
        assert rows, f"{name} has something to lose"
        kept = [{column: row[column] for column in rows[0]} for row in before[name]]
        assert rows == [row for row in kept if name != "promotions" or row["id"] not in lost], name

    migrate.upgrade(line.database.url)
    with line.database.reading() as session:
        assert reviews.labelled(session) == []
        assert snapshots.latest(session) is None
        assert model_registry.shadow(session) is None
        assert model_registry.champion(session).model_id == "m-1"
        assert {each.role for each in model_registry.promotions(session)} == {"champion"}
        assert [captures.find(session, each.capture_id) for each in captures_] == captures_
    line.say(captures_[0], "worn")
    new = line.see(9)
    with line.database.transaction() as session:
        verdicts.record(session, line.verdict(new.capture_id, "intact", model_id="m-2"))
        model_registry.promote(session, "m-2", by="trainer", reason="better", at=start + timedelta(days=1))
        assert (
            model_registry.rollback(session, by="ana", reason="worse", at=start + timedelta(days=2)).model_id == "m-1"
        )


NOT_TOLD = (
    "told_news",
    "connector_reports",
    "untold_insert_changes",
    "untold_checks",
    "awaited_checks",
    "captures_ahead",
    "late_labels",
)
"""The tables of which what is in them is lost on the way to 0002."""

LOST_ROWS = {("0002", "promotions"): lambda row: row["role"] == "shadow"}
"""The rows that a step down takes from a table that stays, as its migration's LOST says in words."""


def test_every_step_down_and_up_keeps_what_both_schemas_hold(line, start) -> None:
    """From the newest schema down to the first, and up again after each step, with something in every table."""
    _filled(line, start)
    line.database.close()
    url = line.database.url
    steps = schema_version.revisions()
    assert all(_contents(url).values()), "every table has something to lose"
    for step, earlier in pairwise(steps):
        before = _contents(url)
        migrate.downgrade(url, earlier)
        below = _contents(url)
        for name, rows in below.items():
            lost = LOST_ROWS.get((step, name), lambda _: False)
            kept = [{column: row[column] for column in rows[0]} for row in before[name] if not lost(row)]
            assert sorted(rows, key=str) == sorted(kept, key=str), f"{step} to {earlier}: {name}"
        migrate.upgrade(url, step)
        for name, rows in _contents(url).items():
            old = below.get(name, [])
            shown = [{column: row[column] for column in old[0]} for row in rows] if old else rows
            assert sorted(shown, key=str) == sorted(old, key=str), f"{earlier} to {step}: {name}"
        migrate.downgrade(url, earlier)


def test_every_migration_says_what_its_downgrade_loses() -> None:
    told = schema_version.lost_by_downgrade(schema_version.head(), "base")
    assert [step for step, _ in told] == schema_version.revisions()
    assert [step for step, what in told if "does not say" in what] == []
    assert schema_version.lost_by_downgrade("0001", "0002") == schema_version.lost_by_downgrade("0002", "0002") == []
    assert [step for step, _ in schema_version.lost_by_downgrade("0002", "0001")] == ["0002"]
    with pytest.raises(ValueError, match="there is no schema 'nine'; there are 0001, 0002"):
        schema_version.lost_by_downgrade("0002", "nine")


def test_what_questions_need_is_made_of_what_is_there(line, start) -> None:
    """Schema 0003 down to 0002 and up again: awaited checks and damaged pockets are found again."""
    _filled(line, start)
    line.see(4, 3, "intact", check_id=uuid6.uuid7())
    both = uuid6.uuid7()
    for pocket in (1, 2):
        line.see(pocket, 3, "intact", check_id=both, head="head-2")
    line.say(line.see(7, 4, "damaged", check_id=uuid6.uuid7(), check_size=1), "intact")
    before = _contents(line.database.url) | {name: [] for name in NOT_TOLD}
    assert any(row["revision"] for row in before["checks"])
    before["checks"] = [row | {"revision": 0} for row in before["checks"]]  # what was told before has no order
    assert {row["awaited"] for row in before["checks"]} == {row["damaged"] for row in before["pockets"]} == {0, 1}
    line.database.close()
    migrate.downgrade(line.database.url, "0002")
    assert "awaited" not in _contents(line.database.url)["checks"][0]
    migrate.upgrade(line.database.url)
    people = ("accounts", "sessions", "audit", "tokens", "insert_changes", "evaluations", "station_days")
    lives = ("life_fits", "remaining_lives", "suspected_changes", "told_insert_changes")
    assert _contents(line.database.url) == before | {name: [] for name in (*people, *lives)}


def test_the_order_of_what_is_there_is_found_when_it_comes(line, start) -> None:
    """Schema 0004: rows of 0003, with wrong clocks among them, up, down and up again."""
    late = start + timedelta(hours=1)
    clocks = {
        "right": start,
        "ahead": start + timedelta(hours=10),
        "behind": start - timedelta(hours=10),
        "1970": datetime(1970, 1, 1, tzinfo=UTC),
        "2099": datetime(2099, 1, 1, tzinfo=UTC),
    }
    seen = {}
    for pocket, (name, clock) in enumerate(clocks.items(), 1):
        check = uuid6.uuid7()
        seen[name] = line.see(pocket, captured_at=clock, outcome="damaged", check_id=check, check_size=2)
        line.see(pocket, captured_at=late, outcome="intact", check_id=uuid6.uuid7(), check_size=1)
    line.database.close()
    url = line.database.url
    with _connected(url) as connection:
        connection.execute(text("UPDATE captures SET received_at = :at"), {"at": _stored(connection, late)})
    migrate.downgrade(url, "0003")
    with _connected(url) as connection:
        damaged = set(connection.scalars(text("SELECT pocket FROM pockets WHERE damaged")))
    assert damaged == {2, 5}, "the order of 0003: by the clocks"

    for _ in range(2):
        migrate.upgrade(url)
        with line.database.reading() as session:
            order = dict(session.execute(select(Captures.capture_id, Captures.ordered_at)).all())
            begun = {check.check_id: check.started_at for check in checks.recent(session)}
            for name, capture in seen.items():
                expected = clocks[name] if name in ("right", "behind") else late
                assert order[capture.capture_id] == begun[capture.check_id] == expected, name
                assert captures.find(session, capture.capture_id) == capture, "as told"
            assert set(session.scalars(select(Pockets.ordered_at))) == {late}
            assert all(check.state == "pending" for check in checks.recent(session) if check.size == 2)
        with line.database.transaction() as session:
            given_up = update(Checks).where(Checks.check_id == seen["right"].check_id)
            session.execute(given_up.values(awaited=False, given_up=True))
        line.database.close()
        migrate.downgrade(url, "0003")
        with _connected(url) as connection:
            assert set(connection.scalars(text("SELECT pocket FROM pockets WHERE damaged"))) == damaged
            assert connection.scalar(text("SELECT count(*) FROM checks WHERE awaited")) == len(clocks)
    migrate.upgrade(url)
    line.database.check_schema()


def test_a_model_of_before_keeps_its_history_without_a_network(line, start) -> None:
    """Schema 0005: a champion of 0004 with its verdicts, up, down and up again."""
    capture = line.see(outcome="damaged")
    line.model("old", backbone="insertnet:features", network_digest="a" * 64)
    with line.database.transaction() as session:
        verdicts.record(session, line.verdict(capture.capture_id, model_id="old"))
        model_registry.promote(session, "old", by="trainer", reason="better", at=start)
    line.database.close()
    for _ in range(2):
        migrate.downgrade(line.database.url, "0004")
        migrate.upgrade(line.database.url)
        with line.database.reading() as session:
            champion = model_registry.champion(session)
            assert (champion.model_id, champion.network_digest) == ("old", None)
            assert verdicts.current(session, capture.capture_id).model_id == "old"
            assert [each.model_id for each in model_registry.promotions(session)] == ["old"]


def test_bulk_reviews_become_single_ones_and_faults_forget_who_saw_them(line, start) -> None:
    """Schema 0008, down and up again: the labels and the faults themselves stay."""
    _filled(line, start)
    with line.database.transaction() as session:
        session.execute(update(Reviews).values(provenance="bulk"))
        session.execute(update(Base.metadata.tables["faults"]).values(seen_by="ana", seen_at=start))
    line.database.close()
    before = _contents(line.database.url)
    migrate.downgrade(line.database.url, "0007")
    migrate.upgrade(line.database.url)
    after = _contents(line.database.url)
    assert [row | {"provenance": "single"} for row in before["reviews"]] == after["reviews"]
    assert [row | {"seen_by": None, "seen_at": None} for row in before["faults"]] == after["faults"]
    assert after["insert_changes"] == after["evaluations"] == []


def test_with_which_chance_reviews_were_offered_is_found_by_their_verdicts(line, start) -> None:
    """Schema 0028, down and up again: until then one in fifty was offered by chance."""
    chances = []
    for number, outcome in ((1000, "unsure"), (89, "intact"), (90, "intact"), (1001, None)):
        capture = line.see(number, number, outcome)
        if outcome is not None:
            with line.database.transaction() as session:
                session.execute(update(Verdicts).where(Verdicts.capture_id == capture.capture_id).values(id=number))
        chances.append(line.say(capture, "worn").capture_id)
    line.database.close()
    migrate.downgrade(line.database.url, "0027")
    migrate.upgrade(line.database.url)
    found = {UUID(str(row["capture_id"])): row["chance"] for row in _contents(line.database.url)["reviews"]}
    assert [found[capture_id] for capture_id in chances] == [1.0, 0.02, None, None]


@pytest.mark.parametrize(
    ("below", "lost"),
    [
        ("0008", {"evidence": b"\x01\x00map"}),
        ("0009", {"sharpness": 812.5, "brightness": 117.25, "frame": -(2**63)}),
        ("0013", {"sketch": bytes(range(256))}),
        (
            "0014",
            {"wear_mean": 18.5, "wear_p90": 24.25, "wear_max": 31.0, "wear_length": 512.0, "pixels_per_mm": 85.5},
        ),
    ],
    ids=["evidence", "measured", "sketch", "wear"],
)
def test_a_verdict_stays_without_what_an_older_schema_cannot_hold(line, start, below, lost) -> None:
    """Schemas 0009, 0010, 0014 and 0015, down and up again."""
    capture = line.see()
    line.model("m-1")
    with line.database.transaction() as session:
        verdicts.record(session, line.verdict(capture.capture_id, model_id="m-1", **lost))
    line.database.close()
    before = _contents(line.database.url)["verdicts"]
    assert lost.items() <= before[0].items()
    migrate.downgrade(line.database.url, below)
    migrate.upgrade(line.database.url)
    assert [row | dict.fromkeys(lost) for row in before] == _contents(line.database.url)["verdicts"]


def test_what_a_change_knew_is_what_lies_before_it(line, start) -> None:
    """Schema 0020, down and up again: what a change hides stays hidden, and what comes after it does not."""
    old = [line.see(pocket, minute, "damaged") for pocket, minute in ((1, 0), (1, 5), (2, 0), (1, 20))]
    with line.database.transaction() as session:
        for pocket, minute in ((1, 10), (2, 10), (3, 10)):
            at = start + timedelta(minutes=minute)
            values = {"machine": "mill-1", "head": "head-1", "pocket": pocket, "at": at, "by": "ana"}
            session.execute(insert(InsertChanges).values(values))
    line.database.close()
    migrate.downgrade(line.database.url, "0019")
    assert "known" not in _contents(line.database.url)["insert_changes"][0]
    migrate.upgrade(line.database.url)
    with line.database.reading() as session:
        known = dict(session.execute(select(InsertChanges.pocket, InsertChanges.known)).all())
        assert known == {1: old[1].capture_id, 2: old[2].capture_id, 3: None}
        assert [row.pocket for row in replace_list.to_replace(session)] == [1]
        assert [change.pocket for change in replace_list.just_changed(session)] == [2]


@contextmanager
def _connected(url: str):
    engine = make_engine(url)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def _stored(connection, moment: datetime) -> object:
    sqlite = connection.dialect.name == "sqlite"
    return UtcDateTime().bind_processor(connection.dialect)(moment) if sqlite else moment


def test_labels_of_before_late_labels_bring_no_insert_back(line) -> None:
    earlier = line.see(1, 0, "unsure")
    line.see(1, 9, "intact", check_id=uuid6.uuid7())
    line.say(earlier, "broken")

    def to_replace() -> list[UUID]:
        with line.database.reading() as session:
            return [row.capture_id for row in replace_list.to_replace(session)]

    assert to_replace() == [earlier.capture_id]
    line.database.close()
    migrate.downgrade(line.database.url, "0029")
    migrate.upgrade(line.database.url)
    assert to_replace() == []
    line.say(earlier, "broken")
    assert to_replace() == [earlier.capture_id]


def _filled(line, start):
    """Something in every table; returns the captures, and the promotions that 0001 cannot keep."""
    of_four = {"check_size": 4}
    seen = [line.see(pocket, 0, word, **of_four) for pocket, word in enumerate(("damaged", "intact", "unsure"), 1)]
    line.see(
        4, 3, "unusable", **of_four, region={"left": 1, "top": 2, "width": 3, "height": 4}, edge=2, operations_on_edge=7
    )
    line.see(5, 4, insert_designation="SNMG 120408", check_id=uuid6.uuid7())  # no verdict yet
    line.say(seen[0], "worn", note="a nöte; 'quoted' \"twice\"")
    line.say(seen[0], "broken", by="bert")
    with line.database.transaction() as session:
        taken = snapshots.take(session, start)
        leases.take(session, "training", "host 1", at=start, seconds=15)
        accounts.add(session, "ana", "reviewer", "a long password", start)
        sessions.begin(session, "ana", start, Limits(timedelta(hours=1), timedelta(hours=2)))
        tokens.add(session, "ana", "a program", start, None)
        changed = {"machine": "mill-1", "head": "head-1", "pocket": 1, "at": start, "by": "ana"}
        session.execute(insert(InsertChanges).values(changed))
        values = changed | {"change_id": uuid6.uuid7(), "via": "broker", "said_at": start}
        session.execute(insert(ToldInsertChanges).values(values))
        untold_changes.keep(session, InsertChange(1, "mill-1", "head-1", 1, start, "ana"))
        session.execute(insert(CapturesAhead).values(capture_id=seen[0].capture_id))
        place = {"machine": "mill-1", "head": "head-1", "pocket": 1}
        session.execute(insert(LateLabels).values(place | {"capture_id": seen[0].capture_id, "at": start}))
        incomplete_checks.note_seen(session, {seen[0].check_id: (Awaited(1, start), 5.0)})
        plant_news.note(session, [FaultRun(station="st-1", since=start, ended=False)])
        connector_health.keep(session, {"a connector": "{}"}, start)
        curve = SurvivalCurve(tuple(map(float, range(1, 16))))
        remaining_lives.store(
            session,
            LifeFit(start, followed=30, ended=12, needed=10, new=curve, gap=0.04),
            [RemainingLife("mill-1", "head-1", 2, age=7, lives=9, as_of=start, curve=curve, new=curve)],
            [SuspectedChange("mill-1", "head-1", 3, seen[2].capture_id, start, start, damaged=2, intact=3)],
        )
        audit.write(session, at=start, by="ana", action="reviewed", subject="a capture", label="worn")
        faults.record(
            session,
            capture_id=None,
            station="st-1",
            check_id=None,
            pocket=1,
            reason="invalid_event",
            detail="",
            event="{}",
            at=start,
        )
    line.model("m-1")
    line.model("m-2", snapshot_id=taken.snapshot_id)
    with line.database.transaction() as session:
        session.execute(insert(Evaluations).values(model_id="m-2", at=start, report={"images": 3}))
        station_days.record(session, StationDay("st-1", start.date(), start, 12, model_id="m-1"), b"sample")
        model_registry.promote(session, "m-1", by="trainer", reason="first", at=start)
        begun = model_registry.start_shadow(session, "m-2", by="trainer", reason="a candidate", at=start)
        verdicts.record(session, line.verdict(seen[2].capture_id, "intact", model_id="m-1"))
        shadow_verdicts.record(session, [ShadowVerdict(seen[2].capture_id, "m-2", "damaged", 0.5, 0.9, start)])
        ended = model_registry.end_shadow(session, by="ana", reason="enough", at=start)
        model_registry.promote(session, "m-2", by="trainer", reason="better", at=start)
        model_registry.rollback(session, by="ana", reason="worse", at=start)
    return seen, {begun.id, ended.id}


def _contents(url: str) -> dict[str, list[dict[str, object]]]:
    """All rows of all tables, as the engine gives them."""
    engine = make_engine(url)
    with engine.connect() as connection:
        tables = [name for name in inspect(connection).get_table_names() if name != "alembic_version"]
        found = {
            name: sorted(
                (dict(row._mapping) for row in connection.execute(select(text("*")).select_from(table(name)))), key=str
            )
            for name in tables
        }
    engine.dispose()
    return found


def test_upgrading_twice_keeps_what_is_there(line) -> None:
    capture = line.see()
    migrate.upgrade(line.database.url)
    with line.database.reading() as session:
        assert captures.find(session, capture.capture_id) == capture


def test_several_that_upgrade_at_once(empty_database_url) -> None:
    together = Barrier(3)

    def upgrade() -> None:
        together.wait(30)
        migrate.upgrade(empty_database_url)

    with ThreadPoolExecutor(3) as pool:
        for each in [pool.submit(upgrade) for _ in range(3)]:
            each.result()
    assert migrate.current(empty_database_url) == schema_version.head()


def test_a_step_that_fails_leaves_nothing_behind(empty_database_url, monkeypatch) -> None:
    def half(config, revision) -> None:
        real(config, revision)
        raise RuntimeError("the power went")

    real = migrate.command.upgrade
    monkeypatch.setattr(migrate.command, "upgrade", half)
    with pytest.raises(RuntimeError, match="the power went"):
        migrate.upgrade(empty_database_url)
    assert migrate.current(empty_database_url) is None
    assert structure(empty_database_url) == {}


def test_a_database_without_tables_says_what_to_do(empty_database_url) -> None:
    database = Database(empty_database_url)
    with pytest.raises(SchemaOutdated, match="`insert-db upgrade`"):
        database.check_schema()
    path = sqlite_file(empty_database_url)
    assert path is None or not path.parent.exists(), "asking made a file"
    database.close()


def test_a_database_of_another_version_says_what_to_do(line) -> None:
    migrate.downgrade(line.database.url, "base")
    with pytest.raises(SchemaOutdated, match=f"needs {schema_version.head()}: run `insert-db upgrade`"):
        line.database.check_schema()
    migrate.upgrade(line.database.url)
    line.database.check_schema()
