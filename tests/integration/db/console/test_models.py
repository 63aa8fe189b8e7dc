"""The models' pages: who judges and why, what was measured, and a person who changes it."""

import re
from datetime import timedelta

import pytest

from db.learning import evaluations, model_registry
from db.line import shadow_verdicts
from db.line.shadow_verdicts import ShadowVerdict
from db.people import audit
from tests.evaluation_support import report_of
from tests.integration.db.conftest import T0

NETWORK = "e" * 64


@pytest.fixture
def models(line) -> dict:
    """A champion, and a candidate that was measured beside it."""
    for day, name in enumerate(("first", "second")):
        line.model(name, created_at=T0 + timedelta(days=day), network_digest=NETWORK)
    captures = [line.see(pocket, pocket, "intact", check_size=9).capture_id for pocket in range(1, 10)]
    with line.database.transaction() as session:
        model_registry.promote(session, "first", by="beat", reason="nobody was in charge", at=T0)
        report = report_of("second", "first", captures)
        evaluations.record(session, "second", T0 + timedelta(days=1), report)
    return report


def roles(line) -> tuple[str | None, str | None]:
    with line.database.reading() as session:
        champion, shadow = model_registry.champion(session), model_registry.shadow(session)
    return champion and champion.model_id, shadow and shadow.model_id


def written(line) -> list[tuple[str, str, str, dict]]:
    with line.database.reading() as session:
        rows = audit.recent(session)
    people = (row for row in rows if row.by.startswith("the ") and "signed" not in row.action)
    return [(row.by, row.action, row.subject, row.detail) for row in people][::-1]


MEANT = {"reason": "seen enough", "sure": "yes"}


def test_who_judges_since_when_and_why(line, models, signed_in) -> None:
    text = signed_in("viewer").get("/models").text
    champion = text.partition('id="champion"')[2].partition("</section>")[0]
    assert "first" in champion
    assert "by beat" in champion
    assert "nobody was in charge" in champion
    assert "No model judges alongside" in text
    # Beside its score is that of the champion of then on the same splits: two rows are of different labels.
    of_second = text.partition('<td><a href="/models/second">')[2].partition("</tr>")[0]
    assert re.findall(r"<td><b>([\d.]+%)</b>", of_second) == [
        f"{models['evaluations']['grouped'][side]['scores']['balanced_accuracy']['mean']:.1%}"
        for side in ("candidate", "champion")
    ]
    assert "the next 100 labels add" in text
    assert '<form method="post" action="/models' not in text  # a viewer changes nothing


def test_a_candidate_is_shown_beside_the_champion_of_its_time(line, models, signed_in) -> None:
    text = signed_in("reviewer").get("/models/second").text
    pair = models["evaluations"]["grouped"]
    for side in (pair["candidate"], pair["champion"]):
        estimate = side["scores"]["recall_damaged"]
        assert (
            f'<b>{estimate["mean"]:.1%}</b> <small class="soft">{estimate["low"]:.1%} … {estimate["high"]:.1%}' in text
        )
        for row in side["confusion"]:
            assert f"<b>{row[0]}</b> <small>{row[0] / sum(row):.1%}" in text
    reasons = text.partition("When it was measured:")[2]
    for reason in models["decision"]["reasons"]:
        assert reason.replace("'", "&#39;") in reasons
    assert text.count('<svg class="chart" ') == 3
    assert text.count('<svg class="whiskers"') == 10
    worst = pair["candidate"]["wrong"][0]
    assert f'href="/review?capture={worst["capture_id"]}"' in text
    assert text.count("/review?capture=") == 9  # the others are not recorded
    assert "/review?capture=" not in signed_in("viewer").get("/models/second").text


def test_a_model_that_was_measured_alone_is_drawn_beside_nothing(line, models, signed_in) -> None:
    with line.database.transaction() as session:
        evaluations.record(session, "first", T0, report_of("first"))
    text = signed_in("viewer").get("/models/first").text
    assert f"<b>{models['evaluations']['grouped']['candidate']['scores']['accuracy']['mean']:.1%}</b>" in text
    assert "whiskers" not in text
    assert "On the same splits" not in text


def test_a_model_without_figures_says_so(line, signed_in) -> None:
    line.model("bare")
    line.model("later")
    with line.database.transaction() as session:
        evaluations.record(session, "later", T0, {"schema_version": 2})
    browser = signed_in("maintainer")
    bare = browser.get("/models/bare").text
    assert "It has not been evaluated" in bare
    assert "no worker can judge by it" in bare
    assert "/models/bare/promote" not in bare
    assert "Another version of this program" in browser.get("/models/later").text
    assert browser.get("/models").status_code == 200
    assert browser.get("/models/none").status_code == 404


def test_an_empty_line_has_a_page_of_models(signed_in) -> None:
    text = signed_in("viewer").get("/models").text
    assert "every insert is unsure" in text
    assert "No model yet" in text


def test_a_maintainer_promotes_and_rolls_back_and_the_audit_says_why(line, models, signed_in) -> None:
    browser = signed_in("maintainer")
    assert "Roll back" not in browser.get("/models").text + browser.get("/models/first").text
    assert browser.post("/models/second/promote", MEANT).headers["location"] == "/models"
    assert "Roll back" in browser.get("/models").text
    assert "Roll back" in browser.get("/models/second").text
    assert roles(line) == ("second", None)
    assert "seen enough" in browser.get("/models").text
    assert browser.post("/models/second/promote", MEANT).status_code == 409
    assert browser.post("/models/second/rollback", {**MEANT, "reason": "it misses some"}).status_code == 303
    assert roles(line) == ("first", None)
    # The same button again: the page was old.
    assert browser.post("/models/second/rollback", MEANT).status_code == 409
    assert browser.post("/models/first/rollback", MEANT).status_code == 404  # there is none before
    assert roles(line) == ("first", None)
    assert written(line) == [
        ("the maintainer", "model promoted", "second", {"reason": "seen enough"}),
        ("the maintainer", "model rolled back", "second", {"reason": "it misses some", "to": "first"}),
    ]


@pytest.mark.parametrize("what", ["promote", "shadow"])
def test_a_page_that_is_old_puts_no_model_out_that_it_does_not_show(line, models, signed_in, what) -> None:
    browser = signed_in("maintainer")
    line.model("newest", network_digest=NETWORK)
    page = browser.get("/models/second").text
    form = page.partition(f"/models/second/{what}")[2].partition("</form>")[0]
    (instead_of,) = re.findall(r'name="instead_of" value="([^"]*)"', form)
    with line.database.transaction() as session:
        change = {"promote": model_registry.promote, "shadow": model_registry.start_shadow}[what]
        change(session, "newest", by="beat", reason="it is better", at=T0 + timedelta(days=2))
    before = roles(line)
    answer = browser.post(f"/models/second/{what}", {**MEANT, "instead_of": instead_of})
    assert answer.status_code == 409
    assert "newest" in answer.text
    assert (roles(line), written(line)) == (before, [])
    assert browser.post(f"/models/second/{what}", {**MEANT, "instead_of": "newest"}).status_code == 303


def test_a_shadow_begins_and_ends(line, models, signed_in) -> None:
    browser = signed_in("administrator")
    assert browser.post("/models/first/shadow", MEANT).status_code == 409  # it is in charge
    assert browser.post("/models/second/end-shadow", MEANT).status_code == 409
    assert browser.post("/models/second/shadow", MEANT).status_code == 303
    assert roles(line) == ("first", "second")
    assert browser.post("/models/second/shadow", MEANT).status_code == 409
    assert "/models/second/end-shadow" in browser.get("/models").text
    assert browser.post("/models/second/end-shadow", MEANT).status_code == 303
    assert roles(line) == ("first", None)
    assert [action for _, action, _, _ in written(line)] == ["shadow started", "shadow ended"]


@pytest.mark.parametrize("form", [{"reason": "why not"}, {"sure": "yes"}, {"sure": "no", "reason": "why not"}])
def test_what_is_not_meant_changes_nothing(line, models, signed_in, form) -> None:
    assert signed_in("maintainer").post("/models/second/promote", form).status_code == 400
    assert signed_in("maintainer").post("/models/second/promote", {"sure": "yes", "reason": " "}).status_code == 409
    assert (roles(line), written(line)) == (("first", None), [])


def test_no_model_that_no_worker_can_judge_by_is_put_in_charge(line, models, signed_in) -> None:
    line.model("old")
    browser = signed_in("maintainer")
    for what in ("promote", "shadow"):
        answer = browser.post(f"/models/old/{what}", MEANT)
        assert answer.status_code == 409
        assert "before networks were files" in answer.text
    assert browser.post("/models/none/promote", MEANT).status_code == 404
    assert signed_in("reviewer").post("/models/second/promote", MEANT).status_code == 403
    assert (roles(line), written(line)) == (("first", None), [])


def test_a_shadow_s_answers_are_held_against_the_line_s(line, models, signed_in) -> None:
    with line.database.transaction() as session:
        model_registry.start_shadow(session, "second", by="mara", reason="is it better?", at=T0)
    viewer, reviewer = signed_in("viewer"), signed_in("reviewer")
    assert "It has judged nothing alongside the line yet." in viewer.get("/models").text
    assert "It has judged nothing alongside the line yet." in viewer.get("/models/second").text
    photographs = [line.see(pocket, pocket, "intact") for pocket in (1, 2, 3, 4)]
    said = dict(zip(photographs, ("intact", "damaged", "unsure", "intact"), strict=True))
    with line.database.transaction() as session:
        shadows = [ShadowVerdict(each.capture_id, "second", what, 0.5, 0.6, T0) for each, what in said.items()]
        shadow_verdicts.record(session, shadows)
    line.say(photographs[1], "broken")
    assert "It agrees with the line on 2 of its last 4 photographs (50.0%)." in viewer.get("/models").text
    text = reviewer.get("/models/second").text.partition('id="agreement"')[2].partition("</section>")[0]
    assert re.findall(r"/review\?capture=([0-9a-f-]+)", text) == [str(photographs[n].capture_id) for n in (2, 1)]
    rows = re.findall(r"<tr><td>(\w+)</td><td>(\w+)</td><td class=\"(\w+)\"><b>(\d)</b>", text)
    assert rows == [
        ("intact", "damaged", "mistaken", "1"),
        ("intact", "intact", "right", "2"),
        ("intact", "unsure", "mistaken", "1"),
    ]
    measured = re.findall(r'<th scope="row">([\w ]+)</th><td>(\d)</td><td>(\d)</td><td>(\d)</td>', text)
    assert measured == [("the line", "0", "1", "0"), ("the shadow", "1", "0", "0")]
    assert "/review?capture=" not in viewer.get("/models/second").text
    assert 'id="agreement"' not in viewer.get("/models/first").text
