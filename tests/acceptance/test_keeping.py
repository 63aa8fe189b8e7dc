"""`insert-db prune`, `backup`, `restore` and `downgrade` as they are typed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
import uuid6
from sqlalchemy import insert, select

from db.engine import schema_version
from db.engine.database import Database
from db.learning import reviews
from db.line import captures, verdicts
from db.line.captures import Capture
from db.line.verdicts import Verdict
from db.schema.tables import Captures, Checks, Pockets, Verdicts
from tests.database_support import new_sqlite
from tests.forked_commands import run_command, start_command
from tests.support import program, wait_until

NOW = datetime.now(UTC)
PER_CHECK = 30
CHECKS = 60


def environment(data: Path) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("INSERTS_")}
    return clean | {"PYTHONUTF8": "1", "INSERTS_DATA": str(data)}


def insert_db(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_command("insert-db", *arguments, environment=environment(data))


def answer(data: Path, *arguments: str) -> Any:
    done = insert_db(data, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class Shop:
    """A line's folder with a history: so many checks of thirty intact inserts, 100 days old, and one of today."""

    def __init__(self, data: Path, checks: int) -> None:
        self.data = data
        self.images = data / "images" / "st-1"
        self.images.mkdir(parents=True)
        self.url = new_sqlite(data / "inserts.db")
        self.database = Database(self.url)
        for number in range(checks):
            self.fill(NOW - timedelta(days=100, seconds=-number))
        self.today = self.fill(NOW - timedelta(minutes=1))
        newest = [
            {name: getattr(each, name) for name in ("machine", "head", "pocket", "capture_id")}
            | {"ordered_at": each.captured_at}
            for each in self.today
        ]
        with self.database.transaction() as session:
            session.execute(insert(Pockets), newest)

    def fill(self, at: datetime) -> list[Capture]:
        check_id = uuid6.uuid7()
        found = [self.capture(at, check_id, pocket) for pocket in range(1, PER_CHECK + 1)]
        for each in found:
            (self.data / "images" / each.image).write_bytes(b"jpeg")
        told = [
            {"capture_id": each.capture_id, "outcome": "intact", "judged_at": at, "current": True} for each in found
        ]
        check = {"station": "st-1", "machine": "mill-1", "head": "head-1", "operation": "op-1", "size": PER_CHECK}
        with self.database.transaction() as session:
            session.execute(insert(Checks), [{**check, "check_id": check_id, "started_at": at}])
            session.execute(
                insert(Captures),
                [{**asdict(each), "received_at": at, "ordered_at": at, "outcome": "intact"} for each in found],
            )
            session.execute(insert(Verdicts), told)
        return found

    def capture(self, at: datetime, check_id: Any, pocket: int, head: str = "head-1") -> Capture:
        capture_id = uuid6.uuid7()
        image = f"st-1/{capture_id}.jpg"
        return Capture(
            capture_id, at, "st-1", "mill-1", head, pocket, "op-1", check_id, PER_CHECK, image, "a" * 64
        )  # fmt: skip

    def files(self) -> set[str]:
        return {f"st-1/{each.name}" for each in self.images.iterdir()}

    def keys(self, before: datetime = NOW + timedelta(days=1)) -> set[str]:
        """What rows say that there is, of captures from before a moment."""
        with self.database.reading() as session:
            images = session.scalars(select(Captures.image).where(Captures.captured_at < before))
            return {image for image in images if not image.startswith("-")}


def test_a_backup_folder_that_is_missing_does_not_become_a_file(tmp_path: Path) -> None:
    missing = insert_db(tmp_path, "backup", str(tmp_path / "unmounted"))
    assert (missing.returncode, f"there is no folder {tmp_path / 'unmounted'}" in missing.stderr) == (2, True)
    assert not (tmp_path / "unmounted").exists()


def test_help_says_what_is_kept(tmp_path: Path) -> None:
    from db.retention.policy import DAYS_OF_FAULTS, DAYS_OF_IMAGES, DAYS_OF_SHADOWS, DAYS_OF_VERDICTS

    said = " ".join(insert_db(tmp_path, "prune", "--help").stdout.split())
    assert DAYS_OF_IMAGES == {"intact": 90, "unusable": 90, "damaged": 365, "unsure": 365}
    assert (DAYS_OF_VERDICTS, DAYS_OF_SHADOWS, DAYS_OF_FAULTS) == (3 * 365, 180, 365)
    for words in ("intact and unusable after 90 days, damaged and unsure after 365", "after 3 years", "after 180 days",
                  "after a year", "insert-db prune --dry-run"):  # fmt: skip
        assert words in said
    assert "the models (DATA/models" in insert_db(tmp_path, "backup", "--help").stdout
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_says_what_would_go_and_changes_nothing(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "line", checks=2)
    with shop.database.transaction() as session:
        old = session.scalar(select(Captures.capture_id).order_by(Captures.captured_at).limit(1))
        reviews.add(session, capture_id=old, label="worn", by="ana", at=NOW)
    before = shop.files(), shop.keys()
    found = answer(shop.data, "prune", "--dry-run")
    assert found == {
        "images": {"intact": 59},
        "image_bytes": 59 * 4,
        "spared_images": 1,
        "checks": 0,
        "captures": 0,
        "verdicts": 0,
        "shadow_verdicts": 0,
        "faults": 0,
    }
    said = insert_db(shop.data, "prune", "--dry-run").stdout
    assert "photographs to go: 59 (59 intact), about 236 bytes" in said
    assert "as old, but needed: 1" in said

    refused = insert_db(shop.data, "prune", "--json")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--yes" in refused.stderr
    wrong = insert_db(shop.data, "prune", "--yes", "--images-older-than", "2999-01-01")
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)
    assert (shop.files(), shop.keys()) == before

    gone = answer(shop.data, "prune", "--yes", "--vacuum")
    assert (gone["images"], gone["missing_images"], gone["refused_images"]) == (59, 0, [])
    assert gone["free_bytes"] == 0
    assert shop.files() == shop.keys() == before[0] & {each.image for each in shop.today} | shop.keys()
    assert len(shop.files()) == PER_CHECK + 1


def test_it_may_be_killed_at_any_moment_while_the_line_goes_on(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "line", checks=CHECKS)
    stop, waited = Event(), [0.0]
    check_id = uuid6.uuid7()

    def work() -> None:
        pocket = 0
        while not stop.wait(0.02):
            pocket += 1
            capture = shop.capture(datetime.now(UTC), check_id, pocket, head="head-2")
            (shop.data / "images" / capture.image).write_bytes(b"jpeg")
            begun = time.monotonic()
            with shop.database.transaction() as session:
                captures.record(session, capture, NOW)
                verdicts.record(session, Verdict(capture.capture_id, None, "intact", None, None, 0.5, NOW))
            waited.append(time.monotonic() - begun)

    line = Thread(target=work)
    line.start()
    command = ["prune", "--yes", "--verdicts-older-than", "90d", "--images-older-than", "90d"]
    old = NOW - timedelta(days=1)
    before = len(shop.keys(old))
    try:
        run = start_command(
            "insert-db", *command, environment=environment(shop.data), log=shop.data.with_suffix(".log")
        )
        wait_until(lambda: len(shop.keys(old)) < before - 200, what="some of it is gone")
        run.kill()
        assert run.wait(30) == -signal.SIGKILL
        left = shop.keys(old)
        assert len(left) > 0, "it was killed in the middle"
        assert left <= shop.files(), "no row claims a photograph that is not there"
        gone = answer(shop.data, *command)
        assert gone["checks"] == CHECKS
    finally:
        stop.set()
        line.join(30)
    assert shop.keys() == shop.files(), "no photograph is left that nobody knows of"
    assert shop.keys(old) == set()
    assert {each.image for each in shop.today} <= shop.files()
    assert len(waited) > 10, "the line went on"
    assert max(waited) < 10, "and was not held up"


def test_a_terminal_is_asked(tmp_path: Path) -> None:
    pty = pytest.importorskip("pty")
    shop = Shop(tmp_path / "line", checks=1)
    for said, code, left in ((b"n\n", 1, 2 * PER_CHECK), (b"y\n", 0, PER_CHECK)):
        master, slave = pty.openpty()
        run = subprocess.Popen(
            [program("insert-db"), "prune"],
            env=environment(shop.data),
            stdin=slave,
            stdout=subprocess.PIPE,
            stderr=slave,
        )
        os.write(master, said)
        assert b"photographs to go: 30 (30 intact)" in run.communicate(timeout=60)[0]
        os.close(slave)
        os.close(master)
        assert (run.returncode, len(shop.files())) == (code, left)


def test_backup_restore_and_back_to_an_older_schema(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "line", checks=1)
    backups = tmp_path / "backups"
    backups.mkdir()
    made = answer(shop.data, "backup", str(backups))
    assert (made["engine"], made["rows"]["captures"]) == ("sqlite", 2 * PER_CHECK)
    assert Path(made["file"]).parent == backups

    refused = insert_db(shop.data, "restore", str(backups))
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "is not empty (2 checks, 60 captures, 60 verdicts): --replace" in refused.stderr

    other = tmp_path / "other"
    said = insert_db(other, "restore", str(backups))
    assert said.returncode == 0, said.stderr
    assert "is restored: schema" in said.stdout
    assert "check every head anew before it runs" in said.stdout
    assert "insert-db upgrade" not in said.stdout
    assert len(answer(other, "verdicts", "--limit", "100")) == 2 * PER_CHECK

    down = insert_db(other, "downgrade", "0001", "--yes")
    assert down.returncode == 0, down.stderr
    assert "going below schema 0002 loses: reviews, snapshots" in down.stdout
    assert "now has schema 0001" in down.stdout

    old = answer(other, "backup", str(tmp_path / "old.sqlite"))
    third = tmp_path / "third"
    again = insert_db(third, "restore", old["file"])
    assert "insert-db upgrade`, this version has" in again.stdout
    assert answer(third, "upgrade")["after"] == schema_version.head()
    assert len(answer(third, "verdicts", "--limit", "100")) == 2 * PER_CHECK
