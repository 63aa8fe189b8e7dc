"""`insert-db shadow` on both engines, within this process."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from db.commands.main import main
from db.learning import model_registry
from db.line import shadow_verdicts
from db.line.shadow_verdicts import ShadowVerdict
from tests.command_support import Done, invoke

pytestmark = pytest.mark.usefixtures("terminal")


@pytest.fixture
def beside(line, start):
    """The model m-2 in shadow: of three captures it says of two what the line said, and it is right about a third."""
    line.model("m-1")
    line.model("m-2")
    with line.database.transaction() as session:
        model_registry.promote(session, "m-1", by="trainer", reason="the first", at=start)
        model_registry.start_shadow(session, "m-2", by="trainer", reason="to compare", at=start)
    told = [("intact", "intact"), ("damaged", "damaged"), ("intact", "damaged")]
    captures = [line.see(pocket, pocket, outcome) for pocket, (outcome, _) in enumerate(told, 1)]
    with line.database.transaction() as session:
        for hour, (capture, (_, said)) in enumerate(zip(captures, told, strict=True)):
            at = start + timedelta(hours=hour)
            shadow_verdicts.record(session, [ShadowVerdict(capture.capture_id, "m-2", said, 0.5, 0.75, at)])
    line.say(captures[2], "worn")
    return line


def run(line, *arguments: object) -> Done:
    return invoke(main, "--database", line.database.url, "shadow", *arguments)


def shown(line, *arguments: object) -> str:
    done = run(line, *arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_how_the_shadow_does(beside) -> None:
    found = json.loads(shown(beside, "--json"))
    assert (found["model_id"], found["compared"], found["agreements"], found["reviewed"]) == ("m-2", 3, 2, 1)
    assert {"line": "intact", "shadow": "damaged", "count": 1} in found["outcomes"]
    assert (found["line"]["wrong"], found["shadow"]["right"]) == (1, 1)
    text = shown(beside)
    assert "m-2 beside the line" in text
    assert "3 captures, 2 alike, 1 not" in text
    assert "1 of them were reviewed" in text
    assert [line.split() for line in text.splitlines() if line.startswith(("line ", "shadow "))] == [
        ["line", "shadow", "captures"],
        ["line", "0", "1", "0"],
        ["shadow", "1", "0", "0"],
    ]


def test_of_a_time_and_of_an_earlier_shadow(beside, start) -> None:
    later = (start + timedelta(minutes=30)).isoformat()
    assert json.loads(shown(beside, "--since", later, "--json"))["compared"] == 2
    with beside.database.transaction() as session:
        model_registry.promote(session, "m-2", by="trainer", reason="better", at=start + timedelta(days=1))
    assert shown(beside) == "no model is in shadow\n"
    assert json.loads(shown(beside, "--json")) is None
    assert json.loads(shown(beside, "--model", "m-2", "--json"))["compared"] == 3
    assert shown(beside, "--model", "m-1") == "m-1 has judged nothing alongside the line\n"


def test_a_model_that_nobody_knows(beside) -> None:
    done = run(beside, "--model", "m-9")
    assert done.exit_code == 2
    assert "there is no model 'm-9'" in done.stderr


def test_without_tables_it_says_what_to_do(empty_database_url) -> None:
    done = invoke(main, "--database", empty_database_url, "shadow")
    assert done.exit_code == 2
    assert " upgrade`" in done.stderr
