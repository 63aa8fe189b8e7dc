"""Of each head the API answers what the board shows, where the newest check alone would say go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import uuid6

from db.line import insert_changes
from tests.console_support import Program
from tests.integration.db.console.api.test_resources import all_pages, holds

NOW = datetime.now(UTC)


def fresh(line, pocket: int, outcome: str | None = "intact", minutes: float = 1, **changes):
    at = NOW - timedelta(minutes=minutes) + timedelta(seconds=pocket)
    return line.see(pocket, outcome=outcome, captured_at=at, check_size=changes.pop("size", 4), **changes)


def whole_check(line, outcome: str = "intact", *, minutes: float = 10, pockets: int = 4, **changes) -> None:
    """A check of the head, of which each of so many pockets is photographed."""
    check_id = uuid6.uuid7()
    for pocket in range(1, pockets + 1):
        fresh(line, pocket, outcome, minutes, check_id=check_id, **changes)


def retake(line, pocket: int = 1, minutes: float = 1) -> None:
    """A photograph by itself, as a check of its own."""
    fresh(line, pocket, minutes=minutes, size=1, check_id=uuid6.uuid7())


def answer_of(viewer: Program) -> dict:
    (head,) = viewer.get("heads", machine="mill-1", head="head-1").json()["items"]
    return head


def test_a_whole_check_is_go_until_its_first_photograph_is_too_old(line, program) -> None:
    whole_check(line, operation="op-20")
    viewer = program("viewer")
    holds(viewer, "/heads", viewer.get("heads"))
    head = answer_of(viewer)
    assert (head["state"], head["size"], head["operation"]) == ("go", 4, "op-20")
    assert head["pockets"] == [{"pocket": pocket, "shows": "intact"} for pocket in range(1, 5)]
    first = NOW - timedelta(minutes=10) + timedelta(seconds=1)
    assert datetime.fromisoformat(head["fresh_until"]) == first + timedelta(hours=1)


@pytest.mark.parametrize("outcome", ["unsure", "unusable"])
def test_a_photograph_by_itself_is_no_go_for_a_pocket_that_a_person_must_look_at(line, program, outcome) -> None:
    whole_check(line)
    check_id = uuid6.uuid7()
    for pocket in range(1, 5):
        fresh(line, pocket, outcome if pocket == 3 else "intact", minutes=5, check_id=check_id)
    retake(line)
    viewer = program("viewer")
    assert viewer.get("checks", limit=1).json()["items"][0]["state"] == "go"
    head = answer_of(viewer)
    assert (head["state"], head["review"]) == ("review", [3])


def test_a_photograph_by_itself_is_no_go_while_a_check_waits_for_others(line, program) -> None:
    whole_check(line)
    whole_check(line, minutes=2, pockets=2)
    retake(line)
    viewer = program("viewer")
    assert viewer.get("checks", limit=1).json()["items"][0]["state"] == "go"
    head = answer_of(viewer)
    assert (head["state"], head["awaited"]) == ("pending", [3, 4])


def test_an_insert_that_no_photograph_shows_yet_is_no_go(line, program) -> None:
    whole_check(line)
    with line.database.transaction() as session:
        insert_changes.record(session, "mill-1", "head-1", 2, by="Ana", at=NOW)
    head = answer_of(program("viewer"))
    assert (head["state"], head["new"]) == ("new", [2])


def test_photographs_of_long_ago_are_no_go_and_damage_is_to_be_replaced_all_the_same(line, program) -> None:
    whole_check(line, minutes=300)
    viewer = program("viewer")
    head = answer_of(viewer)
    assert (head["state"], head["old"], head["fresh_until"]) == ("stale", [1, 2, 3, 4], None)
    fresh(line, 2, "damaged", size=1, check_id=uuid6.uuid7())
    head = answer_of(viewer)
    assert (head["state"], head["replace"], head["old"]) == ("replace", [2], [1, 3, 4])


def test_heads_come_by_name_page_by_page_though_another_is_photographed_meanwhile(line, program) -> None:
    for machine, head in (("mill-2", "a"), ("mill-1", "b"), ("Fräse 3", "a"), ("mill-1", "a b")):
        whole_check(line, machine=machine, head=head)
    viewer = program("viewer")
    listed = [(item["machine"], item["head"]) for item in viewer.get("heads").json()["items"]]
    assert listed == [("Fräse 3", "a"), ("mill-1", "a b"), ("mill-1", "b"), ("mill-2", "a")]
    first = viewer.get("heads", limit=2).json()
    fresh(line, 1, size=1, check_id=uuid6.uuid7(), machine="mill-2", head="a")
    rest = viewer.client.get(first["next"]).json()
    assert [(item["machine"], item["head"]) for item in first["items"] + rest["items"]] == listed
    assert [item["head"] for item in all_pages(viewer, "heads", machine="mill-1", limit=1)] == ["a b", "b"]
    assert viewer.get("heads", machine="mill-9").status_code == 404
    assert viewer.get("heads", after="nowhere").status_code == 400


def test_a_head_is_not_sent_again_until_its_answer_changes(line, program) -> None:
    whole_check(line)
    viewer = program("viewer")
    tag = {"If-None-Match": viewer.get("heads").headers["ETag"]}
    assert viewer.client.get("/api/v1/heads", headers=tag).status_code == 304
    fresh(line, 2, "damaged", size=1, check_id=uuid6.uuid7())
    assert viewer.client.get("/api/v1/heads", headers=tag).status_code == 200


@pytest.mark.parametrize("way", ["console", "program"])
def test_damage_that_a_person_sees_behind_a_newer_photograph_is_to_be_replaced(line, program, signed_in, way) -> None:
    whole_check(line, "unsure", minutes=10)
    whole_check(line, minutes=5)
    viewer = program("viewer")
    assert (answer_of(viewer)["state"], viewer.get("replace").json()["items"]) == ("go", [])
    earlier = viewer.get("history", machine="mill-1", head="head-1", pocket=3).json()["items"][1]["capture_id"]
    if way == "program":
        assert program("reviewer").post("reviews", {"capture_id": earlier, "label": "broken"}).status_code == 201
    else:
        answer = signed_in("reviewer").post("/review/label", {"capture": earlier, "label": "broken"})
        assert answer.status_code == 200
    head = answer_of(viewer)
    assert (head["state"], head["replace"]) == ("replace", [3])
    assert [(item["capture_id"], item["review"]) for item in viewer.get("replace").json()["items"]] == [
        (earlier, "broken")
    ]
