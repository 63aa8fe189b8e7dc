"""`insert-db` as it is typed: a real process, its exit code, its stdout and its stderr."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sysconfig
from datetime import UTC, datetime
from pathlib import Path

import uuid6

from db.engine.database import Database
from db.engine.url import sqlite_url
from db.line import captures, verdicts
from db.line.captures import Capture
from db.line.verdicts import Verdict
from tests.forked_commands import run_command

NOW = datetime.now(UTC)
COMMAND = Path(sysconfig.get_path("scripts")) / ("insert-db.exe" if os.name == "nt" else "insert-db")


def insert_db(*arguments: str, cwd: Path, typed: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder, with none of this process's own settings, and type something into it."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("INSERTS_")}
    return run_command("insert-db", *arguments, cwd=cwd, typed=typed, environment=clean | environment)


def test_help_teaches(tmp_path: Path) -> None:
    done = insert_db("--help", cwd=tmp_path)
    assert done.returncode == 0
    for command in ("upgrade", "verdicts", "checks", "replace", "history", "review", "faults", "models", "export"):
        assert command in done.stdout
    assert "insert-db verdicts --outcome damaged --since 2h" in insert_db("verdicts", "--help", cwd=tmp_path).stdout
    assert list(tmp_path.iterdir()) == []


def test_without_a_database_it_says_what_to_do_and_makes_none(tmp_path: Path) -> None:
    done = insert_db("verdicts", "--json", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("insert-db: there is no database at")
    assert "insert-db upgrade` makes one" in done.stderr
    assert done.stderr.count("\n") == 1, "one line, no traceback"
    assert list(tmp_path.iterdir()) == []


def test_what_it_says_to_run_can_be_copied_and_works(tmp_path: Path) -> None:
    def said(message: str) -> str:
        """The first command in backticks of a message."""
        return message.split("`")[1]

    def copied(command: str) -> int:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("INSERTS_")}
        return subprocess.run(command, shell=True, cwd=tmp_path, env=clean, check=False).returncode  # noqa: S602

    refused = insert_db("--data", "our line", "users", "list", cwd=tmp_path)
    assert copied(said(refused.stderr)) == 0
    nobody = insert_db("--data", "our line", "users", "list", cwd=tmp_path)
    (tmp_path / "password").write_text("a password of the tests", encoding="utf-8")
    assert copied(said(nobody.stdout).replace("NAME", "ana") + " --password-file password") == 0
    assert "ana" in insert_db("--data", "our line", "users", "list", cwd=tmp_path).stdout


def test_from_an_empty_folder_to_answers(tmp_path: Path) -> None:
    assert insert_db("--data", "a line/data", "upgrade", cwd=tmp_path).returncode == 0
    file = tmp_path / "a line" / "data" / "inserts.db"
    assert file.exists()

    check_id = uuid6.uuid7()
    database = Database(sqlite_url(file))
    with database.transaction() as session:
        for pocket, outcome in ((1, "intact"), (2, "damaged")):
            capture = Capture(
                capture_id=uuid6.uuid7(),
                captured_at=NOW,
                station="st-1",
                machine="mill-1",
                head="head-1",
                pocket=pocket,
                operation="op-10",
                check_id=check_id,
                check_size=2,
                image="a.png",
                image_sha256=f"{pocket:064x}",
            )
            captures.record(session, capture, NOW)
            verdicts.record(session, Verdict(capture.capture_id, None, outcome, None, None, -0.5, NOW, 0.2))
    database.close()

    done = insert_db("checks", "--json", cwd=tmp_path, INSERTS_DATA="a line/data")
    [check] = json.loads(done.stdout)
    assert (check["check_id"], check["state"], check["replace"]) == (str(check_id), "replace", [2])
    shown = insert_db("--data", "a line/data", "verdicts", "--since", "1h", cwd=tmp_path)
    assert "damaged" in shown.stdout
    assert "\x1b" not in shown.stdout, "no colours where there is no terminal"
    piped = insert_db("--data", "a line/data", "export", "-", cwd=tmp_path)
    assert sorted(row["pocket"] for row in csv.DictReader(io.StringIO(piped.stdout))) == ["1", "2"]

    queue = json.loads(insert_db("--data", "a line/data", "review", "--json", cwd=tmp_path).stdout)
    assert [each["why"] for each in queue] == ["near the threshold"] * 2
    walked = insert_db("--data", "a line/data", "review", "--by", "ana", cwd=tmp_path, typed="w flank\ni\n")
    assert "2 reviews by ana" in walked.stdout
    assert "a line/data/images/a.png" in walked.stdout.replace("\\", "/")
    said = json.loads(insert_db("--data", "a line/data", "reviews", "--json", cwd=tmp_path).stdout)
    assert [(each["label"], each["note"]) for each in said] == [("intact", None), ("worn", "flank")]

    # A reader that has seen enough, as `| head` has.
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed:
        left = subprocess.run(
            [str(COMMAND), "--data", "a line/data", "export", "-"],
            cwd=tmp_path,
            stdout=closed,
            stderr=subprocess.PIPE,
            timeout=120,
        )
    assert (left.returncode, left.stderr) == (141, b"")
