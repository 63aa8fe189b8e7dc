"""The commands of `insert-db` on both engines, within this process; tests/acceptance types them for real."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from db.commands.main import main
from db.engine import schema_version
from db.learning import model_registry
from db.line import faults, restores, verdicts
from db.line.restores import Replaced
from db.people import audit
from producer.contract.places import PocketPlace
from tests.command_support import Done, invoke

NOW = datetime.now(UTC).replace(microsecond=0)


pytestmark = pytest.mark.usefixtures("terminal")


@pytest.fixture
def filled(line) -> str:
    """The URL of a database with one check (pockets 1 intact, 2 damaged, 3 unsure, 4 a fault) and a model."""
    line.model("m-1")
    for pocket, outcome, reason in ((1, "intact", None), (2, "damaged", None), (3, "unsure", "=1+1")):
        capture = line.see(pocket, captured_at=NOW - timedelta(hours=pocket), check_size=4)
        judged = {"model_id": "m-1", "reason": reason, "decision": -0.5, "probability": 0.875}
        verdict = line.verdict(capture.capture_id, outcome, **judged)
        with line.database.transaction() as session:
            verdicts.record(session, verdict)
    with line.database.transaction() as session:
        model_registry.promote(session, "m-1", by="trainer", reason="the first", at=NOW)
        faults.record(
            session,
            capture_id=None,
            station="st-1",
            check_id=line.check_id,
            pocket=4,
            reason="invalid_event",
            detail="operation: missing",
            event="{}",
            at=NOW,
        )
    return line.database.url


def run(url: str, *arguments: object) -> Done:
    return invoke(main, "--database", url, *arguments)


def shown(url: str, *arguments: object) -> str:
    done = run(url, *arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


def answer(url: str, *arguments: object) -> Any:
    [line] = shown(url, *arguments, "--json").splitlines()  # as of every command
    return json.loads(line)


def still(option: str) -> str:
    """Minutes before `NOW` as minutes before this moment: a suite may have begun half an hour ago."""
    if not re.fullmatch(r"\d+m", option):
        return option
    return f"{int(option[:-1]) + round((datetime.now(UTC) - NOW).total_seconds() / 60)}m"


@pytest.mark.parametrize(
    ("filters", "pockets"),
    [
        ([], [1, 2, 3]),
        (["--outcome", "damaged", "--machine", "mill-1", "--station", "st-1"], [2]),
        (["--head", "head-1", "--pocket", "3", "--operation", "op-10"], [3]),
        (["--operation", "op-99"], []),
        (["--since", "150m"], [1, 2]),
        (["--since", (NOW - timedelta(hours=2)).isoformat()], [1, 2]),
        (["--until", (NOW - timedelta(hours=2)).isoformat()], [3]),
        (["--limit", "2"], [1, 2]),
    ],
)
def test_verdicts(filled, filters, pockets) -> None:
    assert [row["pocket"] for row in answer(filled, "verdicts", *map(still, filters))] == pockets


def test_a_verdict_as_json(filled, line) -> None:
    [row] = answer(filled, "verdicts", "--outcome", "damaged")
    assert row.pop("capture_id")
    assert row == {
        "captured_at": (NOW - timedelta(hours=2)).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "station": "st-1",
        "machine": "mill-1",
        "head": "head-1",
        "pocket": 2,
        "operation": "op-10",
        "check_id": str(line.check_id),
        "outcome": "damaged",
        "label": None,
        "reason": None,
        "decision": -0.5,
        "probability": 0.875,
        "model_id": "m-1",
        "judged_at": "2026-11-22T11:00:00.000Z",
        "seconds": 0.5,
        "insert_designation": None,
        "edge": None,
        "operations_on_edge": None,
        "image": "2026/11/22/a.png",
        "ordered_at": (NOW - timedelta(hours=2)).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        **dict.fromkeys(("wear_mean", "wear_p90", "wear_max", "wear_length", "pixels_per_mm")),
        "fault": None,
    }


def test_verdicts_in_a_terminal(filled) -> None:
    done = run(filled, "verdicts", "--limit", "2")
    assert "damaged" in done.stdout
    assert "unsure" not in done.stdout
    assert "there may be more: --limit" in done.stderr
    assert shown(filled, "verdicts", "--operation", "op-99") == "no verdict matches\n"


def test_a_table_is_as_wide_as_it_needs_where_there_is_no_terminal(filled, line, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    [heading, row] = shown(filled, "verdicts", "--outcome", "damaged").splitlines()
    assert heading.split()[-4:] == ["outcome", "decision", "damage", "model"], "no label and no reason in any row"
    assert row.split()[-4:] == ["damaged", "-0.5", "87.5%", "m-1"]
    assert "87.5%" in shown(filled, "history", "mill-1", "head-1", 2)


def test_checks(filled) -> None:
    [check] = answer(filled, "checks", "--machine", "mill-1", "--head", "head-1", "--station", "st-1", "--since", "1d")
    assert (check["state"], check["replace"], check["review"], check["judged"]) == ("replace", [2], [3, 4], 4)
    assert answer(filled, "checks", "--state", "go") == []
    assert "4/4" in shown(filled, "checks", "--state", "replace")


def test_replace(filled) -> None:
    listed = answer(filled, "replace", "--machine", "mill-1", "--head", "head-1")
    assert ([row["pocket"] for row in listed["items"]], listed["not_seen_since_restore"]) == ([2], [])
    assert "mill-1" in shown(filled, "replace")


def test_replace_tells_programs_too_what_was_not_photographed_since_a_restore(filled, line) -> None:
    with line.database.transaction() as session:
        before = Replaced(pockets=[PocketPlace("mill-1", "head-1", 9), PocketPlace("mill-1", "new", 1)])
        made_at, at = "2026-11-25T03:00:00Z", NOW + timedelta(hours=1)
        restores.record(session, at=at, file="inserts.dump", made_at=made_at, before=before)
    listed = answer(filled, "replace", "--head", "head-1")
    assert [row["pocket"] for row in listed["items"]] == [2]
    not_seen = [{"machine": "mill-1", "head": "head-1", "pocket": pocket} for pocket in (1, 2, 3, 9)]
    assert listed["not_seen_since_restore"] == not_seen
    listed = answer(filled, "replace", "--head", "new")
    assert (listed["items"], len(listed["not_seen_since_restore"])) == ([], 1), "of a head that nothing else knows"


def test_history(filled) -> None:
    [row] = answer(filled, "history", "mill-1", "head-1", 3)
    assert row["outcome"] == "unsure"
    assert "=1+1" in shown(filled, "history", "mill-1", "head-1", 3)


@pytest.mark.parametrize(
    ("typed", "unknown"),
    [
        ("replace --machine mil-1", "machine mil-1"),
        ("replace --head sim-haed --json", "head sim-haed"),
        ("history mill-1 head-1 9", "machine mill-1, head head-1, pocket 9"),
        ("checks --state replace --station st-9", "station st-9"),
        ("verdicts --outcome damaged --machine mill-1 --head head-2", "machine mill-1, head head-2"),
        ("export - --machine mil-1", "machine mil-1"),
        ("life --shift 8 --machine mil-1", "machine mil-1"),
        ("drift --station st-9", "station st-9"),
        ("mtconnect . --machine mil-1", "machine mil-1"),
    ],
)
def test_nothing_found_where_a_name_is_mistyped_is_no_good_news(filled, typed, unknown) -> None:
    done = run(filled, *typed.split())
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"nothing is known of {unknown}" in done.stderr


def test_nothing_found_where_the_names_are_right_is_an_answer(filled, line) -> None:
    line.see(1, machine="mill-2")
    assert shown(filled, "replace", "--machine", "mill-2", "--head", "head-1") == "no insert is known to be damaged\n"
    assert "no day was measured yet" in shown(filled, "drift", "--station", "st-1")


def test_faults(filled) -> None:
    [fault] = answer(filled, "faults", "list")
    assert (fault["reason"], fault["detail"], fault["pocket"], fault["count"]) == (
        "invalid_event",
        "operation: missing",
        4,
        1,
    )
    assert answer(filled, "faults", "list", "--state", "dismissed") == []
    assert answer(filled, "faults", "list", "--state", "all") == [fault]
    assert "operation: missing" in shown(filled, "faults", "list")


def test_a_fault_is_shown_requeued_and_dismissed(filled, line) -> None:
    [fault] = answer(filled, "faults", "list")
    number = str(fault["id"])
    assert answer(filled, "faults", "show", number) == fault
    assert fault["event"] in shown(filled, "faults", "show", number)
    assert answer(filled, "faults", "requeue", number)["state"] == "requeued"
    assert answer(filled, "faults", "list") == []
    with line.database.reading() as session:
        row = audit.recent(session, limit=1)[0]
    assert (row.by.partition(":")[0], row.action, row.subject) == ("terminal", "fault requeued", number)
    again = run(filled, "faults", "dismiss", number)
    assert again.exit_code == 2
    assert "is requeued, not open" in again.stderr
    missing = run(filled, "faults", "show", "99")
    assert missing.exit_code == 2
    assert "there is no fault 99" in missing.stderr


def test_models(filled) -> None:
    found = answer(filled, "models")
    assert found["champion"] == "m-1"
    assert [model["model_id"] for model in found["models"]] == ["m-1"]
    assert [each["reason"] for each in found["promotions"]] == ["the first"]
    assert "★" in shown(filled, "models")


def test_which_model_was_in_charge_at_a_moment(filled, line) -> None:
    line.model("m-2")
    with line.database.transaction() as session:
        model_registry.promote(session, "m-2", by="trainer", reason="better", at=NOW + timedelta(hours=1))
        model_registry.start_shadow(session, "m-1", by="trainer", reason="to compare", at=NOW + timedelta(hours=1))
    found = answer(filled, "models", "--at", (NOW + timedelta(minutes=59)).isoformat())
    assert (found["champion"], found["shadow"]) == ("m-1", None)
    assert [model["model_id"] for model in found["models"]] == ["m-1"]
    assert [each["model_id"] for each in found["promotions"]] == ["m-1"]
    now = answer(filled, "models")
    assert (now["champion"], now["shadow"]) == ("m-2", "m-1")
    assert "m-1" in shown(filled, "models", "--at", NOW.isoformat())
    assert "no model was in charge then" in shown(filled, "models", "--at", "1d")


def test_a_database_with_nothing_in_it(database_url) -> None:
    nothing = {"items": [], "not_seen_since_restore": []}
    for command, said in ((["verdicts"], []), (["checks"], []), (["replace"], nothing), (["faults", "list"], [])):
        assert answer(database_url, *command) == said
        assert shown(database_url, *command).startswith("no ")
    assert answer(database_url, "models") == {"champion": None, "shadow": None, "models": [], "promotions": []}
    assert "until one is trained" in shown(database_url, "models")


def test_export(filled, tmp_path) -> None:
    assert answer(filled, "export", "all.csv") == {"file": "all.csv", "rows": 3}
    rows = list(csv.DictReader(io.StringIO((tmp_path / "all.csv").read_text(encoding="utf-8-sig"))))
    assert [row["pocket"] for row in rows] == ["1", "2", "3"]
    assert [row["reason"] for row in rows] == ["", "", "'=1+1"]
    assert rows[0]["decision"] == "-0.5"
    assert shown(filled, "export", "some.csv", "--outcome", "unsure") == "1 verdict in some.csv\n"
    piped = csv.DictReader(io.StringIO(shown(filled, "export", "-", "--since", still("90m"))))
    assert [row["pocket"] for row in piped] == ["1"]


def test_an_export_that_cannot_be_written(filled) -> None:
    done = run(filled, "export", "no/such/folder/x.csv")
    assert done.exit_code == 2
    assert "no/such/folder" in done.stderr
    assert run(filled, "export", "-", "--json").exit_code == 2


def test_upgrade(empty_database_url) -> None:
    first = answer(empty_database_url, "upgrade")
    assert (first["before"], first["after"]) == (None, schema_version.head())
    assert "is up to date" in shown(empty_database_url, "upgrade")
    assert answer(empty_database_url, "verdicts") == []


@pytest.mark.parametrize(
    "command",
    [
        ["verdicts"],
        ["checks"],
        ["replace"],
        ["history", "m", "h", "1"],
        ["faults", "list"],
        ["faults", "dismiss", "1"],
        ["review"],
        ["review", "--capture", "01a20479-d3d3-772a-b180-41bc8d360f57", "--label", "worn"],
        ["reviews"],
        ["models"],
        ["export", "x.csv"],
    ],
)
def test_without_tables_each_command_says_what_to_do(empty_database_url, tmp_path, command) -> None:
    done = run(empty_database_url, *command)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert " upgrade`" in done.stderr
    assert list(tmp_path.iterdir()) == [], "asking made a file"


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--database", "mysql://user:secret@host/name", "verdicts"], 2, "sqlite:///FILE"),
        (["--database", "postgresql://user:secret@localhost:1/name", "verdicts"], 2, "does not answer"),
        (["verdicts", "--since", "yesterday"], 2, "is no moment"),
        (["verdicts", "--outcome", "perhaps"], 2, "perhaps"),
        (["history", "m", "h", "0"], 2, "greater than or equal to 1"),
    ],
)
def test_what_was_asked_wrongly_is_explained(arguments, code, told) -> None:
    done = invoke(main, *arguments)
    assert done.exit_code == code
    assert done.stdout == ""
    assert told in " ".join(done.stderr.replace("│", " ").split())
    assert "secret" not in done.stderr


def test_an_option_outranks_the_environment(sqlite_url, tmp_path, monkeypatch) -> None:
    def found(*options: str) -> bool:
        return invoke(main, *options, "verdicts").exit_code == 0

    assert not found()
    monkeypatch.setenv("INSERTS_DATA", str(tmp_path))
    assert found()
    monkeypatch.setenv("INSERTS_DATABASE_URL", "sqlite:///nowhere.db")
    assert not found()
    assert found("--data", str(tmp_path))
    assert found("--database", sqlite_url)
