import os
import sqlite3
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from pathlib import Path
from threading import Barrier, Event, Thread, Timer

import psycopg
import pytest
from sqlalchemy import exc, select, text

from db.engine import database as subject
from db.engine import engines, migrate, write_ahead_log
from db.engine.database import Database, DatabaseUnavailable
from db.engine.engines import make_engine
from db.engine.sqlite_read_only import wal_of
from db.engine.url import sqlite_file, sqlite_url
from db.line import captures
from db.line.captures import Arrival
from db.schema.tables import Captures
from tests.integration.db.conftest import Line
from tests.support import wait_until


def test_an_error_rolls_everything_back(line, start) -> None:
    capture = line.capture()

    def in_the_middle() -> None:
        with line.database.transaction() as session:
            captures.record(session, capture, start)
            raise KeyError("in the middle")

    with pytest.raises(KeyError):
        in_the_middle()
    with line.database.reading() as session:
        assert captures.find(session, capture.capture_id) is None


def test_a_reading_cannot_write(line, start) -> None:
    with line.database.reading() as session, pytest.raises(exc.DBAPIError, match=r"read.?only"):
        captures.record(session, line.capture(), start)
    line.see()


def test_a_reading_sees_one_moment(line) -> None:
    line.see(1)
    with line.database.reading() as session:
        assert len(session.execute(select(Captures.capture_id)).all()) == 1
        line.see(2)
        assert len(session.execute(select(Captures.capture_id)).all()) == 1
    with line.database.reading() as session:
        assert len(session.execute(select(Captures.capture_id)).all()) == 2


def test_a_writer_does_not_hold_up_a_reader(line, start) -> None:
    with line.database.transaction() as session:
        captures.record(session, line.capture(), start)
        with line.database.reading() as other:
            assert other.execute(select(Captures.capture_id)).all() == []


def test_foreign_keys_hold(line, start) -> None:
    with pytest.raises(exc.IntegrityError), line.database.transaction() as session:
        session.add(Captures(**vars(line.capture()), received_at=start))


def test_a_database_may_be_used_again_after_it_was_closed(line) -> None:
    line.database.close()
    capture = line.see()
    with line.database.reading() as session:
        assert session.scalars(select(Captures.capture_id)).all() == [capture.capture_id]


def test_a_connection_that_was_cut_is_replaced(postgresql_url) -> None:
    database = Database(postgresql_url)

    def cut() -> None:
        with database.reading() as session:
            own = session.scalar(text("SELECT pg_backend_pid()"))
            with psycopg.connect(postgresql_url.replace("+psycopg", "")) as other:
                other.execute("SELECT pg_terminate_backend(%s, 5000)", [own])
            session.execute(text("SELECT 1"))

    with pytest.raises(DatabaseUnavailable):
        cut()
    with database.reading() as session:
        assert session.scalar(text("SELECT 1")) == 1
    database.close()


def test_a_server_that_is_not_there_is_unavailable(tmp_path) -> None:
    database = Database(f"postgresql://nobody@/none?host={tmp_path}")
    with pytest.raises(DatabaseUnavailable), database.reading():
        pass


def test_a_sqlite_file_is_durable_and_shared(sqlite_url) -> None:
    database = Database(sqlite_url)
    with database.transaction() as session:
        found = {
            name: session.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "wal_autocheckpoint")
        }
    expected = {"journal_mode": "wal", "synchronous": 1, "foreign_keys": 1, "busy_timeout": 30_000}
    assert found == expected | {"wal_autocheckpoint": 4000}
    database.close()


def test_a_sqlite_file_that_is_missing_is_not_made(tmp_path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'none.db'}")
    with pytest.raises(DatabaseUnavailable, match="unable to open"), database.transaction():
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="only Linux says which files a process has open")
def test_what_a_statement_would_take_back_is_no_file(sqlite_url, start) -> None:
    """One in /var/tmp for every message: made, written and deleted on a disk that may be full or read-only."""
    database = Database(sqlite_url)
    of_a_check = Line(database)
    with database.transaction() as session:
        for _ in range(5):  # each touches more pages than SQLite keeps in memory by itself
            arrivals = [Arrival(of_a_check.capture(pocket, check_size=60), start) for pocket in range(1, 61)]
            captures.arrive(session, arrivals)
        opened = [str(file.readlink()) for file in Path("/proc/self/fd").iterdir() if file.is_symlink()]
    database.close()
    assert any(file.endswith(".db") for file in opened)
    assert not [file for file in opened if "etilqs" in file]


def test_a_locked_sqlite_file_is_unavailable_in_the_end(sqlite_url, monkeypatch) -> None:
    monkeypatch.setattr(engines, "WAIT_SECONDS", 0.2)
    database = Database(sqlite_url)
    with closing(sqlite3.connect(sqlite_file(sqlite_url), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseUnavailable, match="locked"), database.transaction():
            pass
        other.execute("ROLLBACK")
    with database.transaction() as session:
        assert session.scalar(text("SELECT 1")) == 1
    database.close()


def test_a_sqlite_file_is_written_as_soon_as_another_process_has_finished(sqlite_url) -> None:
    database = Database(sqlite_url)
    with database.transaction():  # the connection is there
        pass
    waited = []
    for _ in range(5):
        with closing(sqlite3.connect(sqlite_file(sqlite_url), isolation_level=None, check_same_thread=False)) as other:
            other.execute("BEGIN IMMEDIATE")
            ended: list[float] = []

            def finish(other=other, ended=ended) -> None:
                other.execute("COMMIT")
                ended.append(time.monotonic())

            timer = Timer(0.14, finish)
            timer.start()
            with database.transaction():
                begun = time.monotonic()
            timer.join()
            waited.append(begun - ended[0])
    assert statistics.median(waited) < 0.03  # SQLite itself would look after 128 ms, and then after 178
    database.close()


def test_a_thread_that_keeps_writing_does_not_block_the_others_forever(sqlite_url, monkeypatch) -> None:
    monkeypatch.setattr(subject, "WAIT_SECONDS", 0.2)
    database = Database(sqlite_url)
    writing, done = Event(), Event()

    def hold() -> None:
        with database.transaction():
            writing.set()
            done.wait(30)

    thread = Thread(target=hold)
    thread.start()
    assert writing.wait(30)
    with pytest.raises(DatabaseUnavailable, match="another thread"), database.transaction():
        pass
    done.set()
    thread.join(30)
    with database.transaction():
        pass
    database.close()


def test_a_file_that_is_no_database_is_unavailable(tmp_path) -> None:
    file = tmp_path / "inserts.db"
    file.write_bytes(b"this is no database, and much longer than the header of one" * 100)
    with pytest.raises(DatabaseUnavailable), Database(f"sqlite:///{file}").reading():
        pass


def test_only_a_transaction_that_is_synced_waits_for_the_disk(postgresql_url) -> None:
    database = Database(postgresql_url)
    for synced in (True, False, True):
        with database.transaction(synced=synced) as session:
            assert (session.scalar(text("SHOW synchronous_commit")) == "on") is synced
    database.close()


@pytest.mark.parametrize("linked", [False, True], ids=["by its name", "by a link"])
def test_sqlite_waits_for_the_disk_after_the_commit_and_without_its_lock(tmp_path, monkeypatch, linked) -> None:
    file, link = tmp_path / "file" / "inserts.db", tmp_path / "link.db"
    file.parent.mkdir()
    make_engine(sqlite_url(file), create=True).connect().close()
    link.symlink_to(file)
    database, beside = (Database(sqlite_url(link if linked else file)) for _ in range(2))
    fdatasync, synced = os.fdatasync, list[list[int]]()

    def sync(descriptor: int) -> None:
        assert Path(f"/proc/self/fd/{descriptor}").readlink() == wal_of(file)
        with beside.transaction(synced=False) as session:  # the lock is free
            synced.append(list(session.scalars(text("SELECT number FROM written"))))
        fdatasync(descriptor)

    monkeypatch.setattr(write_ahead_log, "_SYNC", sync)
    with database.transaction(synced=False) as session:
        session.execute(text("CREATE TABLE written (number INTEGER)"))
    for number in (1, 2):
        with database.transaction(synced=number == 2) as session:
            session.execute(text("INSERT INTO written VALUES (:number)"), {"number": number})
    assert synced == [[1, 2]], "once, when both were committed"
    with pytest.raises(ZeroDivisionError), database.transaction():
        _ = 1 / 0
    assert len(synced) == 1, "nothing was committed"

    def fail(_: int) -> None:
        raise OSError("broken")

    monkeypatch.setattr(write_ahead_log, "_SYNC", fail)
    with pytest.raises(DatabaseUnavailable, match=r"does not take.*broken"), database.transaction():
        pass
    database.close()
    beside.close()


def test_many_threads_share_few_connections(postgresql_url) -> None:
    """As 32 threads of a worker that all have something to keep: none fails, and the bound holds on the server."""
    database = Database(postgresql_url)
    most, begun, enough = 0, Barrier(33), Event()

    def work(number: int) -> int:
        begun.wait(30)
        for _ in range(10):
            scope = database.transaction() if number % 2 else database.reading()
            with scope as session:
                session.execute(text("SELECT pg_sleep(0.002)"))
        return number

    with (
        psycopg.connect(postgresql_url.replace("+psycopg", ""), autocommit=True, application_name="watch") as watch,
        ThreadPoolExecutor(32) as pool,
    ):
        done = [pool.submit(work, number) for number in range(32)]
        begun.wait(30)
        while not enough.is_set():
            query = (
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid != pg_backend_pid()"
            )
            most = max(most, watch.execute(query).fetchone()[0])
            if all(each.done() for each in done):
                enough.set()
    assert sorted(each.result() for each in done) == list(range(32))
    assert most == subject.CONNECTIONS
    database.close()


def test_who_finds_no_connection_in_time_is_told_so(database_url, monkeypatch) -> None:
    monkeypatch.setattr(subject, "WAIT_SECONDS", 0.2)
    monkeypatch.setattr(engines, "WAIT_SECONDS", 0.2)
    database = Database(database_url, connections=1)
    with (
        database.reading(),
        pytest.raises(DatabaseUnavailable, match=r"all connections .* have been in use for 0\.2 seconds"),
        database.reading(),
    ):
        pass
    with database.reading() as session:
        assert session.scalar(text("SELECT 1")) == 1
    database.close()


@pytest.mark.parametrize(
    ("setting", "on", "off"),
    [("default_transaction_read_only", "on", "off"), ("statement_timeout", "1", "0")],
    ids=["a server after a failover", "a statement that was cancelled"],
)
def test_a_postgresql_that_refuses_for_now_is_away(postgresql_url, setting, on, off) -> None:
    database = Database(postgresql_url)
    with database.transaction() as session:
        name = session.scalar(text("SELECT current_database()"))
    for value, refuses in ((on, True), (off, False)):
        admin = Database(postgresql_url.replace(f"/{name}?", "/postgres?"))
        with admin.transaction() as session:
            session.execute(text(f"ALTER DATABASE {name} SET {setting} = '{value}'"))
        admin.close()
        database.close()  # what is set for a database holds for new connections
        with pytest.raises(DatabaseUnavailable) if refuses else nullcontext(), database.transaction() as session:
            session.execute(text("CREATE TABLE made AS SELECT 1 AS one FROM pg_sleep(0.05)"))
    database.close()


def test_a_postgresql_that_ends_idle_transactions_is_away(postgresql_url) -> None:
    database, other = Database(postgresql_url), Database(postgresql_url)

    def there(process: int) -> bool:
        with other.reading() as session:
            asked = text("SELECT count(*) FROM pg_stat_activity WHERE pid = :pid")
            return bool(session.scalar(asked, {"pid": process}))

    def stand_idle() -> None:
        with database.transaction() as session:
            session.execute(text("SET LOCAL idle_in_transaction_session_timeout = '50ms'"))
            process = session.scalar(text("SELECT pg_backend_pid()"))
            wait_until(lambda: not there(process), what="the server's end of it")
            session.execute(text("SELECT 1"))

    with pytest.raises(DatabaseUnavailable):
        stand_idle()
    other.close()
    with database.transaction() as session:
        assert session.scalar(text("SELECT 1")) == 1
    database.close()


@pytest.mark.parametrize("what", ["moved", "deleted", "log deleted"])
def test_nothing_is_written_to_a_sqlite_file_that_is_not_in_its_place_any_more(empty_sqlite_url, what) -> None:
    """Its connections would go on with the one that they have open, and the station would be told of what is lost."""
    migrate.upgrade(empty_sqlite_url)
    file, database = sqlite_file(empty_sqlite_url), Database(empty_sqlite_url)
    names = [wal_of(file)] if what == "log deleted" else [file, wal_of(file), file.with_name(f"{file.name}-shm")]

    def write(*, losing: bool = False) -> None:
        with database.transaction() as session:
            session.execute(text("INSERT INTO leases (name, holder, until) VALUES (hex(randomblob(4)), 'x', 'y')"))
            for path in names if losing else ():
                path.rename(f"{path}.away") if what == "moved" else path.unlink()

    write()
    with database.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM leases")) == 1
    with pytest.raises(DatabaseUnavailable, match="moved, deleted or replaced"):
        write(losing=True)
    if what != "log deleted":
        for _ in range(2):
            with pytest.raises(DatabaseUnavailable, match="there is no database"):
                write()
        sqlite3.connect(file).close()
        with pytest.raises(DatabaseUnavailable, match="schema none"):
            write()
        migrate.upgrade(empty_sqlite_url)
    write()
    with database.reading() as session, closing(sqlite3.connect(file)) as another:
        count = "SELECT count(*) FROM leases"
        assert session.scalar(text(count)) == another.execute(count).fetchone()[0] >= 1
    database.close()


def test_a_postgresql_that_lacks_a_right_or_a_table_is_waited_for(postgresql_url) -> None:
    database = Database(postgresql_url)
    with database.transaction() as session:
        session.execute(text("CREATE TABLE secret (one int); DROP ROLE IF EXISTS nosy; CREATE ROLE nosy"))
    for statement, said in (
        ("SET LOCAL ROLE nosy; SELECT * FROM secret", "lacks that right"),
        ("SELECT * FROM gone", "tables are not"),
    ):
        with pytest.raises(DatabaseUnavailable, match=said), database.transaction() as session:
            session.execute(text(statement))
    database.close()
