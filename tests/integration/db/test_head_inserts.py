"""What is known of a head's inserts, and the command that writes it as MTConnect documents."""

from __future__ import annotations

import json
from datetime import timedelta
from xml.etree import ElementTree

import uuid6

from db.commands.main import main
from db.learning import remaining_lives
from db.learning.remaining_lives import LifeFit, RemainingLife
from db.learning.survival_curve import SurvivalCurve
from db.line import captures, incomplete_checks, insert_changes, restores, verdicts
from db.queries.head_inserts import HeadNow, InsertNow, head_now
from tests.command_support import invoke
from tests.integration.db.conftest import T0, Line

CURVE = SurvivalCurve(tuple(map(float, range(1, 16))))


def now(line: Line) -> HeadNow:
    with line.database.reading() as session:
        known = head_now(session, "mill-1", "head-1")
    assert known is not None
    return known


def change(line: Line, pocket: int, minute: int) -> None:
    with line.database.transaction() as session:
        insert_changes.record(session, "mill-1", "head-1", pocket, by="ana", at=T0 + timedelta(minutes=minute))


def test_of_each_pocket_what_its_newest_photograph_shows(line) -> None:
    counted = {"insert_designation": "SEKN 1203 AFTN", "operations_on_edge": 5, "check_size": 5}
    line.see(1, 0, "intact", **counted)
    broken = line.capture(2, 0, check_size=5)
    line.see(3, 0, "unsure", check_size=5)
    line.say(line.see(4, 0, "intact", check_size=5), "worn")
    with line.database.transaction() as session:
        captures.record(session, broken, T0)
        verdicts.record(session, line.verdict(broken.capture_id, "damaged", label="broken"))
        life = RemainingLife("mill-1", "head-1", 1, 3, 9, T0, CURVE, CURVE)
        remaining_lives.store(session, LifeFit(T0 + timedelta(hours=3), 30, 12, 10, CURVE), [life], [])
    known = now(line)
    assert known.at == T0 + timedelta(hours=3)
    assert known.inserts == [
        InsertNow(1, "intact", None, "SEKN 1203 AFTN", 5, life.at(5)),
        InsertNow(2, "damaged", "broken"),
        InsertNow(3, "unsure"),
        InsertNow(4, "damaged", "worn"),
        InsertNow(5, "empty"),
    ]


def test_where_the_line_does_not_count_the_fit_did_as_far_as_it_went(line) -> None:
    seen = line.see(1, 0, "intact", check_size=1)
    life = RemainingLife("mill-1", "head-1", 1, 3, 9, seen.captured_at, CURVE, CURVE)
    with line.database.transaction() as session:
        remaining_lives.store(session, LifeFit(T0, 30, 12, 10, CURVE), [life], [])
    assert now(line).inserts == [InsertNow(1, "intact", None, None, 3, life)]
    line.see(1, 25, "intact", check_size=1, check_id=uuid6.uuid7())
    assert now(line).inserts == [InsertNow(1, "intact")]


def test_a_changed_insert_is_new_until_the_head_works_again(line) -> None:
    line.see(1, 0, "damaged")
    line.see(2, 0, "intact", operations_on_edge=4)
    change(line, 1, 5)
    change(line, 2, 5)
    assert now(line).inserts == [InsertNow(1, "new", operations=0), InsertNow(2, "new", operations=0)]
    # The next operation's check has no photograph of pocket 1: its insert was used, and nobody has seen it.
    line.see(2, 25, "intact", check_id=uuid6.uuid7(), operations_on_edge=1)
    assert now(line).inserts == [InsertNow(1, "missing"), InsertNow(2, "intact", operations=1)]


def test_of_an_insert_that_was_new_before_a_restore_nobody_knows_whether_it_has_worked(line) -> None:
    line.see(1, 0, "damaged", insert_designation="SNMG120408")
    change(line, 1, 25)
    assert now(line).inserts[0] == InsertNow(1, "new", operations=0)
    with line.database.transaction() as session:
        restores.record(session, at=T0 + timedelta(minutes=30), file="a.sqlite", made_at=T0.isoformat())
    assert now(line).inserts[0] == InsertNow(1, "missing")
    line.see(1, 35, "damaged", check_id=uuid6.uuid7())
    change(line, 1, 40)
    assert now(line).inserts[0] == InsertNow(1, "new", operations=0)


def test_a_pocket_that_the_last_check_misses_shows_nothing_but_damage(line) -> None:
    for pocket, outcome in ((1, "intact"), (2, "intact"), (3, "damaged")):
        line.see(pocket, 0, outcome, check_size=3, insert_designation="SNMG120408", operations_on_edge=4)
    line.see(1, 25, "intact", check_size=3, check_id=uuid6.uuid7())
    with line.database.transaction() as session:
        incomplete_checks.give_up(session, incomplete_checks.awaited(session))
    assert now(line).inserts == [
        InsertNow(1, "intact"),
        InsertNow(2, "missing", designation="SNMG120408"),
        InsertNow(3, "damaged", designation="SNMG120408", operations=4),
    ]


def test_nothing_is_known_of_a_head_that_was_never_seen(line) -> None:
    line.see(1, 0, "intact", machine="imported")
    with line.database.reading() as session:
        assert head_now(session, "mill-1", "head-1") is None
        assert head_now(session, "imported", "head-1") is None


def test_the_command_writes_a_document_for_each_head(line, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    line.see(1, 0, "damaged", check_size=1)
    line.see(1, 0, "intact", check_size=1, machine="Fräse 3", head="H7", check_id=uuid6.uuid7())

    def run(*arguments: object):
        return invoke(main, "--database", line.database.url, "mtconnect", *arguments)

    files = json.loads(run(tmp_path, "--json").stdout)
    assert {(row["machine"], row["head"]) for row in files} == {("mill-1", "head-1"), ("Fräse 3", "H7")}
    (file,) = tmp_path.glob("mill-1/*")
    assert file.name == "head-1.xml"
    assert str(file) in {row["file"] for row in files}
    assert [path.name for path in tmp_path.glob("*/.*")] == []
    tool = ElementTree.fromstring(file.read_bytes())  # noqa: S314 - our own
    (status,) = {element.text for element in tool.iter() if element.tag.endswith("}Status")}
    assert status == "EXPIRED"
    assert "nothing is known of machine mill-9" in run(tmp_path, "--machine", "mill-9").stderr
    assert run(tmp_path, "--machine", "mill-1").stdout == f"1 head in {tmp_path}\n"

    (register := tmp_path / "heads.toml").write_text("[heads.H7]\npockets = 3\n", encoding="utf-8")
    monkeypatch.setenv("INSERTS_HEADS", str(register))
    printed = run("-", "--machine", "Fräse 3", "--head", "H7")
    assert printed.stdout.count("<CuttingItem ") == printed.stdout.count(">UNKNOWN<") == 3, "two pockets, so the head"
    root = ElementTree.fromstring(printed.stdout)  # noqa: S314 - our own
    assert root.tag == "{urn:mtconnect.org:MTConnectAssets:2.0}MTConnectAssets"
    for wrong, reason in (
        (["-"], "name its head with --machine"),
        (["-", "--machine", "mill-1", "--head", "H7"], "nothing is known of machine mill-1, head H7"),
        ([tmp_path / "nowhere"], "there is no such folder"),
        (["-", "--json"], "stdout holds the document"),
    ):
        done = run(*wrong)
        assert done.exit_code == 2
        assert reason in " ".join(done.output.split())
