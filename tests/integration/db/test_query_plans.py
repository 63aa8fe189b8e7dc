"""The plan of every question with every filter: an index leads to the answer, and nothing is sorted as a whole.

The questions are those that the benchmarks time at scale, with the filters that people use. What is looked at is how
the engine goes about it, never how long it takes: on SQLite the steps of its plan, on PostgreSQL also how many rows
each step went through, which must not be a good part of the table.
"""

from __future__ import annotations

import json
import random
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, event, select, text, update

from benchmarks import history, reviews_and_faults
from benchmarks.question_kinds import KINDS, Plant
from db.engine.database import Database
from db.learning import reviews
from db.line import (
    captures,
    captures_ahead,
    check_revisions,
    checks,
    holds,
    incomplete_checks,
    late_labels,
    newer_photographs,
    pockets,
)
from db.line.captures import Arrival, Capture
from db.line.rows import NEWEST_FIRST
from db.queries import day_sample, head_inserts, head_overview, replace_list, review_queue
from db.queries.whole_runs import whole_runs
from db.schema.tables import Captures, Verdicts
from producer.contract.event import new_id
from tests.integration.conftest import ENGINES
from tests.integration.postgres_databases import TEMPLATE, own_database

VERDICTS = 30_000
MANY = VERDICTS // 10
"""More rows than any step may go through: what grows with the database would."""

SORTED = {"review_queue", "day_sample", "heads", "plant"}
"""Questions that sort, but only windows of the newest, or what was chosen."""

ASKED = [(question, kind) for question, kinds in KINDS.items() for kind in kinds]


@pytest.fixture(scope="module", params=ENGINES)
def plant(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A plant's past, once for each engine; PostgreSQL has statistics of it, SQLite has none, as in the product."""
    if request.param == "sqlite":
        file = tmp_path_factory.mktemp("plant") / "inserts.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), file)
        yield from _filled(f"sqlite:///{file}")
    else:
        with own_database(request.getfixturevalue("postgres"), TEMPLATE) as url:
            yield from _filled(url)


def _filled(url: str) -> Iterator[Database]:
    reviews_and_faults.put_in_charge(url, VERDICTS)
    made = reviews_and_faults.People(VERDICTS)
    history.fill(url, history.seen(1), VERDICTS, rows_of=made.rows_of, quick=True)
    reviews_and_faults.finish(url)
    database = Database(url)
    with database.transaction() as session:  # some are still to be judged
        newest = session.scalars(select(Captures.capture_id).order_by(*NEWEST_FIRST).limit(40)).all()
        session.execute(delete(Verdicts).where(Verdicts.capture_id.in_(newest)))
        session.execute(update(Captures).where(Captures.capture_id.in_(newest)).values(outcome=None))
    yield database
    database.close()


@contextmanager
def recorded(session) -> Iterator[list[tuple[str, Any]]]:
    """The statements that a session sends, with their parameters."""
    sent: list[tuple[str, Any]] = []

    def note(connection, cursor, statement, parameters, context, many) -> None:
        if statement.startswith(("SELECT", "WITH")):
            sent.append((statement, parameters))

    bind = session.get_bind()
    event.listen(bind, "before_cursor_execute", note)
    yield sent
    event.remove(bind, "before_cursor_execute", note)


@pytest.mark.parametrize(("question", "kind"), ASKED, ids=[f"{question}: {kind}" for question, kind in ASKED])
def test_an_index_leads_to_the_answer(plant, question, kind, monkeypatch) -> None:
    monkeypatch.setattr(review_queue, "WINDOW", MANY // 3)
    with plant.reading() as session:
        known = Plant.of(session)
        ask = KINDS[question][kind](known, _drawing(f"{question}, {kind}"))
        with recorded(session) as sent:
            ask(session)
        assert sent
        _all_led_by_an_index(session, sent, question)


def test_a_station_s_day_is_sampled_without_going_through_the_others(plant) -> None:
    with plant.reading() as session:
        newest = Plant.of(session).now
        with recorded(session) as sent:
            due = day_sample.unmeasured(session, newest + timedelta(days=2))
            chosen = [day_sample.sample(session, *one) for one in due[-3:]]
        assert all(chosen)
        assert max(len(some) for some in chosen) <= day_sample.SAMPLE
        _all_led_by_an_index(session, list(sent), "day_sample")


def test_the_inserts_of_a_head_are_found_without_going_through_others(plant) -> None:
    with plant.reading() as session:
        machine, head, pockets = Plant.of(session).heads[-1]
        with recorded(session) as sent:
            known = head_inserts.head_now(session, machine, head)
        assert known is not None
        assert len(known.inserts) >= pockets
        _all_led_by_an_index(session, sent, "heads")


def test_the_last_checks_of_many_heads_are_found_without_going_through_others(plant) -> None:
    with plant.reading() as session:
        places = [(machine, head) for machine, head, _ in Plant.of(session).heads[-10:]]
        with recorded(session) as sent:
            known = head_overview.overviews(session, places)
        assert all(overview.operations and overview.words for overview in known)
        assert len(sent) >= 3
        _all_led_by_an_index(session, sent, "heads")
        # Fifty of each head: their sizes are in the index, or each row would be looked up.
        of_several = [shown for statement in sent for shown in _steps(session, *statement) if "_of_several" in shown]
        assert of_several
        assert all(re.search("Index Only Scan|COVERING INDEX", shown) for shown in of_several), of_several


def test_the_last_runs_of_a_plant_are_found_without_going_through_others(plant) -> None:
    with plant.reading() as session:
        with recorded(session) as sent:
            runs = whole_runs(session)
        assert len(runs) > len(Plant.of(session).heads) / 2
        assert len(sent) == 2
        _all_led_by_an_index(session, sent, "plant")


def test_late_labels_are_looked_up_without_going_through_the_histories_of_pockets(plant) -> None:
    """What makes one does too, though it is a person's label and no message."""
    with plant.transaction() as session:
        newest = select(Captures).where(Captures.review == "worn").order_by(*NEWEST_FIRST).limit(300)
        of_pockets = {(one.machine, one.head, one.pocket): one for one in session.scalars(newest)}
        session.execute(update(Captures).where(Captures.review == "worn").values(outcome="unsure"))
        now = Plant.of(session).now + timedelta(days=2)
        with recorded(session) as sent:
            kept = [one for one in of_pockets.values() if late_labels.keep(session, one.capture_id, now)]
            known = late_labels.in_force(session)
            check_revisions.of_captures(session, [one.capture_id for one in kept])
            assert len(replace_list.places_to_replace(session)) >= len(known)
            replace_list.just_changed(session)
        assert len(kept) >= len(known) > 10
        _all_led_by_an_index(session, sent, "heads")
        session.rollback()


def test_what_is_beside_the_rows_of_a_page_is_found_by_their_keys(plant) -> None:
    with plant.reading() as session:
        newest = select(Captures.capture_id).order_by(*NEWEST_FIRST)
        some = [
            *session.scalars(newest.limit(500)),
            *session.scalars(newest.where(Captures.review == "worn").limit(50)),
        ]
        with recorded(session) as sent:
            assert set(reviews.newest_labels(session, some).values()) == {"worn"}
            assert len(captures.places(session, some)) == 550
        _all_led_by_an_index(session, sent, "")


def _all_led_by_an_index(session, sent, question: str) -> None:
    for statement, parameters in sent:
        if session.get_bind().dialect.name == "sqlite":
            _sqlite(session, statement, parameters, question)
        else:
            _postgresql(session, statement, parameters, question)


def _steps(session, statement: str, parameters) -> list[str]:
    """The plan of a statement, as its engine tells it to people."""
    explain = "EXPLAIN QUERY PLAN" if session.get_bind().dialect.name == "sqlite" else "EXPLAIN"
    return [str(row[-1]) for row in session.connection().exec_driver_sql(f"{explain} {statement}", parameters)]


def _drawing(seed: str) -> random.Random:
    return random.Random(seed)  # noqa: S311 - questions, not secrets


def _sqlite(session, statement: str, parameters, question: str) -> None:
    rows = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
    steps = [row[-1] for row in rows]
    limited = "LIMIT" in statement
    for step in steps:
        # What is not looked up is read in the order of an index, or of the table's own numbers, as far as it is needed.
        if re.match(r"SCAN (captures|checks|faults|pockets)\b", step):
            assert "USING" in step, steps
            assert limited or "ix_pockets_damaged" in step, steps
        if re.match(r"SCAN (verdicts|reviews)\b", step):
            assert question == "review_queue", steps
            assert limited, steps
        if step == "USE TEMP B-TREE FOR ORDER BY":
            assert question in SORTED or "FROM faults" in statement, steps
    # Who names a place or an outcome is led there.
    if question == "verdicts" and re.search(r"captures\.(machine|head|station|operation|outcome) = \?", statement):
        assert any(step.startswith("SEARCH captures USING INDEX") for step in steps), steps


def _postgresql(session, statement: str, parameters, question: str) -> None:
    # Of a table of some thousand rows reading all can be cheapest: it must be possible without.
    session.execute(text("SET LOCAL enable_seqscan = off"))
    explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"
    [(answer,)] = session.connection().exec_driver_sql(explain, parameters).all()
    plan = answer if isinstance(answer, list) else json.loads(answer)
    for node in _nodes(plan[0]["Plan"]):
        shown = json.dumps(node, indent=1)
        if node["Node Type"] == "Seq Scan":
            assert node["Relation Name"] not in ("captures", "verdicts", "checks", "reviews"), shown
        removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
        is_of_plant = question == "plant"  # goes through all pockets, then looks each head up by itself
        if "Relation Name" in node and not (is_of_plant and node["Relation Name"] == "pockets"):
            times = 1 if is_of_plant else node["Actual Loops"]
            assert (node["Actual Rows"] + removed) * times < MANY, shown
        if node["Node Type"] == "Sort":
            assert node["Actual Rows"] < MANY, shown


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for each in node.get("Plans", ()):
        yield from _nodes(each)


def test_there_is_something_of_every_kind_to_find(plant) -> None:
    """Else the plans above would be those of empty answers."""
    with plant.reading() as session:
        known = Plant.of(session)
        for question, kind in ASKED:
            if question == "checks" and ", " in kind:  # rare at some places
                continue
            nothing = "no such" in kind or "without" in kind or "none" in kind
            answers = (
                KINDS[question][kind](known, _drawing(str(seed)))(session) for seed in range(2 if nothing else 12)
            )
            assert any(answers) != nothing, (question, kind)


def test_what_a_worker_looks_up_is_led_to_by_an_index(plant) -> None:
    """Beside its captures: newest of pockets and heads, what contradicts; every few seconds what waits, or is ahead.

    And damage that was judged late.
    """
    with plant.transaction() as session, recorded(session) as sent:
        newest = session.execute(select(Captures).order_by(*NEWEST_FIRST).limit(30)).scalars().all()
        sent.clear()

        def of_fields(capture: Captures) -> dict[str, Any]:
            return {field.name: getattr(capture, field.name) for field in fields(Capture)}

        arrivals = [Arrival(Capture(**of_fields(each) | {"capture_id": new_id()}), each.received_at) for each in newest]
        assert len(captures._ordered(session.connection(), arrivals)) == 30
        incomplete_checks.awaited(session)
        assert len(sent) == 2 + len({(each.machine, each.head) for each in newest})
        of_checks = {each.check_id for each in newest}
        checks.to_doubt(session, of_checks)
        checks.if_given_up(session, of_checks)
        holds.now(session, of_checks)
        newer_photographs.of_earlier_runs(session, checks.find(session, newest[0].check_id))
        captures_ahead.unnoted(session)
        pockets._LATE.execute(session.connection(), ids=[each.capture_id for each in newest])
        assert len(sent) >= 6
        for statement, parameters in sent:
            if session.get_bind().dialect.name == "sqlite":
                steps = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
                for step in (row[-1] for row in steps):
                    assert not re.match(r"SCAN (captures|pockets|checks)\b", step) or "ix_checks_awaited" in step, steps
            else:
                _postgresql(session, statement, parameters, "")
