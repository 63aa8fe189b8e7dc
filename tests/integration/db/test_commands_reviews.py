"""`insert-db review` and `reviews` on both engines, within this process."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import pytest
import uuid6
from sqlalchemy import update

from db.commands.main import main
from db.learning.review_chances import drawn
from db.line import verdicts
from db.people import audit
from db.schema.tables import Verdicts
from producer.contract.reasons import stations
from tests.command_support import Done, invoke

pytestmark = pytest.mark.usefixtures("terminal")


@pytest.fixture
def three(line):
    """Three captures that nobody was sure about, the newest last."""
    return [line.see(pocket, pocket, "unsure", image=f"2026/{pocket}.jpg") for pocket in (1, 2, 3)]


def run(line, *arguments: object, typed: str = "") -> Done:
    return invoke(main, "--database", line.database.url, *arguments, typed=typed)


def shown(line, *arguments: object, typed: str = "") -> str:
    done = run(line, *arguments, typed=typed)
    assert done.exit_code == 0, done.output
    return done.stdout


def answer(line, *arguments: object) -> Any:
    return json.loads(shown(line, *arguments, "--json"))


def said(line) -> list[tuple[str, str, str, str | None]]:
    """Capture, label, person and note of each review, the first first."""
    found = answer(line, "reviews")[::-1]
    return [(each["capture_id"], each["label"], each["by"], each["note"]) for each in found]


def test_walking_the_queue(line, three) -> None:
    ids = [str(capture.capture_id) for capture in three]
    text = shown(line, "review", typed="w crater on the rake face\nx\ns\nI\n")
    assert said(line) == [(ids[2], "worn", "ana", "crater on the rake face"), (ids[0], "intact", "ana", None)]
    assert text.index(ids[2]) < text.index(ids[1]) < text.index(ids[0]), "the newest first"
    assert "machine mill-1, head head-1, pocket 3, after op-10" in text
    assert "var/line/images/2026/3.jpg" in text
    assert "2 reviews by ana" in text
    assert text.count("i intact · w worn · b broken · d damaged · u unusable") == 2, "again after what it cannot read"
    assert [each["row"]["capture_id"] for each in answer(line, "review")] == [ids[1]]


def test_a_sample_that_is_skipped_comes_again(line) -> None:
    sample = line.see(1, 1, "unusable")
    with line.database.transaction() as session:
        session.execute(update(Verdicts).values(id=next(number for number in count(1000) if drawn(number))))
    line.see(2, 2, "unsure")
    told = shown(line, "review", typed="i\ns\ns\nu\n")
    assert told.count("a sample is only put off") == 2
    assert "2 reviews by ana" in told
    assert said(line)[-1][:2] == (str(sample.capture_id), "unusable")


def test_damage_that_a_person_sees_behind_a_newer_photograph_is_to_be_replaced(line) -> None:
    earlier = str(line.see(1, 0, "unsure").capture_id)
    line.see(1, 10, "intact")
    assert "no insert is known to be damaged" in shown(line, "replace")
    shown(line, "review", "--capture", earlier, "--label", "broken")
    assert [row["capture_id"] for row in answer(line, "replace")["items"]] == [earlier]


@pytest.mark.parametrize("typed", ["d\nq\n", "d\n", "damaged\nQ"])
def test_what_was_said_before_one_stops_is_kept(line, three, typed) -> None:
    assert "1 review by ana" in shown(line, "review", typed=typed)
    assert said(line) == [(str(three[2].capture_id), "damaged", "ana", None)]


def test_another_person_and_another_place_of_images(line, three, monkeypatch) -> None:
    monkeypatch.setenv("INSERTS_IMAGES", "s3://plant/images/")
    assert "s3://plant/images/2026/3.jpg" in shown(line, "review", "--by", "ben", typed="u\n")
    assert [by for _, _, by, _ in said(line)] == ["ben"]
    with line.database.reading() as session:
        row = audit.recent(session, limit=1)[0]
    assert (row.by.partition(":")[0], row.action, row.subject) == ("terminal", "reviewed", str(three[2].capture_id))
    assert row.detail == {"label": "unusable", "said by": "ben"}


def test_the_images_are_in_the_data_folder_that_was_named(sqlite_url, line, tmp_path) -> None:
    line.see(1, 0, "unsure")
    if line.database.url == sqlite_url:
        done = invoke(main, "--data", tmp_path, "review", typed="q\n")
        assert f"{tmp_path}/images/2026/11/22/a.png" in done.stdout


def test_listing_asks_nothing(line, three) -> None:
    found = answer(line, "review")
    assert [(each["why"], each["row"]["pocket"], each["review"]) for each in found] == [
        ("unsure", 3, None),
        ("unsure", 2, None),
        ("unsure", 1, None),
    ]
    assert len(answer(line, "review", "--limit", 2)) == 2
    table = shown(line, "review", "--list")
    assert "unsure" in table
    assert str(three[0].capture_id) in table
    assert said(line) == []


def test_nothing_to_look_at(line) -> None:
    assert shown(line, "review") == "nothing to look at\n"
    assert answer(line, "review") == []
    assert shown(line, "reviews") == "no review\n"


def test_one_capture_for_scripts(line, three) -> None:
    capture = three[0].capture_id
    made = answer(line, "review", "--capture", capture, "--label", "broken", "--note", "corner gone", "--by", "ben")
    assert (made["capture_id"], made["label"], made["by"], made["note"]) == (
        str(capture),
        "broken",
        "ben",
        "corner gone",
    )
    assert f"capture {capture} is worn, says ana" in shown(line, "review", "--capture", capture, "--label", "worn")
    assert [label for _, label, _, _ in said(line)] == ["broken", "worn"]
    assert [each["label"] for each in answer(line, "reviews", "--capture", capture, "--by", "ben")] == ["broken"]
    assert answer(line, "reviews", "--since", "2099-01-01") == []
    assert "corner gone" in shown(line, "reviews", "--limit", 5)


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--capture", uuid6.uuid7(), "--label", "worn"], 2, "is not recorded"),
        (["--capture", uuid6.uuid7()], 2, "--capture and --label go together"),
        (["--label", "worn"], 2, "--capture and --label go together"),
        (["--note", "x"], 2, "--note with them"),
        (["--capture", uuid6.uuid7(), "--label", "good"], 2, "'good' is not one of"),
        (["--capture", "seventeen", "--label", "worn"], 2, "Invalid value for '--capture'"),
        (["--capture", uuid6.uuid7(), "--label", "worn", "--list"], 2, "--list only lists"),
        (["--capture", uuid6.uuid7(), "--label", "worn", "--by", " "], 2, "the name of who says it"),
    ],
)
def test_what_was_asked_wrongly_is_explained(line, arguments, code, told) -> None:
    done = run(line, "review", *arguments)
    assert done.exit_code == code
    assert done.stdout == ""
    assert told in " ".join(done.stderr.replace("│", " ").split())


def test_of_what_nobody_saw_only_unusable_is_kept(line) -> None:
    capture = line.see(1, 1)
    with line.database.transaction() as session:
        reason = stations.UNFINISHED(pocket=1, names="1.jpg.part")
        verdicts.record(session, line.verdict(capture.capture_id, "unusable", reason=reason))
        session.execute(update(Verdicts).values(id=next(number for number in count(1000) if drawn(number))))
    done = run(line, "review", "--capture", capture.capture_id, "--label", "intact")
    assert (done.exit_code, "it can only be unusable" in done.stderr) == (2, True)
    told = shown(line, "review", typed="i\nu\n")
    assert "it can only be unusable" in told
    assert [label for _, label, _, _ in said(line)] == ["unusable"]


def test_a_disagreement_shows_what_was_said(line) -> None:
    line.model("m-1")
    capture = line.see(1, 0)
    with line.database.transaction() as session:
        verdict = line.verdict(capture.capture_id, "intact", model_id="m-1", decision=None, probability=0.031)
        verdicts.record(session, verdict)
    line.say(capture, "worn", by="ben", note="\x1b[2J flank")
    text = shown(line, "review", typed="b\n")
    assert "a review disagrees" in text
    assert "damage    3.1% probable" in text
    assert "worn by ben" in text
    assert "\x1b" not in text
    assert shown(line, "review") == "nothing to look at\n", "a second look settles it"
    assert [row["review"] for row in answer(line, "history", "mill-1", "head-1", 1)] == ["broken"]
    assert [row["review"] for row in answer(line, "replace")["items"]] == ["broken"]
