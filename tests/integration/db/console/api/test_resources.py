"""What each resource of the API answers is what the commands say, in the form that its document promises."""

import io
from datetime import timedelta
from urllib.parse import urlsplit
from xml.etree import ElementTree

import jsonschema
import pytest
import uuid6
from PIL import Image
from sqlalchemy import update

from db.learning import remaining_lives, reviews
from db.learning.remaining_lives import LifeFit, RemainingLife
from db.learning.survival_curve import SurvivalCurve
from db.line import verdicts
from db.people import audit
from db.schema.tables import Captures
from producer.contract.reasons import stations
from producer.storage.opening import open_image_store
from tests.console_support import ORIGIN, Browser, Program
from tests.integration.db.conftest import T0
from tests.support import photograph


def holds(program: Program, path: str, answer) -> None:
    """An answer has the form that the document gives it."""
    document = program.get("openapi.json").json()
    status = str(answer.status_code)
    (method,) = document["paths"][path].keys() & {answer.request.method.lower()}
    schema = document["paths"][path][method]["responses"][status]["content"]["application/json"]["schema"]
    jsonschema.validate(answer.json(), {**schema, "components": document["components"]})


def all_pages(program: Program, path: str, **asked) -> list:
    """Every item of a list, page by page, as `next` leads on."""
    found, pages = [], 0
    answer = program.get(path, **asked).json()
    while True:
        found += answer["items"]
        pages += 1
        if answer["next"] is None:
            assert pages > 1
            return found
        assert len(answer["items"]) == asked["limit"]
        assert urlsplit(answer["next"])[:2] == ("", "")
        answer = program.client.get(answer["next"]).json()


def test_verdicts_by_each_filter_and_page_by_page(line, program) -> None:
    line.see(1, 0, "damaged", operation="op & 1")
    line.see(2, 10, "intact")
    line.see(3, 10, "intact", machine="Fräse 3", station="st-2", head="head-2")
    line.see(4, 20)
    viewer = program("viewer")
    whole = viewer.get("verdicts")
    holds(viewer, "/verdicts", whole)
    assert [item["pocket"] for item in whole.json()["items"]] in ([2, 3, 1], [3, 2, 1])
    assert all_pages(viewer, "verdicts", limit=1) == whole.json()["items"]
    for asked, pockets in (
        ({"outcome": "damaged"}, [1]),
        ({"operation": "op & 1"}, [1]),
        ({"machine": "Fräse 3", "head": "head-2"}, [3]),
        ({"station": "st-2"}, [3]),
        ({"pocket": 2}, [2]),
        ({"until": T0 + timedelta(minutes=5)}, [1]),
        ({"machine": "mill-1", "since": T0 + timedelta(minutes=10)}, [2]),
    ):
        assert [item["pocket"] for item in viewer.get("verdicts", **asked).json()["items"]] == pockets, asked


def test_what_comes_meanwhile_moves_no_page(line, program) -> None:
    for minute in range(4):
        line.see(minute + 1, minute, "intact")
    viewer = program("viewer")
    first = viewer.get("verdicts", limit=2).json()
    line.see(9, 9, "intact")
    second = viewer.client.get(first["next"]).json()
    assert [item["pocket"] for item in first["items"] + second["items"]] == [4, 3, 2, 1]


def test_checks_by_state_and_one_by_its_id(line, program) -> None:
    line.see(1, 0, "damaged", check_size=1)
    others = [uuid6.uuid7(), uuid6.uuid7()]
    for minute, check in enumerate(others, 1):
        line.see(1, minute, "intact", check_size=1, check_id=check, head="head-2")
    viewer = program("viewer")
    whole = viewer.get("checks")
    holds(viewer, "/checks", whole)
    assert [check["state"] for check in whole.json()["items"]] == ["go", "go", "replace"]
    assert all_pages(viewer, "checks", limit=1, state="go") == whole.json()["items"][:2]
    assert all_pages(viewer, "checks", limit=2) == whole.json()["items"]
    one = viewer.get(f"checks/{line.check_id}")
    holds(viewer, "/checks/{check_id}", one)
    assert one.json() == whole.json()["items"][2]
    assert one.json()["replace"] == [1]
    assert viewer.get(f"checks/{uuid6.uuid7()}").status_code == 404


def test_lives_say_how_long_inserts_last_and_which_may_not_last_a_shift(line, program) -> None:
    viewer = program("viewer")
    assert viewer.get("lives").json() == {"items": [], "missing": None}
    curve = SurvivalCurve(tuple(map(float, range(1, 16))))
    for pocket in (1, 2):
        line.see(pocket, 0, "intact")
    lives = [RemainingLife("mill-1", "head-1", pocket, 3, 9, T0, curve, curve) for pocket in (1, 2)]
    with line.database.transaction() as session:
        remaining_lives.store(session, LifeFit(T0, 30, 12, 10, curve), lives, [])
    answer = viewer.get("lives", machine="mill-1", shift=5)
    holds(viewer, "/lives", answer)
    assert answer.json()["missing"] == 0
    (first, _) = answer.json()["items"]
    assert [first[name] for name in ("pocket", "operations", "low", "high", "lives")] == [1, 8, 4, 12, 9]
    assert 0.1 < first["risk"] < 0.5
    assert viewer.get("lives", shift=1).json()["items"] == []


def test_a_head_is_a_cutting_tool_of_mtconnect(line, program) -> None:
    line.see(1, 0, "intact", operations_on_edge=4)
    line.say(line.see(2, 0, "damaged"), "broken")
    viewer = program("viewer")
    asked = {"machine": "mill-1", "head": "head-1"}
    answer = viewer.get("mtconnect", **asked)
    assert answer.headers["content-type"] == "application/xml"
    root = ElementTree.fromstring(answer.text)  # noqa: S314 - our own
    items = [element for element in root.iter() if element.tag.endswith("}CuttingItem")]
    assert ["".join(item.itertext()).split()[0] for item in items] == ["USED", "BROKEN"]
    tag = answer.headers["etag"]
    assert viewer.client.get(answer.request.url, headers={"If-None-Match": tag}).status_code == 304
    line.see(1, 25, "damaged", check_id=uuid6.uuid7())
    assert viewer.client.get(answer.request.url, headers={"If-None-Match": tag}).status_code == 200
    nowhere = viewer.get("mtconnect", **asked | {"head": "H9"})
    assert (nowhere.status_code, nowhere.json()["detail"]) == (404, "nothing is known of machine mill-1, head H9")


@pytest.mark.parametrize("resource", ["heads", "replace", "checks", "verdicts", "lives"])
def test_nothing_found_where_a_name_is_mistyped_is_no_answer(line, program, resource) -> None:
    line.see(1, 0, "intact")
    viewer = program("viewer")
    assert viewer.get(resource, machine="mill-1").status_code == 200
    answer = viewer.get(resource, machine="mil-1")
    assert (answer.status_code, answer.json()["detail"]) == (404, "nothing is known of machine mil-1")


def test_replace_names_every_pocket_and_the_word_of_a_person(line, program) -> None:
    line.see(2, 0, "damaged")
    line.say(line.see(1, 0, "intact"), "worn")
    line.see(3, 0, "damaged", machine="mill-2", check_id=uuid6.uuid7())
    viewer = program("viewer")
    answer = viewer.get("replace", machine="mill-1")
    holds(viewer, "/replace", answer)
    assert [(item["pocket"], item["review"]) for item in answer.json()["items"]] == [(1, "worn"), (2, None)]
    assert len(viewer.get("replace").json()["items"]) == 3


def test_the_history_of_a_pocket_page_by_page(line, program) -> None:
    for minute, outcome in enumerate(("intact", "damaged", None)):
        line.see(1, minute, outcome)
    viewer = program("viewer")
    asked = {"machine": "mill-1", "head": "head-1", "pocket": 1}
    answer = viewer.get("history", **asked)
    holds(viewer, "/history", answer)
    assert [item["outcome"] for item in answer.json()["items"]] == [None, "damaged", "intact"]
    assert all_pages(viewer, "history", limit=2, **asked) == answer.json()["items"]
    assert viewer.get("history", **asked | {"pocket": 9}).json() == {"items": [], "next": None}


def test_a_review_that_a_program_posts_counts_and_is_in_the_audit(line, console, program) -> None:
    capture = line.see(1, 0, "intact")
    reviewer = program("reviewer")
    new = {"capture_id": str(capture.capture_id), "label": "broken", "note": "seen under the microscope"}
    answer = reviewer.post("reviews", new)
    assert answer.status_code == 201
    holds(reviewer, "/reviews", answer)
    assert (answer.json()["by"], answer.json()["note"]) == ("the reviewer", "seen under the microscope")
    assert reviewer.get("replace").json()["items"][0]["review"] == "broken"
    assert reviewer.get("reviews", capture_id=capture.capture_id).json()["items"] == [answer.json()]
    assert reviewer.get(f"captures/{capture.capture_id}").json()["review"] == "broken"
    with console.database.reading() as session:
        (entry,) = audit.recent(session)
    assert (entry.by, entry.action, entry.subject) == ("the reviewer", "reviewed", new["capture_id"])
    assert entry.detail == {"label": "broken", "token": "a program"}


def test_a_review_that_is_sent_again_is_kept_once_and_overrules_nobody(line, program) -> None:
    capture = line.see(1, 0, "intact")
    reviewer = program("reviewer")
    new = {"capture_id": str(capture.capture_id), "label": "broken", "seen": 0}
    first, again = reviewer.post("reviews", new).json(), reviewer.post("reviews", new).json()
    assert again == first
    line.say(capture, "intact")
    assert reviewer.post("reviews", new).json() == first, "however late"
    for other in ({"label": "worn"}, {"note": "look again"}):
        assert reviewer.post("reviews", new | other).status_code == 409
    assert [item["label"] for item in reviewer.get("reviews").json()["items"]] == ["intact", "broken"]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"capture_id": str(uuid6.uuid7())}, 404),
        ({"seen": -1}, 400),
        ({"label": "fine"}, 400),
        ({"capture_id": "1"}, 400),
        ({"by": "somebody else"}, 400),
        ({"note": "x" * 4_001}, 400),
    ],
)
def test_what_is_no_review_is_refused_and_nothing_is_kept(line, program, changes, status) -> None:
    capture = line.see(1, 0, "intact")
    reviewer = program("reviewer")
    answer = reviewer.post("reviews", {"capture_id": str(capture.capture_id), "label": "worn", **changes})
    assert answer.status_code == status
    assert reviewer.get("reviews").json()["items"] == []


def test_reviews_by_person_and_page_by_page(line, program) -> None:
    capture = line.see(1, 0, "intact")
    for label, by in (("worn", "ana"), ("broken", "terminal: bert"), ("intact", "ana")):
        line.say(capture, label, by=by)
    viewer = program("viewer")
    assert [item["label"] for item in all_pages(viewer, "reviews", limit=1)] == ["intact", "broken", "worn"]
    assert [item["label"] for item in viewer.get("reviews", by="terminal: bert").json()["items"]] == ["broken"]
    assert viewer.get("reviews", since=T0 + timedelta(hours=3)).json()["items"] == []


def test_models_with_their_roles_and_who_gave_them(line, program) -> None:
    from db.learning import model_registry

    for day, name in enumerate(("a", "b", "c")):
        line.model(name, created_at=T0 + timedelta(days=day))
    with line.database.transaction() as session:
        model_registry.promote(session, "a", by="ana", reason="the first", at=T0)
        model_registry.start_shadow(session, "b", by="beat", reason="the newest", at=T0)
    viewer = program("viewer")
    answer = viewer.get("models")
    holds(viewer, "/models", answer)
    assert [(item["model_id"], item["role"]) for item in answer.json()["items"]] == [
        ("c", None),
        ("b", "shadow"),
        ("a", "champion"),
    ]
    assert all_pages(viewer, "models", limit=1) == answer.json()["items"]
    assert viewer.get("models/b").json() == answer.json()["items"][1]
    assert viewer.get("models/d").status_code == 404
    given = viewer.get("promotions")
    holds(viewer, "/promotions", given)
    assert [(item["role"], item["by"]) for item in given.json()["items"]] == [("shadow", "beat"), ("champion", "ana")]
    assert all_pages(viewer, "promotions", limit=1) == given.json()["items"]
    assert [item["by"] for item in viewer.get("promotions", role="champion").json()["items"]] == ["ana"]


def test_a_capture_leads_to_its_photograph(line, console, program) -> None:
    digest = open_image_store(console.settings.images_root).put("st-1/a.jpg", photograph(size=400))
    capture = line.see(1, 0, "intact", image="st-1/a.jpg", image_sha256=digest)
    viewer = program("viewer")
    answer = viewer.get(f"captures/{capture.capture_id}")
    holds(viewer, "/captures/{capture_id}", answer)
    photo = viewer.client.get(answer.json()["photograph"])
    assert photo.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(photo.content)).size == (400, 400)
    small = viewer.get(f"captures/{capture.capture_id}/photograph", size="small")
    assert Image.open(io.BytesIO(small.content)).size == (160, 160)
    known = viewer.client.get(answer.json()["photograph"], headers={"If-None-Match": f'"x", {photo.headers["etag"]}'})
    assert (known.status_code, known.content) == (304, b"")
    with console.database.transaction() as session:
        session.execute(update(Captures).values(image="-"))
    assert viewer.get(f"captures/{capture.capture_id}").json()["photograph"] is None
    assert viewer.get(f"captures/{capture.capture_id}/photograph").status_code == 410


def test_what_has_not_changed_is_not_sent_again(line, program) -> None:
    line.see(1, 0, "damaged")
    viewer = program("viewer")
    first = viewer.get("replace")
    tag = first.headers["etag"]
    for known in (tag, f"W/{tag}", f'"another", {tag}', "*"):
        again = viewer.get("replace", headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert again.headers["cache-control"] == "private, no-cache"
    line.see(1, 1, "intact")
    changed = viewer.get("replace", headers={"If-None-Match": tag})
    assert (changed.status_code, changed.json()["items"]) == (200, [])


@pytest.mark.parametrize(
    ("path", "asked", "words"),
    [
        ("verdicts", {"limit": 1_001}, "limit"),
        ("verdicts", {"after": "yesterday"}, "next"),
        ("verdicts", {"after": "2026-11-22T10:00:00_" + "0" * 32}, "next"),
        ("verdicts", {"since": "2026-11-22T10:00:00"}, "since"),
        ("verdicts", {"since": "0001-01-01T00:00:00+10:00"}, "since"),
        ("verdicts", {"machine": "a/b"}, "machine"),
        ("verdicts", {"machin": "mill-1"}, "there is no filter 'machin': there are machine, head"),
        ("verdicts", {"machine": ["mill-1", "mill-2"]}, "machine stands there more than once"),
        ("checks", {"state": "fine"}, "state"),
        ("history", {"machine": "mill-1", "head": "head-1"}, "pocket"),
        ("reviews", {"by": "a\0b"}, "by"),
        ("promotions", {"after": "2026-11-22T10:00:00Z_²"}, "next"),
    ],
)
def test_a_wrong_question_is_a_problem_that_says_what_is_wrong(program, path, asked, words) -> None:
    answer = program("viewer").get(path, **asked)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert (told["type"], told["title"], told["status"]) == ("about:blank", "Bad Request", 400)
    assert words in told["detail"]


def test_whatever_goes_wrong_is_a_problem_of_the_form_that_the_document_has(program) -> None:
    viewer = program("viewer")
    document = viewer.get("openapi.json").json()
    for answer in (
        viewer.get("no-such-thing"),
        viewer.client.delete("/api/v1/verdicts"),
        viewer.post("reviews", {}),
        viewer.get("verdicts", limit=0),
        viewer.get("models/none"),
    ):
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code
        schema = {"$ref": "#/components/schemas/Problem", "components": document["components"]}
        jsonschema.validate(answer.json(), schema)
    for path in document["paths"].values():
        for operation in path.values():
            assert "application/problem+json" in operation["responses"]["default"]["content"]
            assert "422" not in operation["responses"]


def test_a_page_s_session_may_ask_and_its_writes_are_a_form_s(line, console, signed_in) -> None:
    capture = line.see(1, 0, "intact")
    browser: Browser = signed_in("reviewer")
    assert browser.get("/api/v1/verdicts").json()["items"][0]["pocket"] == 1
    new = {"capture_id": str(capture.capture_id), "label": "worn"}
    for headers in ({}, {"Origin": ORIGIN}, {"Origin": "http://elsewhere", "X-CSRF-Token": browser.csrf}):
        answer = browser.client.post("/api/v1/reviews", json=new, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")
    sent = {"Origin": ORIGIN, "X-CSRF-Token": browser.csrf}
    assert browser.client.post("/api/v1/reviews", json=new, headers=sent).status_code == 201
    with console.database.reading() as session:
        assert audit.recent(session)[0].detail == {"label": "worn"}


def test_a_maintainer_s_program_promotes_and_rolls_back(line, console, program) -> None:
    from db.learning import model_registry
    from db.people import audit

    for name in ("a", "b"):
        line.model(name, network_digest="e" * 64)
    with line.database.transaction() as session:
        model_registry.promote(session, "a", by="ana", reason="the first", at=T0)
    maintainer, why = program("maintainer"), {"reason": "the MES says so"}
    given = maintainer.post("models/b/promote", why)
    assert (given.status_code, given.json()["model_id"], given.json()["by"]) == (201, "b", "the maintainer")
    assert maintainer.post("models/b/promote", why).status_code == 409
    line.model("d", network_digest="e" * 64)
    assert maintainer.post("models/d/promote", {**why, "instead_of": "a"}).status_code == 409
    assert maintainer.post("models/b/rollback", why).json()["model_id"] == "a"
    assert maintainer.post("models/b/rollback", why).status_code == 409
    assert maintainer.post("models/c/promote", why).status_code == 404
    assert maintainer.post("models/b/promote", {}).status_code == 400
    assert program("reviewer").post("models/b/promote", why).status_code == 403
    with line.database.reading() as session:
        rows = [row for row in audit.recent(session) if row.by == "the maintainer"]
    assert [(row.action, row.subject, row.detail["token"]) for row in rows] == [
        ("model rolled back", "b", "a program"),
        ("model promoted", "b", "a program"),
    ]


def test_a_label_of_what_nobody_saw_is_refused_in_the_reader_s_words(line, program, signed_in) -> None:
    capture = line.see(1, 0)
    with line.database.transaction() as session:
        verdicts.record(session, line.verdict(capture.capture_id, "unusable", reason=stations.MISSING(pockets=[1])))
    reviewer, browser = program("reviewer"), signed_in("reviewer")
    refused = reviewer.post("reviews", {"capture_id": str(capture.capture_id), "label": "intact"})
    assert (refused.status_code, "handed in no photograph" in refused.json()["detail"]) == (409, True)
    browser.client.headers["Accept-Language"] = "de"
    answer = browser.post("/review/label", {"capture": str(capture.capture_id), "label": "intact"})
    assert (answer.status_code, "keine Aufnahme" in answer.text) == (410, True)
    with line.database.reading() as session:
        assert reviews.of_capture(session, capture.capture_id) == []
