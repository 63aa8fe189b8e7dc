"""`insert-db insert-changed` on both engines, within this process."""

from __future__ import annotations

import json

import pytest

from db.commands.main import main
from db.people import audit
from tests.command_support import Done, invoke

pytestmark = pytest.mark.usefixtures("terminal")


def run(line, *arguments: object) -> Done:
    return invoke(main, "--database", line.database.url, *arguments)


def test_a_change_takes_a_pocket_off_the_replace_list(line) -> None:
    line.see(1, 0, "damaged")
    assert len(json.loads(run(line, "replace", "--json").stdout)["items"]) == 1
    done = run(line, "insert-changed", "mill-1", "head-1", 1)
    assert (done.exit_code, done.stdout.strip()) == (
        0,
        "machine mill-1, head head-1, pocket 1 has another insert from now on",
    )
    assert json.loads(run(line, "replace", "--json").stdout)["items"] == []
    again = run(line, "insert-changed", "mill-1", "head-1", 1, "--by", "bert")
    assert again.stdout.strip().endswith("from now on, as was known")


def test_it_may_be_said_later(line) -> None:
    first, second = (line.see(1, minute, "intact") for minute in (0, 10))
    told = run(line, "insert-changed", "mill-1", "head-1", 1, "--first", second.capture_id, "--json")
    assert json.loads(told.stdout)["by"] == "ana"
    rows = json.loads(run(line, "history", "mill-1", "head-1", 1, "--json").stdout)
    assert [row["insert_changed_at"] is None for row in rows] == [False, True]
    assert rows[1]["capture_id"] == str(first.capture_id)


def test_it_stands_in_the_history_and_can_be_taken_back(line) -> None:
    photographs = [line.see(1, minute, "damaged") for minute in (0, 10)]
    place = ("mill-1", "head-1", 1)
    run(line, "insert-changed", *place, "--first", photographs[1].capture_id)
    run(line, "insert-changed", *place, "--by", "bert")
    told = run(line, "history", *place).stdout
    shown = told.splitlines()
    assert ["bert" in each for each in shown[1:]] == [True, False, False, False]
    assert [each for each in shown if "changed, says ana" in each] == [shown[3]]
    rows = json.loads(run(line, "history", *place, "--json").stdout)
    assert [row["insert_removed_at"] is None for row in rows] == [False, False]
    gone = run(line, "insert-changed", *place, "--undo")
    assert gone.stdout.startswith("machine mill-1, head head-1, pocket 1 keeps its insert: what bert said for ")
    assert run(line, "insert-changed", *place, "--undo", "--first", photographs[1].capture_id).exit_code == 0
    for again in ([], ["--first", photographs[1].capture_id]):
        refused = run(line, "insert-changed", *place, "--undo", *again)
        assert (refused.exit_code, "nobody said that the insert" in refused.stderr) == (2, True)
    with line.database.reading() as session:
        written = [(row.by, row.action) for row in audit.recent(session)]
    said, taken = ("terminal: ana", "insert changed"), ("terminal: ana", "insert change withdrawn")
    assert written == [taken, taken, said, said]


@pytest.mark.parametrize("pocket", [7, 0])
def test_what_is_no_pocket_is_refused(line, pocket) -> None:
    done = run(line, "insert-changed", "mill-1", "head-1", pocket)
    assert done.exit_code != 0
    assert "nothing is known of machine mill-1" in done.output or pocket == 0
