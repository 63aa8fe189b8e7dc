"""Reviews in a browser: who gets which photograph, and what is kept."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, select, update

from db.learning import reviews
from db.learning.review_chances import drawn
from db.people import audit
from db.queries import review_turns
from db.schema.tables import Leases, Verdicts
from tests.console_support import Browser
from tests.integration.conftest import on_both_engines

pytestmark = on_both_engines  # what it shows is asked of the database by itself


def unsure(line, count: int) -> list[str]:
    return [str(line.see(pocket, pocket, "unsure").capture_id) for pocket in range(1, count + 1)][::-1]


def ids(answer) -> list[str]:
    return [item["id"] for item in answer.json()["items"]]


def test_the_next_photographs_come_with_what_is_known_and_what_is_left(line, signed_in) -> None:
    captures = unsure(line, 6)
    answer = signed_in("reviewer").post("/review/next").json()
    assert [item["id"] for item in answer["items"]] == captures[:4]
    assert (answer["left"], answer["more"]) == (6, False)
    again = signed_in("reviewer").post("/review/next", {"without": captures[:4]}).json()
    assert (len(again["items"]), again["left"]) == (2, 2)
    first = answer["items"][0]
    assert (first["why"], first["verdict"], first["said"]) == ("The model is unsure", "unsure", None)
    assert first["place"] == "mill-1 · head-1 · 6"


def test_two_reviewers_never_have_the_same_photograph(line, console, signed_in) -> None:
    captures = unsure(line, 7)
    ana, bert = signed_in("reviewer"), signed_in("maintainer")
    assert ids(ana.post("/review/next")) == captures[:4]
    assert ids(bert.post("/review/next")) == captures[4:]
    assert ids(bert.post("/review/next", {"without": captures[4:]})) == []
    # Nor just after the other one has labelled it, though it may still be in a queue that was read before.
    assert ana.post("/review/label", {"capture": captures[0], "label": "worn"}).status_code == 200
    with console.database.transaction() as session:
        assert not review_turns.keep(session, "bert", UUID(captures[0]), datetime.now(UTC) + timedelta(seconds=50))


def test_two_tabs_of_one_session_never_have_the_same_photograph(line, signed_in) -> None:
    captures = unsure(line, 7)
    ana = signed_in("reviewer")
    assert ids(ana.post("/review/next", {"tab": "a-1"})) == captures[:4]
    assert ids(ana.post("/review/next", {"tab": "b-2"})) == captures[4:]
    held = {"capture": captures[3:5], "seen": [0, 0]}
    assert [ana.post("/review/hold", held | {"tab": tab}).json()["kept"] for tab in ("a-1", "b-2", "c")] == [
        captures[3:4], captures[4:5], [],
    ]  # fmt: skip
    assert ids(ana.post("/review/next", {"tab": "a-1"})) == captures[:4], "as after a reload"
    assert ana.post("/review/next", {"tab": "x" * 41}).status_code == 400


def test_what_nobody_asks_for_any_more_is_handed_out_again(line, console, signed_in) -> None:
    captures = unsure(line, 3)
    ana, bert = signed_in("reviewer"), signed_in("maintainer")
    assert ids(ana.post("/review/next")) == captures
    assert ana.post("/review/hold", {"capture": captures[:1], "seen": [0]}).json() == {"kept": captures[:1]}
    with console.database.transaction() as session:
        for capture in captures[1:]:
            gone = datetime.now(UTC) - timedelta(seconds=1)
            session.execute(update(Leases).where(Leases.name == f"review {capture}").values(until=gone))
    assert ids(bert.post("/review/next")) == captures[1:]
    assert ana.post("/review/hold", {"capture": captures, "seen": [0] * len(captures)}).json() == {"kept": captures[:1]}


def test_what_somebody_else_has_labelled_is_kept_for_nobody(line, console, signed_in) -> None:
    captures = unsure(line, 2)
    ana = signed_in("reviewer")
    assert ids(ana.post("/review/next")) == captures
    mine = ana.post("/review/label", {"capture": captures[0], "label": "worn", "seen": 0}).json()["review"]
    with console.database.transaction() as session:
        theirs = reviews.add(session, capture_id=UUID(captures[1]), label="worn", by="bert", at=datetime.now(UTC)).id
        session.execute(delete(Leases))  # an hour later
    held = {"capture": captures, "seen": [0, 0]}
    assert ana.post("/review/hold", held).json() == {"kept": captures[:1]}
    assert ana.post("/review/hold", held | {"seen": [mine, theirs]}).json() == {"kept": captures}
    assert ana.post("/review/hold", held | {"seen": [0]}).status_code == 400


def test_a_label_is_the_account_s_and_is_in_the_audit(line, console, signed_in) -> None:
    (capture,) = unsure(line, 1)
    browser = signed_in("reviewer")
    for label in ("worn", "intact"):  # the second is what going back and another key does
        assert browser.post("/review/label", {"capture": capture, "label": label}).status_code == 200
    with console.database.reading() as session:
        said = reviews.of_capture(session, UUID(capture))
        assert [(each.label, each.by) for each in said] == [("intact", "the reviewer"), ("worn", "the reviewer")]
        entries = [entry for entry in audit.recent(session) if entry.action == "reviewed"]
        assert [(entry.subject, entry.detail) for entry in entries] == [
            (capture, {"label": "intact"}),
            (capture, {"label": "worn"}),
        ]
    assert browser.get(f"/review/item?capture={capture}").json()["said"] == "intact"
    assert ids(browser.post("/review/next")) == []


def test_of_a_sample_the_verdict_is_not_shown(line, signed_in) -> None:
    for pocket in range(1, 131):  # one in fifty of those far from the threshold, none in ten of those near to it
        line.see(pocket, pocket / 100, "intact")
    browser, seen, items = signed_in("reviewer"), [], []
    while new := browser.post("/review/next", {"without": seen}).json()["items"]:
        items += new
        seen += [item["id"] for item in new]
    sample = [item for item in items if item["why"].startswith("A sample")]
    assert sample
    assert {(item["verdict"], item["damage"], item["model"]) for item in sample} == {(None, None, None)}
    assert {item["verdict"] for item in items if item not in sample} == {"intact"}


def test_the_photograph_before_is_of_the_same_pocket(line, signed_in) -> None:
    before = line.see(1, 0, "intact")
    line.see(2, 1, "intact")
    capture = line.see(1, 2, "unsure")
    assert signed_in("reviewer").get(f"/review/item?capture={capture.capture_id}").json()["previous"] == str(
        before.capture_id
    )


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"label": "worn"}, 400),
        ({"capture": "x", "label": "worn"}, 400),
        ({"capture": str(uuid4()), "label": "worn"}, 404),
    ],
)
def test_what_cannot_be_kept_is_refused(signed_in, form, status) -> None:
    assert signed_in("reviewer").post("/review/label", form).status_code == status


def test_no_other_label_than_those_there_are(line, signed_in) -> None:
    (capture,) = unsure(line, 1)
    assert signed_in("reviewer").post("/review/label", {"capture": capture, "label": "fine"}).status_code == 400


def test_the_page_names_its_keys(signed_in) -> None:
    text = signed_in("reviewer").get("/review").text
    for key, label in zip("12345", ("intact", "worn", "broken", "damaged", "unusable"), strict=True):
        assert f'data-label="{label}"' in text
        assert f'data-action="{label}" data-keys="[&#34;{key}&#34;, &#34;{label[0]}&#34;]"' in text


def test_a_viewer_does_not_review(console) -> None:
    browser = Browser(console)
    browser.sign_in("the viewer")
    assert browser.get("/review").status_code == 403


def test_the_verdict_of_a_sample_is_not_shown_by_whatever_address_it_is_opened(line, console, signed_in) -> None:
    for pocket in range(1, 61):
        line.see(pocket, pocket, "intact")
    with console.database.reading() as session:
        number = select(Verdicts.capture_id).where(drawn(Verdicts.id))
        sample = session.scalars(number).first()
    browser = signed_in("reviewer")
    shown = browser.get(f"/review/item?capture={sample}").json()
    assert (shown["sample"], shown["verdict"], shown["damage"], shown["model"]) == (True, None, None, None)
    assert browser.post("/review/label", {"capture": str(sample), "label": "intact"}).status_code == 200
    assert browser.get(f"/review/item?capture={sample}").json()["verdict"] == "intact"


def test_what_somebody_else_said_meanwhile_is_not_overruled_unseen(line, console, signed_in) -> None:
    [capture] = unsure(line, 1)
    ana, bert = signed_in("reviewer"), signed_in("maintainer")
    said = ana.post("/review/label", {"capture": capture, "label": "worn", "seen": 0}).json()["review"]
    assert bert.post("/review/label", {"capture": capture, "label": "intact", "seen": 0}).status_code == 409
    with console.database.reading() as session:
        assert [review.by for review in reviews.of_capture(session, UUID(capture))] == ["the reviewer"]
    shown = bert.get(f"/review/item?capture={capture}").json()
    assert (shown["review"], shown["said"]) == (said, None), "nobody is told that somebody else's word is one's own"
    assert bert.post("/review/label", {"capture": capture, "label": "intact", "seen": said}).status_code == 200
    assert ana.post("/review/label", {"capture": capture, "label": "broken", "seen": said}).status_code == 409
    assert bert.post("/review/label", {"capture": capture, "label": "worn", "seen": said}).status_code == 409, (
        "nor one's own"
    )


def test_a_label_whose_answer_was_lost_is_said_again_and_kept_once(line, console, signed_in) -> None:
    [capture] = unsure(line, 1)
    ana, bert = signed_in("reviewer"), signed_in("maintainer")

    def say(label: str, seen: int, browser: Browser = ana) -> int:
        answer = browser.post("/review/label", {"capture": capture, "label": label, "seen": seen})
        return answer.json()["review"] if answer.status_code == 200 else -answer.status_code

    worn = say("worn", 0)
    assert say("worn", 0) == worn
    intact = say("intact", worn)
    assert (say("worn", 0), say("intact", worn)) == (worn, intact), "a later word stays the newest"
    again = say("worn", intact)
    assert worn < intact < again, "another word is another review"
    theirs = say("broken", again, bert)
    assert (say("worn", intact), say("worn", again)) == (again, -409)
    with console.database.reading() as session:
        said = reviews.of_capture(session, UUID(capture))
        assert [review.label for review in said] == ["broken", "worn", "intact", "worn"]
        assert said[0].id == theirs
        assert len([entry for entry in audit.recent(session) if entry.action == "reviewed"]) == 4
